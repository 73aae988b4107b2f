"""How messages and intents come in: each becomes an order, or is kept with the reason why not."""

import json
from typing import Any

import pytest
from fakes import Desk
from intake_kit import IntakeKit

from execution.model.order import OrderState
from execution.orders.identifiers import order_id_of
from execution.orders.store import Intent, RefusedIntent
from workers.intake.intake import Intake
from workers.intake.waiting_rules import CANCEL_PATIENCE_S

BODY: dict[str, Any] = {
    "signal_id": "signal-1",
    "account": "binance-main",
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "limit",
    "amount": "1",
    "price": "100",
}
ORDER_ID = order_id_of("signal-1")


def intake(desk: Desk) -> Intake:
    return IntakeKit(desk).intake


def added(desk: Desk, task: str, body: object) -> Intent:
    """An intent, as a producer writes it."""
    desk.store.add_intent(task, body if isinstance(body, str) else json.dumps(body))
    return desk.store.take_intents(100, 0)[-1]


def waiting(desk: Desk) -> int:
    return len(desk.store.take_intents(100, 0))


def refused(desk: Desk) -> list[RefusedIntent]:
    return desk.store.refused_intents(100)


@pytest.mark.parametrize("body", [BODY, json.dumps(BODY)], ids=["mapping", "text"])
def test_a_message_becomes_an_order_and_settles_its_intent(body: object) -> None:
    desk = Desk()
    entry_id = added(desk, "orders.execute", BODY).entry_id
    order = intake(desk).execute(body, entry_id)
    assert order is not None
    assert (order.order_id, order.state) == (ORDER_ID, OrderState.OPEN)
    assert order.entry_id == entry_id
    assert waiting(desk) == 0


def test_an_intent_that_nobody_took_becomes_a_record_for_the_sweep_to_move_on() -> None:
    desk = Desk()
    intake(desk).drain(added(desk, "orders.execute", BODY))
    order = desk.stored(desk.order())
    assert order.state is OrderState.RECEIVED
    assert waiting(desk) == 0
    desk.sweep(for_ms=1_000)
    assert desk.stored(order).state is OrderState.OPEN


def test_a_message_and_its_intent_are_one_order_in_either_order() -> None:
    desk = Desk()
    intent = added(desk, "orders.execute", BODY)
    intake(desk).drain(intent)
    intake(desk).execute(BODY, intent.entry_id)
    intake(desk).drain(intent)
    assert desk.accepted == 1
    assert waiting(desk) == 0
    assert refused(desk) == []


def test_a_message_that_is_malformed_is_kept_with_the_reason() -> None:
    desk = Desk()
    entry_id = added(desk, "orders.execute", {**BODY, "amount": 1}).entry_id
    assert intake(desk).execute({**BODY, "amount": 1}, entry_id) is None
    kept = refused(desk)[0]
    assert kept.task == "orders.execute"
    assert json.loads(kept.body) == {**BODY, "amount": 1}
    assert kept.reason == 'amount: 1 must be a decimal string such as "0.25"'
    assert kept.time == desk.clock.now()
    assert waiting(desk) == 0
    assert desk.placements == 0


@pytest.mark.parametrize(
    ("task", "body", "reason"),
    [
        ("orders.execute", "{", "body: '{' is not JSON"),
        ("orders.execute", {}, "signal_id: is required"),
        ("no.such.task", {}, "task: 'no.such.task' is not one of"),
        ("", {}, "task: '' is not one of"),
        ("orders.cancel", {}, "order_id: is required"),
    ],
)
def test_an_intent_that_cannot_be_carried_out_is_kept_with_the_reason(
    task: str, body: object, reason: str
) -> None:
    desk = Desk()
    intake(desk).drain(added(desk, task, body))
    assert refused(desk)[0].reason.startswith(reason)
    assert waiting(desk) == 0


