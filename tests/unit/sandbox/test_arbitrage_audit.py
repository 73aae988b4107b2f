"""The audit of arbitrages: what agrees with both ledgers passes, and whatever does not is named."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from execution.arbitrage.model import Arbitrage, ArbitrageState, Leg, LegRole, Result, result_of
from execution.model.order import Fee, Fill, Order, OrderState, OrderType, Side
from execution.orders.factory import new_order
from oneorder.identifiers import arbitrage_id_of
from workers.sandbox.arbitrage_audit import arbitrage_checks, compare_arbitrages, traded

NOW = datetime(2026, 1, 2, tzinfo=UTC)
CHEAP, DEAR = "binance-main", "bybit-main"
Ledgers = dict[str, dict[str, list[dict[str, Any]]]]


def filled(name: str, account: str, side: Side, price: str, amount: str, fee: Fee) -> Order:
    """An order that has filled at once, at one price."""
    order = new_order(
        signal_id=name, account=account, symbol="BTC/USDT", side=side, type=OrderType.LIMIT,
        amount=Decimal(amount), price=Decimal(price), now=NOW,
    )  # fmt: skip
    fill = Fill(f"t-{name}", side, Decimal(price), Decimal(amount), (fee,), NOW)
    return replace(
        order, state=OrderState.FILLED, exchange_order_id=f"x-{name}", filled=fill.amount,
        fills=(fill,),
    )  # fmt: skip


def arbitrage_of(*orders: Order) -> Arbitrage:
    """A closed arbitrage whose legs are these orders, with the result that is theirs."""
    legs = tuple(Leg(LegRole(order.side.value), order.account, order.order_id) for order in orders)
    return Arbitrage(
        arbitrage_id=arbitrage_id_of("one"),
        signal_id="one",
        symbol="BTC/USDT",
        buy_account=CHEAP,
        sell_account=DEAR,
        amount=Decimal(1),
        min_profit_bps=Decimal(1),
        max_loss_bps=Decimal(50),
        created_at=NOW,
        updated_at=NOW,
        state=ArbitrageState.CLOSED,
        expected_profit=Decimal(1),
        legs=legs,
        result=result_of("BTC/USDT", legs, {order.order_id: order for order in orders}),
    )


def ledgers_of(*orders: Order) -> Ledgers:
    """What the exchanges say of exactly these orders, each on its own account."""
    ledgers: Ledgers = {account: {"orders": [], "trades": []} for account in (CHEAP, DEAR)}
    for order in orders:
        ledger = ledgers[order.account]
        ledger["orders"].append(
            {"clientOrderId": order.client_order_id, "status": "FILLED",
             "executedQty": str(order.filled)}
        )  # fmt: skip
        for fill in order.fills:
            [fee] = fill.fees
            ledger["trades"].append(
                {"clientOrderId": order.client_order_id, "symbol": "BTCUSDT",
                 "price": str(fill.price), "qty": str(fill.amount),
                 "isBuyer": fill.side is Side.BUY, "commission": str(fee.amount),
                 "commissionAsset": fee.asset}
            )  # fmt: skip
    return ledgers


BOUGHT = filled("one:buy", CHEAP, Side.BUY, "100", "1", Fee("BTC", Decimal("0.001")))
SOLD = filled("one:sell", DEAR, Side.SELL, "110", "1", Fee("USDT", Decimal("0.11")))
BOTH = (BOUGHT, SOLD)


def differing(arbitrage: Arbitrage, orders: tuple[Order, ...], ledgers: Ledgers) -> set[str]:
    checks = compare_arbitrages([arbitrage], orders, ledgers)
    return {check.what for check in checks if not check.agrees}


def test_records_that_both_ledgers_bear_out_agree_in_everything() -> None:
    checks = compare_arbitrages([arbitrage_of(*BOTH)], BOTH, ledgers_of(*BOTH))
    assert {check.what for check in checks if not check.agrees} == set()
    assert {"bought", "sold", "net profit", "has ended", "net base of all accounts"} <= {
        check.what for check in checks
    }


def test_the_profit_is_cash_less_fees_with_a_fee_in_base_at_its_price() -> None:
    ledgers = ledgers_of(*BOTH)
    there = traded("BTC/USDT", [*ledgers[CHEAP]["trades"], *ledgers[DEAR]["trades"]])
    assert there.net_profit == Decimal("110") - Decimal("100") - Decimal("0.1") - Decimal("0.11")
    assert there.rest == 0


@pytest.mark.parametrize("amounts", [("1", "0.4"), ("0.4", "1")])
def test_what_is_left_over_counts_at_the_price_at_which_it_came(amounts: tuple[str, str]) -> None:
    buy = replace(BOUGHT, fills=(replace(BOUGHT.fills[0], amount=Decimal(amounts[0])),))
    sell = replace(SOLD, fills=(replace(SOLD.fills[0], amount=Decimal(amounts[1])),))
    ledgers = ledgers_of(buy, sell)
    there = traded("BTC/USDT", [*ledgers[CHEAP]["trades"], *ledgers[DEAR]["trades"]])
    assert there.net_profit == Decimal("0.4") * 10 - Decimal("0.1") - Decimal("0.11")
    assert there.price == (100 if there.rest > 0 else 110)


@pytest.mark.parametrize(
    ("result", "named"),
    [
        ({"bought": Decimal("0.9")}, {"bought", "net base of all accounts"}),
        ({"sold": Decimal("1.1")}, {"sold", "net base of all accounts"}),
        ({"net_profit": Decimal(10)}, {"net profit"}),
        ({"fees": {}}, {"net base of all accounts"}),
    ],
)
def test_a_record_that_says_otherwise_than_the_ledgers_is_named(
    result: dict[str, Any], named: set[str]
) -> None:
    right = arbitrage_of(*BOTH)
    wrong = replace(right, result=replace(right.result, **result))
    assert differing(wrong, BOTH, ledgers_of(*BOTH)) == named


def test_a_leg_that_stands_twice_is_named_even_if_the_second_one_did_nothing() -> None:
    ledgers = ledgers_of(*BOTH)
    ledgers[DEAR]["orders"] *= 2
    assert differing(arbitrage_of(*BOTH), BOTH, ledgers) == {"orders at the exchange"}


def test_a_leg_that_stands_at_the_wrong_exchange_too_is_named() -> None:
    ledgers = ledgers_of(*BOTH)
    ledgers[CHEAP]["orders"] += ledgers[DEAR]["orders"]
    assert "orders at another exchange" in differing(arbitrage_of(*BOTH), BOTH, ledgers)


def test_a_trade_at_the_wrong_exchange_is_not_counted_as_its_legs() -> None:
    ledgers = ledgers_of(*BOTH)
    ledgers[CHEAP]["trades"].append(ledgers[DEAR]["trades"].pop())
    assert {"sold", "net profit"} <= differing(arbitrage_of(*BOTH), BOTH, ledgers)


def test_what_is_left_of_several_arbitrages_adds_up() -> None:
    other = filled("two:buy", CHEAP, Side.BUY, "100", "2", Fee("BTC", Decimal("0.002")))
    lefts = [
        replace(arbitrage_of(order), arbitrage_id=name, state=ArbitrageState.IMBALANCED)
        for name, order in (("one", BOUGHT), ("two", other))
    ]
    checks = compare_arbitrages(lefts, (BOUGHT, other), ledgers_of(BOUGHT, other))
    assert [check for check in checks if not check.agrees] == []
    [net] = [check for check in checks if check.what == "net base of all accounts"]
    assert net.theirs == "2.997"


def test_an_order_that_is_no_leg_of_any_arbitrage_is_named() -> None:
    stray = filled("stray", DEAR, Side.SELL, "110", "1", Fee("USDT", Decimal("0.11")))
    named = differing(arbitrage_of(*BOTH), (*BOTH, stray), ledgers_of(*BOTH, stray))
    assert named == {"legs that are this order", "net base of all accounts"}


def test_an_order_at_an_exchange_that_no_record_knows_is_named() -> None:
    stray = filled("stray", DEAR, Side.SELL, "110", "1", Fee("USDT", Decimal("0.11")))
    named = differing(arbitrage_of(*BOTH), BOTH, ledgers_of(*BOTH, stray))
    assert named == {"known to us", "net base of all accounts"}


def test_a_leg_without_an_order_is_named() -> None:
    assert "legs that are this order" in differing(arbitrage_of(*BOTH), (SOLD,), ledgers_of(*BOTH))


def test_an_arbitrage_that_has_not_ended_is_named() -> None:
    waiting = replace(arbitrage_of(*BOTH), state=ArbitrageState.BALANCING)
    assert differing(waiting, BOTH, ledgers_of(*BOTH)) == {"has ended"}


def test_one_that_was_sent_though_it_was_to_lose_is_named() -> None:
    losing = replace(arbitrage_of(*BOTH), expected_profit=Decimal(-1))
    assert differing(losing, BOTH, ledgers_of(*BOTH)) == {"expected profit above zero"}


def test_one_that_is_closed_with_more_than_dust_left_is_named_and_an_imbalanced_one_is_not() -> (
    None
):
    alone = arbitrage_of(BOUGHT)
    assert differing(alone, (BOUGHT,), ledgers_of(BOUGHT)) == {"nothing but dust is left"}
    imbalanced = replace(alone, state=ArbitrageState.IMBALANCED)
    assert differing(imbalanced, (BOUGHT,), ledgers_of(BOUGHT)) == set()


def test_one_that_sent_nothing_has_nothing_to_show() -> None:
    refused = replace(
        arbitrage_of(), state=ArbitrageState.REFUSED, expected_profit=None, result=Result()
    )
    checks = arbitrage_checks(refused, ledgers_of())
    assert [check for check in checks if not check.agrees] == []
