"""Bybit's order book topics: a snapshot, the changes that follow it, and what is refused."""

import asyncio

import pytest

from tests.support.paper.paper_client import Paper
from tests.support.paper.stream_client import applied, ears

PATH = "/v5/public/spot"
TOPIC = "orderbook.50.BTCUSDT"


@pytest.fixture(scope="module")
def walking():
    """An exchange whose prices move often."""
    paper = Paper("--dialect", "bybit", "--walk-interval-ms", "50")
    yield paper
    errors = paper.stop()
    assert "Traceback" not in errors, errors


@pytest.fixture
def exchange(walking):
    walking.clear_faults()
    yield walking
    walking.clear_faults()


def is_book(message):
    return "topic" in message


def heard_after(exchange, *requests, until):
    """Everything that is heard from the requests on, until a message fits."""

    async def listen():
        async with ears(exchange, PATH) as told:
            for request in requests:
                await told.say(**request)
            found = [await told.hear()]
            while not until(found[-1]):
                found.append(await told.hear())
            return found

    return asyncio.run(listen())


def subscribe(*topics):
    return {"op": "subscribe", "args": list(topics), "req_id": "7"}


def test_a_topic_begins_with_the_whole_book_and_goes_on_with_changes(exchange):
    found = heard_after(exchange, subscribe(TOPIC), until=lambda m: m.get("type") == "delta")
    answer, snapshot, change = found
    assert (answer["success"], answer["req_id"], answer["op"]) == (True, "7", "subscribe")
    assert (snapshot["topic"], snapshot["type"]) == (TOPIC, "snapshot")
    assert len(snapshot["data"]["b"]) == len(snapshot["data"]["a"]) == 50
    assert change["data"]["u"] == snapshot["data"]["u"] + 1
    assert change["data"]["seq"] > snapshot["data"]["seq"]


def test_update_ids_grow_by_one_from_change_to_change(exchange):
    async def listen():
        async with ears(exchange, PATH) as told:
            await told.say(**subscribe(TOPIC))
            return [(await told.hear_first(is_book))["data"]["u"] for _ in range(10)]

    numbers = asyncio.run(listen())
    assert numbers == list(range(numbers[0], numbers[0] + 10))


def test_a_book_kept_from_the_snapshot_and_the_changes_is_the_book_of_the_exchange(start_paper):
    exchange = start_paper("--dialect", "bybit", "--walk-interval-ms", "150")

    def asked():
        query = {"category": "spot", "symbol": "BTCUSDT", "limit": 50}
        return exchange.call("GET", "/v5/market/orderbook", **query).json()["result"]

    async def check():
        bids, asks, matches = {}, {}, 0
        async with ears(exchange, PATH) as told:
            await told.say(**subscribe(TOPIC))
            for _ in range(15):
                data = (await told.hear_first(is_book))["data"]
                bids, asks = applied(bids, data["b"]), applied(asks, data["a"])
                book = await asyncio.to_thread(asked)
                if book["seq"] == data["seq"]:
                    assert (bids, asks) == (dict(book["b"]), dict(book["a"]))
                    matches += 1
        return matches

    assert asyncio.run(check()) > 2


def test_no_more_levels_are_sent_than_the_topic_has(exchange):
    found = heard_after(exchange, subscribe("orderbook.1.BTCUSDT"), until=is_book)
    assert len(found[-1]["data"]["b"]) == len(found[-1]["data"]["a"]) == 1


def test_what_is_unsubscribed_is_silent_and_starts_over_when_subscribed_again(exchange):
    async def listen():
        async with ears(exchange, PATH) as told:
            await told.say(**subscribe(TOPIC))
            await told.hear_first(is_book)
            await told.say(op="unsubscribe", args=[TOPIC])
            await told.hear_first(lambda message: message.get("op") == "unsubscribe")
            is_silent = await told.hears_nothing(0.2)
            await told.say(**subscribe(TOPIC))
            return is_silent, await told.hear_first(is_book)

    is_silent, again = asyncio.run(listen())
    assert is_silent
    assert again["type"] == "snapshot"


def test_a_ping_is_answered_with_a_pong(exchange):
    [answer] = heard_after(exchange, {"op": "ping", "req_id": "3"}, until=lambda _: True)
    assert (answer["ret_msg"], answer["op"], answer["req_id"]) == ("pong", "ping", "3")


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        ({"op": "dance"}, "invalid op"),
        ({"op": "subscribe", "args": TOPIC}, "args"),
        (subscribe("orderbook.7.BTCUSDT"), "handler not found,topic:orderbook.7.BTCUSDT"),
        (subscribe("orderbook.50.NOTHING"), "handler not found"),
        (subscribe(TOPIC, TOPIC), "already subscribed"),
        (subscribe(*[f"orderbook.50.S{n}" for n in range(11)]), "args size"),
    ],
)
def test_nonsense_is_refused_and_subscribes_nothing(exchange, request_, complaint):
    async def listen():
        async with ears(exchange, PATH) as told:
            await told.say(**request_)
            return await told.hear(), await told.hears_nothing(0.2)

    refusal, is_silent = asyncio.run(listen())
    assert refusal["success"] is False
    assert complaint in refusal["ret_msg"]
    assert is_silent


def test_a_gap_shows_in_the_update_ids_and_never_drops_a_snapshot(exchange):
    exchange.fault(kind="stream_gap", route="WS depth", count=1)
    found = heard_after(exchange, subscribe(TOPIC), until=lambda m: m.get("type") == "delta")
    snapshot, change = found[-2:]
    assert snapshot["type"] == "snapshot"
    assert change["data"]["u"] == snapshot["data"]["u"] + 2
