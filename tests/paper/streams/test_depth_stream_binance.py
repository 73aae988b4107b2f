"""Binance's depth streams: what is told, how it fits the REST book, and who is cut off."""

import asyncio
import socket
from itertools import pairwise

import aiohttp
import pytest

from tests.support.paper.paper_client import Paper
from tests.support.paper.stream_client import applied, ears

STREAM = "btcusdt@depth@100ms"


@pytest.fixture(scope="module")
def walking():
    """An exchange whose prices move a few times between two looks of a stream."""
    paper = Paper("--walk-interval-ms", "20", "--weight-per-minute", "0")
    yield paper
    errors = paper.stop()
    assert "Traceback" not in errors, errors


@pytest.fixture
def exchange(walking):
    walking.clear_faults()
    yield walking
    walking.clear_faults()


def depth(paper):
    return paper.call("GET", "/api/v3/depth", symbol="BTCUSDT", limit=5000).json()


def sides(book, bids="bids", asks="asks"):
    return dict(book[bids]), dict(book[asks])


async def followed(exchange, told):
    """A local book, kept as Binance says it should be kept, after some events."""
    book = await asyncio.to_thread(depth, exchange)
    bids, asks = sides(book)
    last, heard = book["lastUpdateId"], 0
    while heard < 5:
        event = await told.hear()
        if event["u"] <= last:
            continue
        if heard:
            assert event["U"] == last + 1
        assert event["U"] <= last + 1 <= event["u"]
        bids, asks = applied(bids, event["b"]), applied(asks, event["a"])
        last, heard = event["u"], heard + 1
    return last, bids, asks


def test_a_book_kept_from_a_rest_snapshot_and_the_events_is_the_book_of_the_exchange(start_paper):
    exchange = start_paper("--walk-interval-ms", "150", "--weight-per-minute", "0")

    async def check():
        async with ears(exchange, f"/ws/{STREAM}") as told:
            for _ in range(20):
                last, bids, asks = await followed(exchange, told)
                book = await asyncio.to_thread(depth, exchange)
                if book["lastUpdateId"] == last:
                    return (bids, asks) == sides(book)
            raise AssertionError("the book never stood still between an event and the question")

    assert asyncio.run(check())


def test_an_event_has_the_fields_that_binance_documents(exchange):
    async def heard():
        async with ears(exchange, f"/ws/{STREAM}") as told:
            return await told.hear()

    event = asyncio.run(heard())
    assert list(event) == ["e", "E", "s", "U", "u", "b", "a"]
    assert (event["e"], event["s"]) == ("depthUpdate", "BTCUSDT")
    assert isinstance(event["E"], int)
    assert all(isinstance(text, str) for level in event["b"] + event["a"] for text in level)


def test_what_is_subscribed_is_heard_until_it_is_unsubscribed(exchange):
    async def heard():
        async with ears(exchange, "/ws") as told:
            await told.say(method="SUBSCRIBE", params=[STREAM], id=7)
            first = [await told.hear(), await told.hear()]
            await told.say(method="LIST_SUBSCRIPTIONS", id=8)
            listed = await told.hear_first(lambda message: "id" in message)
            await told.say(method="UNSUBSCRIBE", params=[STREAM], id=9)
            ended = await told.hear_first(lambda message: "id" in message)
            return *first, listed, ended, await told.hears_nothing(0.3)

    subscribed, event, listed, ended, is_silent = asyncio.run(heard())
    assert subscribed == {"result": None, "id": 7}
    assert event["s"] == "BTCUSDT"
    assert listed == {"result": [STREAM], "id": 8}
    assert ended == {"result": None, "id": 9}
    assert is_silent


def test_combined_streams_say_which_stream_each_event_is_of(exchange):
    async def heard():
        names = {f"{symbol}@depth@100ms" for symbol in ("btcusdt", "ethusdt")}
        missing, events = set(names), []
        async with ears(exchange, f"/stream?streams={'/'.join(names)}") as told:
            while missing:
                events.append(await told.hear())
                missing.discard(events[-1]["stream"])
        return events

    for event in asyncio.run(heard()):
        assert event["data"]["s"].lower() == event["stream"].partition("@")[0]


def test_the_usual_stream_tells_once_a_second(exchange):
    async def times():
        async with ears(exchange, "/ws/btcusdt@depth") as told:
            return [(await told.hear())["E"] for _ in range(2)]

    first, second = asyncio.run(times())
    assert second - first >= 900


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("{", 3),
        ("[1]", 2),
        ('{"method": "DANCE", "id": 1}', 2),
        ('{"method": "SUBSCRIBE", "params": "btcusdt@depth", "id": 1}', 2),
        ('{"method": "SUBSCRIBE", "params": [1], "id": 1}', 2),
    ],
)
def test_nonsense_is_refused_and_the_connection_lives_on(exchange, sent, code):
    async def heard():
        async with ears(exchange, "/ws") as told:
            await told.socket.send_str(sent)
            refusal = await told.hear()
            await told.say(method="LIST_SUBSCRIPTIONS", id=2)
            return refusal, await told.hear()

    refusal, after = asyncio.run(heard())
    assert refusal["error"]["code"] == code
    assert after == {"result": [], "id": 2}


