"""What an exchange says of an order and cannot be right: named, never taken silently, and never so
that a trade that happened is lost."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from execution.exchanges.port import AccountFill, Outcome
from execution.model.events import Reported
from execution.model.order import (
    Attempt,
    Fill,
    Order,
    OrderReport,
    OrderState,
    OrderType,
    Side,
    Terms,
    Verdict,
)
from execution.reconciliation.adoption import external_order
from tests.support.exchange import SYMBOL, FakeExchange, Placing, arrives, is_lost, loses_its_answer
from tests.support.fakes import ACCOUNT, Rig, fill

ASKED = Terms(Side.BUY, OrderType.LIMIT, Decimal(1), Decimal(100), None)
# What the exchange has instead of a limit buy of 1 BTC at 100, and how that is named.
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "side": ({"side": Side.SELL}, "it is a sell, asked for was a buy"),
    "type": ({"type": OrderType.MARKET}, "it is a market order, asked for was a limit order"),
    "amount": ({"amount": Decimal("1.5")}, "its amount is 1.5, asked for was 1"),
    "price": ({"price": Decimal("100.1")}, "its price is 100.1, asked for was 100"),
}
EACH_WRONG = pytest.mark.parametrize("field", WRONG)


class Distorting(FakeExchange):
    """Says of every order what `distort` makes of the truth."""

    terms: Terms | None = None
    symbol: str | None = None
    filled: Decimal | None = None

    def report_of(self, standing: Any, *as_of: Any, **how: Any) -> OrderReport:
        report = super().report_of(standing, *as_of, **how)
        return replace(
            report,
            terms=self.terms or report.terms,
            symbol=self.symbol or report.symbol,
            filled=report.filled if self.filled is None else self.filled,
        )


class DistortedDesk(Rig):
    """A set-up whose exchange distorts."""

    exchange: Distorting

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.exchange = Distorting(self.clock, **options)
        self.manager = self.worker()


def reported(status: str = "open", filled: str | None = None, fills: Iterable[Fill] = ()) -> Any:
    """A report of the set-up's order that is right but for what is given."""
    amount = None if filled is None else Decimal(filled)
    report = OrderReport("7000", None, SYMBOL, OrderState(status), amount, terms=ASKED)
    return Reported(replace(report, fills=tuple(fills)))


def open_order(rig: Rig) -> Order:
    order = rig.manager.submit(rig.order())
    assert (order.state, order.exchange_order_id) == (OrderState.OPEN, "7000")
    return order


# Another order than the one that was asked for.


@EACH_WRONG
@pytest.mark.parametrize("becomes", [arrives, loses_its_answer], ids=["placed", "found"])
def test_an_order_that_is_not_the_requested_one_needs_manual_intervention(
    field: str, becomes: Placing
) -> None:
    rig = DistortedDesk()
    change, words = WRONG[field]
    rig.exchange.terms = replace(ASKED, **change)
    rig.exchange.script.append(becomes)
    order = rig.manager.submit(rig.order())
    assert (order.state, order.reason) == (OrderState.QUARANTINED, f"exchange fault: {words}")
    rig.sweep()
    assert rig.stored(order).state is OrderState.QUARANTINED
    assert rig.placements == 1


@EACH_WRONG
def test_an_answer_that_is_wrong_alone_is_put_right_by_a_lookup(field: str) -> None:
    rig = DistortedDesk()

    def answers_wrongly(exchange: FakeExchange, order: Order, attempt: Attempt) -> Outcome:
        outcome = exchange.arrive(order, attempt)
        assert outcome.report is not None
        wrong = replace(outcome.report, terms=replace(ASKED, **WRONG[field][0]))
        return Outcome(Verdict.ACCEPTED, wrong)

    rig.exchange.script.append(answers_wrongly)
    order = rig.manager.submit(rig.order())
    assert (order.state, order.reason) == (OrderState.OPEN, None)
    assert rig.placements == 1


def test_several_differences_are_all_named() -> None:
    rig = DistortedDesk()
    rig.exchange.terms = replace(ASKED, side=Side.SELL, amount=Decimal(2), price=Decimal(3))
    order = rig.manager.submit(rig.order())
    assert order.reason == (
        "exchange fault: it is a sell, asked for was a buy; its amount is 2, asked for was 1; "
        "its price is 3, asked for was 100"
    )


