"""Raw messages: what is sound goes on to Celery with nothing else in it, the rest is refused."""

import base64
import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from workers.messaging.envelopes import MalformedMessage, read_message
from workers.sandbox.chaos.disorders.raw_messages import (
    ODD_EMBEDS,
    RawMessage,
    raw_messages,
    sound_message,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GOOD = sound_message("orders.execute", [{"signal_id": "a"}], "by-hand", entry_id="1-0")


def read(message: object, queue: str = "orders") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read_message(json.dumps(message).encode(), queue, NOW))
    return found


def body_of(message: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(message["body"]))


def with_body(body: object, task: str = "orders.execute", **headers: Any) -> dict[str, Any]:
    message = sound_message(task, [], "by-hand")
    message["headers"].update(headers)
    message["body"] = base64.b64encode(json.dumps(body).encode()).decode()
    return message


def test_a_sound_message_keeps_its_task_id_and_arguments() -> None:
    found = read(GOOD)

    assert found["headers"]["task"] == "orders.execute"
    assert found["headers"]["id"] == "by-hand"
    assert body_of(found) == [[{"signal_id": "a"}], {"entry_id": "1-0"}, {}]


def test_a_message_goes_back_to_where_it_was_taken_from_under_a_tag_of_its_own() -> None:
    one, other = read(GOOD, "arbitrage"), read(GOOD, "arbitrage")

    assert one["properties"]["delivery_info"] == {"exchange": "", "routing_key": "arbitrage"}
    assert one["properties"]["delivery_tag"] != other["properties"]["delivery_tag"]


def test_what_was_read_once_is_read_again_as_the_same() -> None:
    first = read({**GOOD, "headers": {**GOOD["headers"], "eta": "2026-01-02T03:04:09"}})
    again = read(first)

    first["properties"].pop("delivery_tag")
    again["properties"].pop("delivery_tag")
    assert again == first


def test_what_celery_would_act_on_besides_is_left_out() -> None:
    found = read(
        {
            **GOOD,
            "headers": {
                **GOOD["headers"], "timelimit": [1, 1], "shadow": {}, "group": [], "stamps": 5,
                "callbacks": [1], "chain": ["x"], "stamped_headers": 5, "ignore_result": "?",
            },
        }
    )  # fmt: skip

    assert set(found["headers"]) == {
        "task", "id", "retries", "lang", "origin", "argsrepr", "kwargsrepr", "root_id", "parent_id",
        "eta", "expires",
    }  # fmt: skip


@pytest.mark.parametrize("embed", [one for one in ODD_EMBEDS if one != []], ids=str)
def test_callbacks_chains_and_groups_are_refused(embed: object) -> None:
    with pytest.raises(MalformedMessage, match=r"^body: "):
        read(with_body([[{"signal_id": "a"}], {}, embed]))


@pytest.mark.parametrize("depth", [40, 900, 5_000, 100_000])
def test_what_is_nested_too_deep_is_refused(depth: int) -> None:
    message = {**GOOD, "body": "[" * depth + "]" * depth}
    message["properties"] = {**GOOD["properties"], "body_encoding": "utf-8"}

    with pytest.raises(MalformedMessage, match="body: is nested more than 32 deep"):
        read(message)


@pytest.mark.parametrize(
    ("task", "args", "kwargs"),
    [
        ("orders.advance", [], {}),
        ("orders.advance", [5], {}),
        ("orders.advance", ["a", "b"], {}),
        ("orders.advance", ["a"], {"x": 1}),
        ("arbitrage.advance", [{}], {}),
        ("orders.sweep", [1], {}),
        ("positions.mark", [], {"x": 1}),
        ("ledger.archive", [None], {}),
        ("clocks.measure", ["x"], {}),
        ("positions.reconcile", ["binance-main"], {}),
        ("positions.reconcile", [{"account": 5}], {}),
        ("positions.reconcile", [{"acount": "a"}], {}),
        ("positions.reconcile", [None, None], {}),
    ],
)
def test_upkeep_with_wrong_arguments_is_refused(
    task: str, args: list[object], kwargs: dict[str, object]
) -> None:
    with pytest.raises(MalformedMessage, match=f"^message: {task} takes "):
        read(with_body([args, kwargs, None], task))


@pytest.mark.parametrize(
    ("task", "args"),
    [
        ("orders.advance", ["an-id"]),
        ("orders.sweep", []),
        ("positions.reconcile", []),
        ("positions.reconcile", [None]),
        ("positions.reconcile", [{"account": "binance-main"}]),
    ],
)
def test_upkeep_as_beat_and_the_sweep_send_it_is_sound(task: str, args: list[object]) -> None:
    assert body_of(read(with_body([args, {}, None], task)))[0] == args


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("id", None),
        ("id", []),
        ("id", ""),
        ("id", "x" * 256),
        ("task", []),
        ("task", "celery.map"),
        ("retries", -1),
        ("retries", "1"),
        ("retries", True),
        ("retries", 10**30),
        ("eta", 5),
        ("eta", "soon"),
        ("eta", "9999-12-31T23:59:59-12:00"),
        ("eta", (NOW + timedelta(seconds=31)).isoformat()),
        ("expires", {}),
        ("expires", "0001-01-01T00:00:00+14:00"),
        ("compression", "application/x-gzip"),
    ],
)
def test_a_header_that_celery_would_fail_on_is_refused_by_name(header: str, value: object) -> None:
    message = {**GOOD, "headers": {**GOOD["headers"], header: value}}

    with pytest.raises(MalformedMessage, match=rf"^(headers\.)?{header}: "):
        read(message)


def test_a_message_of_the_first_protocol_is_taken() -> None:
    body = {"task": "orders.execute", "id": "old", "args": [{"signal_id": "a"}], "kwargs": {}}

    found = read({**with_body(body), "headers": {}})

    assert found["headers"]["id"] == "old"
    assert body_of(found) == [[{"signal_id": "a"}], {}, {}]


def test_a_decimal_that_celery_has_written_stays_one() -> None:
    args = [{"amount": {"__type__": "decimal", "__value__": "0.01"}}]

    assert body_of(read(with_body([args, {}, None])))[0] == args


def test_half_a_character_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="body: has half a character"):
        read(with_body([["\ud800"], {}, None]))


def test_thousands_of_odd_messages_are_each_refused_with_a_sentence_or_made_sound() -> None:
    verdicts = [verdict_on(message) for message in islice(raw_messages(1), 3_000)]

    assert all(reason is None or reason.partition(": ")[2] for reason in verdicts)
    assert verdicts.count(None) > 300, "few get through, so few show what Celery does with them"


def verdict_on(message: RawMessage) -> str | None:
    """Why it is refused; None for a message that is made sound, and then stays so."""
    try:
        read_message(read_message(message.raw, message.queue, NOW), message.queue, NOW)
    except MalformedMessage as fault:
        return str(fault)
    return None


def test_the_same_seed_draws_the_same_messages() -> None:
    assert list(islice(raw_messages(7), 200)) == list(islice(raw_messages(7), 200))
