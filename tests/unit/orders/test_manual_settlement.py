"""An order in quarantine is decided by what a person found at the exchange."""

from dataclasses import replace

import pytest

from execution.model.errors import NotInQuarantine, UnknownOrder
from execution.model.order import Order, OrderState
from execution.orders.store import Change, Committed
from tests.support.fakes import FlakyStore, Rig


def quarantined(rig: Rig) -> Order:
    """An order that really stands at the exchange, and that nobody could find out about."""
    order = rig.manager.submit(rig.order())
    hidden = replace(
        order, state=OrderState.QUARANTINED, exchange_order_id=None, version=order.version + 1
    )
    assert rig.store.commit(Change(order, hidden, None)) is Committed.DONE
    return hidden


def test_an_order_that_is_not_there_is_refused() -> None:
    rig = Rig()
    settled = rig.manager.settle(quarantined(rig).order_id, None)
    assert settled.state is OrderState.REFUSED
    assert settled.reason == "settled by hand: it is not at the exchange"


def test_an_order_that_is_there_takes_its_state_from_there() -> None:
    rig = Rig()
    order = quarantined(rig)
    (standing,) = rig.exchange.standing
    settled = rig.manager.settle(order.order_id, standing.exchange_order_id)
    assert settled.state is OrderState.OPEN
    assert settled.exchange_order_id == standing.exchange_order_id


def test_an_id_that_the_exchange_does_not_know_changes_nothing() -> None:
    rig = Rig()
    order = quarantined(rig)
    with pytest.raises(ValueError, match=r"^exchange_order_id: '404' is not at the exchange"):
        rig.manager.settle(order.order_id, "404")
    assert rig.stored(order) == order


def test_an_order_that_is_not_in_quarantine_decides_itself() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    with pytest.raises(NotInQuarantine, match="is open, not quarantined"):
        rig.manager.settle(order.order_id, None)


def test_an_order_that_is_not_known_cannot_be_settled() -> None:
    with pytest.raises(UnknownOrder):
        Rig().manager.settle("oonothing", None)


def test_an_order_that_changes_during_its_settlement_is_left_unchanged_with_a_sentence() -> None:
    rig = Rig()
    order = quarantined(rig)

    class Faster(FlakyStore):
        """Another worker finds the order before each commit of ours."""

        def commit(self, change: Change) -> Committed:
            found = replace(order, state=OrderState.OPEN, version=order.version + 1)
            super().commit(Change(order, found, None))
            return super().commit(change)

    store = Faster(rig.clock)
    store.tables = rig.store.tables
    rig.store = store
    with pytest.raises(NotInQuarantine, match=r"changed just now, .*; check it and try again"):
        rig.worker().settle(order.order_id, None)
    assert rig.stored(order).state is OrderState.OPEN