def test_more_streams_than_a_connection_may_have_are_refused(exchange):
    async def heard():
        async with ears(exchange, "/ws") as told:
            await told.say(method="SUBSCRIBE", params=[f"s{n}@depth" for n in range(1025)], id=1)
            return await told.hear()

    assert "1024" in asyncio.run(heard())["error"]["msg"]


@pytest.mark.parametrize("name", ["nonsuch@depth@100ms", "btcusdt@trade", "btcusdt@depth5"])
def test_a_stream_that_is_not_served_is_refused_and_not_silent(exchange, name):
    async def refusals():
        async with ears(exchange, "/ws/1") as told:
            await told.say(method="SUBSCRIBE", params=[STREAM, name], id=1)
            refused = await told.hear()
            await told.say(method="LIST_SUBSCRIPTIONS", id=2)
            return refused, await told.hear()

    refused, listed = asyncio.run(refusals())
    assert name in refused["error"]["msg"]
    assert listed == {"result": [], "id": 2}


@pytest.mark.parametrize(
    "path", ["/ws/btcusdt@trade", "/stream?streams=btcusdt@depth/ethusdt@kline_1m"]
)
def test_an_address_with_a_stream_that_is_not_served_is_refused(exchange, path):
    async def refused():
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            async with ears(exchange, path):
                pass
        return refusal.value.status

    assert asyncio.run(refused()) == 400


def test_a_gap_drops_exactly_so_many_events(exchange):
    async def events():
        async with ears(exchange, f"/ws/{STREAM}") as told:
            before = await told.hear()
            exchange.fault(kind="stream_gap", route="WS depth", count=2)
            found = [before]
            while len(found) < 6:
                found.append(await told.hear())
            return found

    found = asyncio.run(events())
    breaks = [a["u"] + 1 != b["U"] for a, b in pairwise(found)]
    assert breaks.count(True) == 1
    assert exchange.faults()["faults"][0]["fired"] == 2


def test_drop_before_cuts_a_stream_instead_of_telling_an_event(exchange):
    async def listen():
        async with ears(exchange, f"/ws/{STREAM}") as told:
            await told.hear()
            exchange.fault(kind="drop_before", route="WS depth", count=1)
            while True:
                await told.hear()

    with pytest.raises(ConnectionError):
        asyncio.run(listen())
    assert exchange.faults()["injected"]["drop_before"] == 1


def test_a_fault_on_everything_leaves_streams_alone_but_not_their_handshake(exchange):
    async def heard():
        async with ears(exchange, f"/ws/{STREAM}") as told:
            exchange.fault(kind="status", code=503)
            event = await told.hear()
            with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
                async with ears(exchange, "/ws"):
                    pass
            return event

    assert asyncio.run(heard())["s"] == "BTCUSDT"


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ({"kind": "stream_gap"}, "route of a stream_gap fault"),
        ({"kind": "stream_gap", "route": "GET /api/v3/depth"}, "route of a stream_gap fault"),
        ({"kind": "garbage", "route": "WS depth"}, "kind must be one of drop_before, stream_gap"),
        ({"kind": "drop_before", "route": "WS trades"}, "route must be like"),
    ],
)
def test_a_fault_that_no_stream_can_have_is_refused(exchange, fault, complaint):
    answer = exchange.http.post(exchange.url + "/paper/faults", json=fault, timeout=10)
    assert answer.status_code == 400
    assert complaint in answer.json()["error"]


def insist(client, frame):
    for _ in range(5_000):
        client.sendall(frame * 100)


def test_a_client_that_never_reads_is_cut_off(start_paper):
    """It does not leave by itself; nothing but a bound on what waits for it ends it."""
    exchange = start_paper("--walk-interval-ms", "20")
    host, port = exchange.url.removeprefix("http://").split(":")
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((host, int(port)))
        client.settimeout(20)
        client.sendall(
            b"GET /ws HTTP/1.1\r\nHost: paper\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert b" 101 " in client.recv(1000)
        # Each of these makes the server tell something; nobody takes it.
        frame = b"\x81\x81\0\0\0\0{"
        with pytest.raises(ConnectionError):
            insist(client, frame)


def test_a_client_that_leaves_before_its_handshake_is_answered_is_no_error(start_paper):
    """Whether the server notices is a matter of moments, so that many leave at once."""
    exchange = start_paper("--walk-interval-ms", "20")
    host, port = exchange.url.removeprefix("http://").split(":")
    for _ in range(50):
        with socket.create_connection((host, int(port))) as client:
            client.sendall(
                b"GET /ws/btcusdt@depth HTTP/1.1\r\nHost: paper\r\nConnection: Upgrade\r\n"
                b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            client.shutdown(socket.SHUT_WR)
            while client.recv(1_000):
                pass
    assert exchange.call("GET", "/api/v3/ping").status_code == 200
