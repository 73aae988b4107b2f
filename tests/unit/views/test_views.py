"""The JSON that scripts rely on: its fields, plain decimal strings, times that end in Z."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from execution.model.order import Order
from execution.model.position import Position, fold
from execution.positions.valuation import Mark
from execution.reconciliation.run import Reconciliation
from tests.support.exchange import SYMBOL, is_lost
from tests.support.fakes import ACCOUNT, Rig, fill
from workers.views.plain_values import plain_value
from workers.views.trading import (
    order_view,
    position_view,
    position_views,
    whole_order_view,
)

ORDER_FIELDS = {
    "order_id", "signal_id", "account", "symbol", "side", "type", "time_in_force", "amount",
    "price", "state", "reason", "client_order_id", "exchange_order_id", "filled", "average",
    "fees", "attempts", "fills", "published_at", "created_at",
    "updated_at",
}  # fmt: skip
ATTEMPT_FIELDS = {"number", "stamp_ms", "valid_until_ms", "verdict"}
FILL_FIELDS = {"trade_id", "price", "amount", "fee", "fee_asset", "time"}
POSITION_FIELDS = {
    "account", "symbol", "amount", "entry_price", "mark_price", "mark_age_s", "realised_pnl",
    "unrealised_pnl", "fees", "updated_at",
}  # fmt: skip
PLAIN = re.compile(r"-?\d+(\.\d*[1-9])?")
ISO_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def a_filled_order() -> Order:
    rig = Rig(taker_fee=Decimal("0.001"))
    rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order(amount=Decimal("1.50"), price=Decimal("1E+2")))
    rig.exchange.fill_next.append([("99.50", "0.500"), ("100.00", "1.000")])
    rig.sweep()
    return rig.stored(order)


def test_an_order_has_the_fields_that_scripts_rely_on() -> None:
    view = whole_order_view(a_filled_order())
    assert set(view) >= ORDER_FIELDS
    assert all(set(attempt) >= ATTEMPT_FIELDS for attempt in view["attempts"])
    assert all(set(one) >= FILL_FIELDS for one in view["fills"])
    assert len(view["attempts"]) == len(view["fills"]) == 2


def test_a_listed_order_is_the_same_without_attempts_and_fills() -> None:
    order = a_filled_order()
    whole = whole_order_view(order)
    assert order_view(order) == {k: v for k, v in whole.items() if k not in ("attempts", "fills")}


def test_an_orders_values_are_the_words_and_numbers_of_the_interface() -> None:
    view = whole_order_view(a_filled_order())
    expected = {
        "account": ACCOUNT,
        "symbol": SYMBOL,
        "side": "buy",
        "type": "limit",
        "time_in_force": "GTC",
        "state": "filled",
        "reason": None,
        "amount": "1.5",
        "price": "100",
        "filled": "1.5",
        "fees": {"USDT": "0.14975"},
    }
    assert {name: view[name] for name in expected} == expected
    assert [attempt["verdict"] for attempt in view["attempts"]] == ["not_sent", "accepted"]
    assert view["fills"][0]["price"] == "99.5"
    assert view["fills"][0]["fee"] == "0.04975"
    assert view["fills"][0]["fee_asset"] == "USDT"
    assert isinstance(view["attempts"][0]["stamp_ms"], int)


def test_a_fresh_order_has_nothing_where_nothing_is_known() -> None:
    view = whole_order_view(Rig().order(price=None, time_in_force=None))
    for name in ("price", "reason", "exchange_order_id", "average"):
        assert view[name] is None
    assert (view["fees"], view["attempts"], view["fills"]) == ({}, [], [])
    assert view["filled"] == "0"


def test_an_order_says_when_its_signal_was_published_and_when_it_was_recorded() -> None:
    rig = Rig()
    order = rig.order(entry_id=f"{rig.clock.now_ms() - 1_500}-0")
    view = order_view(order)
    assert view["published_at"] == "2027-01-15T07:59:58.500000Z"
    assert view["created_at"] == "2027-01-15T08:00:00Z"
    assert order_view(replace(order, published_at=None)) == view
    assert order_view(replace(order, published_at=None, signal_id=""))["published_at"] is None


def test_a_fill_without_a_fee_says_so() -> None:
    order = replace(Rig().order(), fills=(fill("1", "buy", "1", "100"),))
    view = whole_order_view(order)["fills"][0]
    assert (view["fee"], view["fee_asset"]) == (None, None)


def test_a_position_has_the_fields_that_scripts_rely_on() -> None:
    position = fold(
        Position(ACCOUNT, SYMBOL), [fill("1", "sell", "0.30", "100.10", [("BNB", "0.0010")])]
    )
    view = position_view(position, Mark(Decimal("99.10"), 1_000), now_ms=3_500)
    assert set(view) >= POSITION_FIELDS
    expected = {
        "amount": "-0.3",
        "entry_price": "100.1",
        "mark_price": "99.1",
        "mark_age_s": "2.5",
        "realised_pnl": "0",
        "unrealised_pnl": "0.3",
        "fees": {"BNB": "0.001"},
    }
    assert {name: view[name] for name in expected} == expected


def test_a_position_without_a_mark_has_no_value() -> None:
    view = position_view(Position(ACCOUNT, SYMBOL), None, now_ms=0)
    for name in ("mark_price", "mark_age_s", "unrealised_pnl", "entry_price", "updated_at"):
        assert view[name] is None


def test_a_mark_from_a_clock_ahead_of_ours_is_not_older_than_now() -> None:
    view = position_view(Position(ACCOUNT, SYMBOL), Mark(Decimal(1), 9_000), now_ms=1_000)
    assert view["mark_age_s"] == "0"


def test_positions_are_each_seen_at_their_own_mark() -> None:
    rig = Rig()
    rig.exchange.fill_next.append([("99", "1")])
    rig.manager.submit(rig.order())
    rig.valuations.set_marks(ACCOUNT, {SYMBOL: Decimal(109)}, rig.clock.now_ms())
    views = position_views(rig.stores(), rig.store.positions(ACCOUNT), rig.clock.now_ms())
    assert [view["unrealised_pnl"] for view in views] == ["10"]
    assert position_views(rig.stores(), [], 0) == []


def test_a_reconciliation_is_plain_values() -> None:
    started = datetime(2030, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)
    view = plain_value(Reconciliation(ACCOUNT, started, symbols=[SYMBOL]))
    assert view["started_at"] == "2030-01-02T03:04:05.600000Z"
    assert json.loads(json.dumps(view)) == view


def test_every_number_is_a_plain_string_and_every_time_ends_in_z() -> None:
    order = a_filled_order()
    position = fold(Position(ACCOUNT, SYMBOL), order.fills)
    views = [whole_order_view(order), position_view(position, Mark(Decimal("1E+2"), 0), now_ms=1)]
    numbers = {"amount", "price", "filled", "average", "fee", "entry_price", "mark_price",
               "realised_pnl", "unrealised_pnl", "mark_age_s"}  # fmt: skip
    times = {"created_at", "updated_at", "expires_at", "time", "opened_at"}
    seen = list(_leaves(views))
    assert {name for name, _ in seen} >= numbers | {"created_at", "updated_at", "time"}
    for name, value in seen:
        if name in numbers and value is not None:
            assert PLAIN.fullmatch(value), (name, value)
        if name in times and value is not None:
            assert ISO_UTC.fullmatch(value), (name, value)
        assert not isinstance(value, float), name
    assert json.loads(json.dumps(views)) == views


def _leaves(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, name)
    else:
        yield name, value