def test_an_order_in_another_market_moves_nothing_in_this_one() -> None:
    rig = DistortedDesk()
    rig.exchange.symbol = "ETH/USDT"
    rig.exchange.fill_next.append([("100", "1")])
    order = rig.manager.submit(rig.order())
    assert order.state is OrderState.QUARANTINED
    assert order.reason == "exchange fault: it is in ETH/USDT, asked for was BTC/USDT"
    assert (order.filled, order.exchange_order_id) == (0, None)
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 0


def test_trades_of_a_wrong_order_move_the_position_as_they_happened() -> None:
    rig = DistortedDesk()
    rig.exchange.terms = replace(ASKED, side=Side.SELL)
    order = rig.manager.submit(rig.order())
    sold = fill("9", "sell", "0.4", "100")
    rig.exchange.standing[0].fills.append(sold)
    rig.reconcile()
    rig.reconcile()
    after = rig.stored(order)
    assert (after.state, after.filled) == (OrderState.QUARANTINED, Decimal("0.4"))
    assert "it has trades that are no buy" in (after.reason or "")
    assert rig.store.position(ACCOUNT, SYMBOL).amount == Decimal("-0.4")


def test_an_operator_may_accept_a_wrong_order() -> None:
    rig = DistortedDesk()
    rig.exchange.terms = replace(ASKED, amount=Decimal("0.9"))
    order = rig.manager.submit(rig.order())
    settled = rig.manager.settle(order.order_id, "7000")
    assert settled.state is OrderState.OPEN
    assert (settled.reason or "").startswith("exchange fault: ")


def test_an_operator_may_reject_a_wrong_order() -> None:
    rig = DistortedDesk()
    rig.exchange.terms = replace(ASKED, side=Side.SELL)
    order = rig.manager.submit(rig.order())
    assert rig.manager.settle(order.order_id, None).state is OrderState.REFUSED


@pytest.mark.parametrize(
    "terms",
    [
        None,
        replace(ASKED, price=None),
        replace(ASKED, price=Decimal(0)),
        replace(ASKED, price=Decimal("100.000")),
    ],
)
def test_what_an_answer_leaves_out_is_no_difference(terms: Terms | None) -> None:
    rig = Rig()
    order = rig.order()
    report = OrderReport("7000", None, SYMBOL, OrderState.OPEN, terms=terms)
    order = rig.journal.record(open_order(rig), Reported(report))
    assert (order.state, order.reason) == (OrderState.OPEN, None)


def test_a_market_order_may_have_been_cut_to_the_balance() -> None:
    rig = DistortedDesk()
    rig.exchange.terms = Terms(Side.BUY, OrderType.MARKET, Decimal("0.5"), None, None)
    order = rig.manager.submit(rig.order(type=OrderType.MARKET, price=None))
    assert (order.state, order.reason) == (OrderState.OPEN, None)


def test_an_order_made_elsewhere_may_be_amended_by_its_owner() -> None:
    rig = Rig()
    report = OrderReport("555", "web-1", SYMBOL, OrderState.OPEN, Decimal(0), terms=ASKED)
    order = rig.journal.record(external_order(ACCOUNT, report, rig.clock.now()), Reported(report))
    amended = replace(report, terms=replace(ASKED, amount=Decimal(3)), filled=Decimal(2))
    after = rig.journal.record(order, Reported(amended))
    assert (after.reason, after.filled) == (None, Decimal(2))


# More filled than there was.


def test_a_filled_amount_beyond_the_order_is_not_believed_and_is_named() -> None:
    rig = Rig()
    after = rig.journal.record(open_order(rig), reported("filled", "1.2"))
    assert (after.state, after.filled) == (OrderState.FILLED, Decimal(1))
    assert after.reason == "exchange fault: filled 1.2 is more than the amount 1"
    # Its trades decide what it comes to, and the fault stays on the record.
    rig.exchange.trade(after.client_order_id, "100", "1")
    rig.sweep(for_ms=5_000)
    settled = rig.stored(after)
    assert (settled.filled, settled.fills_missing) == (Decimal(1), False)
    assert settled.reason == after.reason
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 1


