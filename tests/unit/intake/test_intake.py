"""How messages and intents come in: each becomes an order, or is kept with the reason why not."""

import json
from typing import Any

import pytest

from execution.model.order import OrderState
from execution.orders.store import Intent, RefusedIntent
from oneorder.identifiers import order_id_of
from tests.support.fakes import Rig
from tests.support.intake_kit import IntakeKit
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


def intake(rig: Rig) -> Intake:
    return IntakeKit(rig).intake


def added(rig: Rig, task: str, body: object) -> Intent:
    """An intent, as a producer writes it."""
    rig.store.add_intent(task, body if isinstance(body, str) else json.dumps(body))
    return rig.store.take_intents(100, 0)[-1]


def waiting(rig: Rig) -> int:
    return len(rig.store.take_intents(100, 0))


def refused(rig: Rig) -> list[RefusedIntent]:
    return rig.store.refused_intents(100)


@pytest.mark.parametrize("body", [BODY, json.dumps(BODY)], ids=["mapping", "text"])
def test_a_message_becomes_an_order_and_settles_its_intent(body: object) -> None:
    rig = Rig()
    entry_id = added(rig, "orders.execute", BODY).entry_id
    order = intake(rig).execute(body, entry_id)
    assert order is not None
    assert (order.order_id, order.state) == (ORDER_ID, OrderState.OPEN)
    assert order.entry_id == entry_id
    assert waiting(rig) == 0


def test_an_intent_that_no_worker_took_becomes_a_record_for_the_sweep_to_move_on() -> None:
    rig = Rig()
    intake(rig).drain(added(rig, "orders.execute", BODY))
    order = rig.stored(rig.order())
    assert order.state is OrderState.RECEIVED
    assert waiting(rig) == 0
    rig.sweep(for_ms=1_000)
    assert rig.stored(order).state is OrderState.OPEN


def test_a_message_and_its_intent_are_one_order_in_either_order() -> None:
    rig = Rig()
    intent = added(rig, "orders.execute", BODY)
    intake(rig).drain(intent)
    intake(rig).execute(BODY, intent.entry_id)
    intake(rig).drain(intent)
    assert rig.accepted == 1
    assert waiting(rig) == 0
    assert refused(rig) == []


def test_a_message_that_is_malformed_is_kept_with_the_reason() -> None:
    rig = Rig()
    entry_id = added(rig, "orders.execute", {**BODY, "amount": 1}).entry_id
    assert intake(rig).execute({**BODY, "amount": 1}, entry_id) is None
    kept = refused(rig)[0]
    assert kept.task == "orders.execute"
    assert json.loads(kept.body) == {**BODY, "amount": 1}
    assert kept.reason == 'amount: 1 must be a decimal string such as "0.25"'
    assert kept.time == rig.clock.now()
    assert waiting(rig) == 0
    assert rig.placements == 0


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
    rig = Rig()
    intake(rig).drain(added(rig, task, body))
    assert refused(rig)[0].reason.startswith(reason)
    assert waiting(rig) == 0


@pytest.mark.parametrize("how", ["execute", "drain"])
def test_a_reused_signal_id_is_refused_and_the_first_order_stays(how: str) -> None:
    rig = Rig()
    first = intake(rig).execute(BODY, None)
    intent = added(rig, "orders.execute", {**BODY, "amount": "2"})
    if how == "execute":
        assert intake(rig).execute({**BODY, "amount": "2"}, intent.entry_id) is None
    else:
        intake(rig).drain(intent)
    assert refused(rig)[0].reason.startswith("signal_id: 'signal-1' was used before")
    assert rig.stored(rig.order()) == first
    assert waiting(rig) == 0


def test_a_cancel_is_carried_out_and_its_intent_settled() -> None:
    rig = Rig()
    intake(rig).execute(BODY, None)
    entry_id = added(rig, "orders.cancel", {"order_id": ORDER_ID}).entry_id
    order = intake(rig).cancel({"order_id": ORDER_ID}, entry_id)
    assert order is not None
    assert order.state is OrderState.CANCELED
    assert waiting(rig) == 0


def test_a_cancel_that_no_worker_took_is_written_on_the_record() -> None:
    rig = Rig()
    intake(rig).execute(BODY, None)
    intake(rig).drain(added(rig, "orders.cancel", {"order_id": ORDER_ID}))
    assert waiting(rig) == 0
    rig.sweep(for_ms=2_000)
    assert rig.stored(rig.order()).state is OrderState.CANCELED


def test_a_malformed_cancel_is_kept_with_the_reason() -> None:
    rig = Rig()
    assert intake(rig).cancel({"id": "x"}, None) is None
    assert refused(rig)[0].task == "orders.cancel"


def look_again(rig: Rig) -> None:
    """What the sweep does with what waits."""
    for each in rig.waiting.take(rig.clock.now_ms(), 100, 2_000):
        intake(rig).look_again(each)


@pytest.mark.parametrize("how", ["message", "bare message", "intent"])
def test_a_cancel_of_an_order_that_is_not_known_yet_waits_aside_and_is_tried_again(
    how: str,
) -> None:
    rig = Rig()
    body = {"order_id": ORDER_ID}
    if how == "bare message":
        assert intake(rig).cancel(body, None) is None
    else:
        intent = added(rig, "orders.cancel", body)
        if how == "message":
            assert intake(rig).cancel(body, intent.entry_id) is None
        else:
            intake(rig).drain(intent)
    assert waiting(rig) == 0
    assert [each.reason for each in rig.waiting.waiting()] == [
        f"order_id: {ORDER_ID!r} is not known yet"
    ]
    assert refused(rig) == []
    intake(rig).execute(BODY, None)
    rig.clock.advance(1_000)
    look_again(rig)
    assert rig.waiting.count() == 0
    assert rig.stored(rig.order()).cancel_requested


def test_a_cancel_of_an_order_that_never_comes_is_refused_in_the_end() -> None:
    rig = Rig()
    intake(rig).drain(added(rig, "orders.cancel", {"order_id": "oo-nothing"}))
    rig.clock.advance(CANCEL_PATIENCE_S * 1_000)
    look_again(rig)
    assert rig.waiting.count() == 1
    rig.clock.advance(2_000)
    look_again(rig)
    assert rig.waiting.count() == 0
    assert refused(rig)[0].reason == "order_id: 'oo-nothing' is not known"


def test_what_came_in_is_kept_even_if_it_is_no_json_at_all() -> None:
    rig = Rig()
    intake(rig).refuse("orders.execute", [1, {"a": object}], "message: odd", None)
    assert json.loads(refused(rig)[0].body) == [1, {"a": repr(object)}]


def test_a_refusal_that_quotes_half_a_character_can_be_stored() -> None:
    # json.loads makes lone surrogates of such escapes; no store can take them as UTF-8.
    rig = Rig()
    twice = '{"\\ud800": 1, "\\ud800": 2}'
    intake(rig).drain(added(rig, "orders.execute", twice))
    assert refused(rig)[0].reason.encode().endswith(b"is there twice")
    assert waiting(rig) == 0


def test_a_message_that_names_no_real_entry_does_not_stop_the_order_after_a_restart() -> None:
    rig = Rig()
    rig.store.roll_back(rig.store.copied())
    order = intake(rig).execute(json.dumps(BODY), "nonsense")
    rig.sweep()
    assert order is not None
    assert rig.stored(order).state is OrderState.OPEN
