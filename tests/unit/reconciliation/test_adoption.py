"""Records of orders that stand at the exchange and that the store does not know."""

from dataclasses import replace
from decimal import Decimal

import pytest

from execution.model.errors import NotAdoptable
from execution.model.events import Reported
from execution.model.order import (
    EXTERNAL,
    Order,
    OrderReport,
    OrderState,
    OrderType,
    Side,
    Terms,
    TimeInForce,
)
from execution.model.transitions import transition
from execution.reconciliation.adoption import adopted_order, external_order
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, Rig, fill

RIG = Rig()
OURS = RIG.order()
NOW = RIG.clock.now()
LIMIT = Terms(Side.BUY, OrderType.LIMIT, Decimal(1), Decimal(100), TimeInForce.GTC)
MARKET = Terms(Side.SELL, OrderType.MARKET, Decimal(2), None, None)


def report(
    client_order_id: str | None = OURS.client_order_id, terms: Terms | None = LIMIT
) -> OrderReport:
    return OrderReport("7001", client_order_id, SYMBOL, OrderState.OPEN, terms=terms)


def test_an_order_of_ours_is_known_by_its_id_again() -> None:
    order = adopted_order(ACCOUNT, report(), NOW)
    assert (order.order_id, order.client_order_id) == (OURS.order_id, OURS.client_order_id)
    assert (order.account, order.symbol, order.signal_id) == (ACCOUNT, SYMBOL, "")
    assert (order.created_at, order.updated_at) == (NOW, NOW)
    assert order.strategy is None


def test_the_signal_of_an_adopted_order_finds_that_it_asks_the_same() -> None:
    assert adopted_order(ACCOUNT, report(), NOW).asks_the_same_as(OURS)
    other = replace(OURS, amount=Decimal(2))
    assert not adopted_order(ACCOUNT, report(), NOW).asks_the_same_as(other)


@pytest.mark.parametrize(
    "client_order_id", [None, "", "by-hand", "oo", OURS.order_id + "x", "x" + OURS.order_id[1:]]
)
def test_an_order_without_an_id_of_ours_is_not_adopted_as_ours(client_order_id: str | None) -> None:
    with pytest.raises(NotAdoptable, match=r"^order 7001 does not carry an id of ours$"):
        adopted_order(ACCOUNT, report(client_order_id), NOW)


@pytest.mark.parametrize("adopt", [adopted_order, external_order])
def test_an_order_whose_terms_are_unknown_cannot_be_adopted(adopt: type) -> None:
    with pytest.raises(NotAdoptable, match=r"^order 7001 in BTC/USDT is of an unsupported kind"):
        adopt(ACCOUNT, report(terms=None), NOW)


@pytest.mark.parametrize("terms", [LIMIT, MARKET])
def test_an_adopted_order_asks_for_what_the_exchange_has(terms: Terms) -> None:
    for order in (
        adopted_order(ACCOUNT, report(terms=terms), NOW),
        external_order(ACCOUNT, report("by-hand", terms), NOW),
    ):
        asked = Terms(order.side, order.type, order.amount, order.price, order.time_in_force)
        assert asked == terms


def test_an_adopted_order_is_not_stored_and_has_nothing_yet() -> None:
    for order in (
        adopted_order(ACCOUNT, report(), NOW),
        external_order(ACCOUNT, report("by-hand"), NOW),
    ):
        assert (order.version, order.attempts, order.fills, order.filled) == (0, (), (), 0)
        assert order.exchange_order_id is None


def test_what_the_exchange_says_makes_an_adopted_order_what_it_is() -> None:
    told = replace(report(), filled=Decimal("0.5"), fills=(fill("1", "buy", "0.5", "99"),))
    order = transition(adopted_order(ACCOUNT, told, NOW), Reported(told))
    assert (order.state, order.filled, order.version) == (OrderState.OPEN, Decimal("0.5"), 1)
    assert (order.exchange_order_id, order.fills_missing) == ("7001", False)


def external(account: str = ACCOUNT, **changes: object) -> Order:
    return external_order(account, replace(report("by-hand"), **changes), NOW)


def test_an_external_order_is_kept_under_a_strategy_of_its_own() -> None:
    order = external()
    assert order.strategy == EXTERNAL
    assert order.client_order_id == "by-hand"
    assert order.signal_id == f"external:{ACCOUNT}:{SYMBOL}:7001"


def test_an_external_order_without_a_client_id_is_one_all_the_same() -> None:
    order = external_order(ACCOUNT, report(None), NOW)
    assert order.client_order_id == order.order_id


def test_an_external_order_is_the_same_each_time_and_no_other() -> None:
    assert external().order_id == external().order_id
    others = [
        external("another"),
        external(symbol="ETH/USDT"),
        external(exchange_order_id="7002"),
    ]
    assert len({order.order_id for order in [external(), *others]}) == 4