def test_a_placement_that_is_answered_with_too_much_is_named_too() -> None:
    rig = DistortedDesk()
    rig.exchange.filled = Decimal("1.2")
    order = rig.manager.submit(rig.order())
    # It is said to stand, and so it must stay one that can be canceled.
    assert (order.state, order.filled) == (OrderState.OPEN, Decimal(0))
    assert order.reason == "exchange fault: filled 1.2 is more than the amount 1"


def test_trades_beyond_the_order_are_all_counted_because_they_happened() -> None:
    rig = Rig()
    order = open_order(rig)
    trades = [fill("1", "buy", "0.7", "100"), fill("2", "buy", "0.5", "100")]
    after = rig.journal.record(order, reported("filled", "1", trades))
    assert (after.state, after.filled) == (OrderState.FILLED, Decimal("1.2"))
    assert after.reason == (
        "exchange fault: its trades add up to 1.2, which is more than the amount 1"
    )
    assert rig.store.position(ACCOUNT, SYMBOL).amount == Decimal("1.2")


def test_reconciliation_reports_trades_beyond_the_order_and_counts_them() -> None:
    rig = Rig()
    order = open_order(rig)
    rig.reconcile()
    rig.exchange.standing[0].fills += [
        fill("201", "buy", "0.7", "100"), fill("202", "buy", "0.5", "100"),
    ]  # fmt: skip
    rig.reconcile()
    after = rig.stored(order)
    assert (after.state, after.filled) == (OrderState.FILLED, Decimal("1.2"))
    assert (after.reason or "").startswith("exchange fault: its trades add up to 1.2")
    assert rig.store.position(ACCOUNT, SYMBOL).amount == Decimal("1.2")


# Nonsense.


@pytest.mark.parametrize(
    ("amount", "price"), [("0", "100"), ("-1", "100"), ("1", "0"), ("1", "-100")]
)
def test_a_trade_of_nothing_or_less_is_named_and_not_counted(amount: str, price: str) -> None:
    rig = Rig()
    order = open_order(rig)
    real, nonsense = fill("1", "buy", "0.5", "100"), fill("2", "buy", amount, price)
    after = rig.journal.record(order, reported("open", "0.5", [real, nonsense]))
    assert (after.state, after.filled, after.fills[0].trade_id) == (
        OrderState.OPEN, Decimal("0.5"), "1",
    )  # fmt: skip
    assert len(after.fills) == 1
    assert after.reason == f"exchange fault: trade 2 is of {amount} at {price}, and not counted"
    assert rig.store.position(ACCOUNT, SYMBOL).amount == Decimal("0.5")


def test_a_negative_filled_amount_is_named_and_not_believed() -> None:
    rig = Rig()
    after = rig.journal.record(open_order(rig), reported("open", "-1"))
    assert (after.state, after.filled) == (OrderState.OPEN, Decimal(0))
    assert after.reason == "exchange fault: its filled amount is -1"


def test_a_fault_that_is_reported_again_is_written_once() -> None:
    rig = Rig()
    after = rig.journal.record(open_order(rig), reported("filled", "1.2"))
    assert rig.journal.record(after, reported("filled", "1.2")) is after


def test_an_order_of_ours_that_is_reported_in_another_market_is_not_taken_there() -> None:
    rig = Rig()
    order = open_order(rig)
    rig.exchange.markets["ETH/USDT"] = replace(rig.exchange.markets[SYMBOL], symbol="ETH/USDT")
    rig.manager.submit(rig.order(signal_id="eth", symbol="ETH/USDT"))

    class Confused(FakeExchange):
        def fills_since(self, symbol: str, cursor: str | None, since_ms: int) -> list[AccountFill]:
            if symbol != "ETH/USDT":
                return []
            return [AccountFill("8888", fill("1", "buy", "1", "100"))]

        def fetch(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
            told = OrderReport("8888", order.client_order_id, symbol, OrderState.FILLED, Decimal(1))
            return told if exchange_order_id == "8888" else None

    confused = Confused(rig.clock)
    confused.standing = rig.exchange.standing
    confused.markets = rig.exchange.markets
    rig.exchange = confused
    rig.worker()
    found = rig.reconcile()
    assert "ETH/USDT 8888" in found.external_orders
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 0
    assert rig.stored(order).filled == 0


def test_what_is_lost_is_no_fault() -> None:
    rig = Rig()
    rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order())
    assert (order.reason or "").startswith("outcome unknown since ")
