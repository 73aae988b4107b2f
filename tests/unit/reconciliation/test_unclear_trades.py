"""Trades and orders that reconciliation cannot place at once stop neither it nor later trades."""

from contextlib import suppress
from decimal import Decimal

import pytest

from execution.ledger.memory import MemoryLedger
from execution.model.errors import ExchangeUnavailable, LedgerUnavailable
from execution.model.order import Attempt, OrderState
from execution.orders.store import Halt
from execution.reconciliation.run import DriftPolicy
from tests.support.exchange import SYMBOL, Crash, dies_after_it_arrived
from tests.support.fakes import ACCOUNT
from tests.support.lost_stores import (
    HOUR_MS,
    amount,
    somebody_trades,
    whole_rig,
    with_ledger,
)


def test_an_order_that_is_being_placed_is_not_adopted_as_an_external_one() -> None:
    """On Kraken an order's id there is not of our making to the eye. It is placed, and trades,
    after the run has read which orders are under way."""
    rig = whole_rig()
    rig.manager.submit(rig.order(signal_id="another"))
    ours = rig.order(exchange="kraken")

    def placed_meanwhile() -> None:
        rig.exchange.fill_next.append([("99", "1")])
        rig.exchange.script.append(dies_after_it_arrived)
        with pytest.raises(Crash):
            rig.manager.submit(ours)

    rig.exchange.on("fills_since", placed_meanwhile)
    rig.reconcile(DriftPolicy.ADOPT)
    rig.sweep(for_ms=20_000)
    rig.reconcile(DriftPolicy.ADOPT)
    assert rig.stored(ours).filled == 1
    assert amount(rig) == 1


def test_with_halt_an_external_trade_stops_the_account_though_the_run_did_not_end() -> None:
    """The cursor has moved past the trade when a later question fails; nobody sees it again."""
    rig = whole_rig()
    rig.manager.submit(rig.order())
    somebody_trades(rig)
    rig.exchange.fail("open_orders")
    with pytest.raises(ExchangeUnavailable):
        rig.reconcile(DriftPolicy.HALT)
    rig.reconcile(DriftPolicy.HALT)
    assert [halt.account for halt in rig.store.halts()] == [ACCOUNT]


def test_a_trade_whose_order_is_never_shown_does_not_hide_those_after_it() -> None:
    """The exchange has no such order, today or ever; our own late fill comes after it."""
    rig = whole_rig()
    order = rig.manager.submit(rig.order())
    rig.exchange.end(rig.exchange.standing[0], OrderState.CANCELED)
    rig.reconcile()
    resting = rig.manager.submit(rig.order(signal_id="signal-2"))
    somebody_trades(rig)
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    hidden = rig.exchange.standing[-1]
    fetch = rig.exchange.fetch

    def never_shown(symbol: str, exchange_id: str) -> object:
        return None if exchange_id == hidden.exchange_order_id else fetch(symbol, exchange_id)

    rig.exchange.fetch = never_shown
    for _ in range(20):
        rig.clock.advance(HOUR_MS)
        rig.reconcile()
    assert rig.stored(resting).state is OrderState.OPEN
    assert amount(rig) == Decimal("0.25")


def test_a_trade_of_an_order_that_left_and_that_the_ledger_lost_does_not_end_all_runs() -> None:
    rig = whole_rig()
    order = rig.manager.submit(rig.order())
    rig.exchange.end(rig.exchange.standing[0], OrderState.CANCELED)
    rig.reconcile()
    rig.archive.run()
    rig.clock.advance(HOUR_MS)
    rig.archive.run()
    with_ledger(rig, MemoryLedger())
    rig.manager.submit(rig.order(signal_id="signal-2"))
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    found = rig.reconcile()
    # What of it was counted before, nobody can say any more: a person must look.
    assert found.external_orders == [f"{SYMBOL} {order.exchange_order_id}"]
    assert rig.reconcile().external_orders == []
    assert amount(rig) == 0


def test_an_order_of_ours_that_ended_here_and_stands_there_is_not_passed_over() -> None:
    """The record says that it was refused; the exchange lists it as open."""
    rig = whole_rig()
    rig.manager.submit(rig.order(signal_id="another"))
    order = rig.order()
    rig.store.halt(Halt(None, "a person", rig.clock.now()))
    refused = rig.manager.submit(order)
    assert refused.state is OrderState.REFUSED
    now_ms = rig.clock.now_ms()
    rig.exchange.arrive(order, Attempt(1, now_ms, now_ms + 5_000, now_ms + 6_000))
    found = rig.reconcile()
    assert found.external_open_orders or found.external_orders or found.repaired


def test_an_external_trade_does_not_end_all_runs_while_the_ledger_is_away() -> None:
    """Whose it is can be asked later; our own fills after it cannot wait that long."""
    rig = whole_rig()
    ours = rig.manager.submit(rig.order())
    somebody_trades(rig)
    rig.exchange.trade(ours.client_order_id, "99", "0.25")
    rig.ledger.away = True
    with suppress(LedgerUnavailable):
        rig.reconcile()
    rig.sweep(for_ms=5_000)
    assert amount(rig) == Decimal("0.25")