@pytest.mark.parametrize("how", ["execute", "drain"])
def test_a_reused_signal_id_is_refused_and_the_first_order_stays(how: str) -> None:
    desk = Desk()
    first = intake(desk).execute(BODY, None)
    intent = added(desk, "orders.execute", {**BODY, "amount": "2"})
    if how == "execute":
        assert intake(desk).execute({**BODY, "amount": "2"}, intent.entry_id) is None
    else:
        intake(desk).drain(intent)
    assert refused(desk)[0].reason.startswith("signal_id: 'signal-1' was used before")
    assert desk.stored(desk.order()) == first
    assert waiting(desk) == 0


def test_a_cancel_is_carried_out_and_its_intent_settled() -> None:
    desk = Desk()
    intake(desk).execute(BODY, None)
    entry_id = added(desk, "orders.cancel", {"order_id": ORDER_ID}).entry_id
    order = intake(desk).cancel({"order_id": ORDER_ID}, entry_id)
    assert order is not None
    assert order.state is OrderState.CANCELED
    assert waiting(desk) == 0


def test_a_cancel_that_nobody_took_is_written_on_the_record() -> None:
    desk = Desk()
    intake(desk).execute(BODY, None)
    intake(desk).drain(added(desk, "orders.cancel", {"order_id": ORDER_ID}))
    assert waiting(desk) == 0
    desk.sweep(for_ms=2_000)
    assert desk.stored(desk.order()).state is OrderState.CANCELED


def test_a_malformed_cancel_is_kept_with_the_reason() -> None:
    desk = Desk()
    assert intake(desk).cancel({"id": "x"}, None) is None
    assert refused(desk)[0].task == "orders.cancel"


def look_again(desk: Desk) -> None:
    """What the sweep does with what waits."""
    for each in desk.waiting.take(desk.clock.now_ms(), 100, 2_000):
        intake(desk).look_again(each)


@pytest.mark.parametrize("how", ["message", "bare message", "intent"])
def test_a_cancel_of_an_order_that_is_not_known_yet_waits_aside_and_is_tried_again(
    how: str,
) -> None:
    desk = Desk()
    body = {"order_id": ORDER_ID}
    if how == "bare message":
        assert intake(desk).cancel(body, None) is None
    else:
        intent = added(desk, "orders.cancel", body)
        if how == "message":
            assert intake(desk).cancel(body, intent.entry_id) is None
        else:
            intake(desk).drain(intent)
    assert waiting(desk) == 0
    assert [each.reason for each in desk.waiting.waiting()] == [
        f"order_id: {ORDER_ID!r} is not known yet"
    ]
    assert refused(desk) == []
    intake(desk).execute(BODY, None)
    desk.clock.advance(1_000)
    look_again(desk)
    assert desk.waiting.count() == 0
    assert desk.stored(desk.order()).cancel_requested


def test_a_cancel_of_an_order_that_never_comes_is_refused_in_the_end() -> None:
    desk = Desk()
    intake(desk).drain(added(desk, "orders.cancel", {"order_id": "oo-nothing"}))
    desk.clock.advance(CANCEL_PATIENCE_S * 1_000)
    look_again(desk)
    assert desk.waiting.count() == 1
    desk.clock.advance(2_000)
    look_again(desk)
    assert desk.waiting.count() == 0
    assert refused(desk)[0].reason == "order_id: 'oo-nothing' is not known"


def test_what_came_in_is_kept_even_if_it_is_no_json_at_all() -> None:
    desk = Desk()
    intake(desk).refuse("orders.execute", [1, {"a": object}], "message: odd", None)
    assert json.loads(refused(desk)[0].body) == [1, {"a": repr(object)}]


def test_a_refusal_that_quotes_half_a_character_can_be_stored() -> None:
    # json.loads makes lone surrogates of such escapes; no store can take them as UTF-8.
    desk = Desk()
    twice = '{"\\ud800": 1, "\\ud800": 2}'
    intake(desk).drain(added(desk, "orders.execute", twice))
    assert refused(desk)[0].reason.encode().endswith(b"is there twice")
    assert waiting(desk) == 0


def test_a_message_that_names_no_real_entry_does_not_stop_the_order_after_a_restart() -> None:
    desk = Desk()
    desk.store.roll_back(desk.store.copied())
    order = intake(desk).execute(json.dumps(BODY), "nonsense")
    desk.sweep()
    assert order is not None
    assert desk.stored(order).state is OrderState.OPEN
