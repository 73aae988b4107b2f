"""Signals through the command line, real workers and a real exchange over HTTP."""

import random
from decimal import Decimal
from typing import Any

import pytest

from execution.model.order import OrderState
from tests.support.command_line import Oneorder
from workers.sandbox.audit import compare
from workers.sandbox.local_stack import LocalStack

# A few hundred in every run, a thousand in system-test.
COUNTS = [250, pytest.param(1_000, marks=pytest.mark.system)]
PRICES = {"BTC/USDT": Decimal(50_000), "ETH/USDT": Decimal(3_000)}


def _signal(signal_id: str, dice: random.Random) -> dict[str, Any]:
    symbol = dice.choice(sorted(PRICES))
    side = dice.choice(("buy", "sell"))
    unit = Decimal("0.0001") if symbol == "BTC/USDT" else Decimal("0.001")
    fields: dict[str, Any] = {
        "signal_id": signal_id,
        "account": "binance-main",
        "symbol": symbol,
        "side": side,
        "type": "market",
        "amount": str(unit * dice.randint(5, 50)),
    }
    if dice.random() < 0.5:
        away = Decimal(dice.choice(("0.98", "1.02")))
        fields |= {"type": "limit", "price": str((PRICES[symbol] * away).quantize(Decimal("0.01")))}
    return fields


def _settled(stack: LocalStack, expected: int) -> bool:
    orders = stack.store().orders()
    waiting = (OrderState.RECEIVED, OrderState.SUBMITTING)
    return len(orders) == expected and all(
        order.state not in waiting and not order.fills_missing for order in orders
    )


@pytest.mark.parametrize("count", COUNTS)
def test_many_signals_sent_twice_are_one_order_each(
    stack: LocalStack, oneorder: Oneorder, count: int
) -> None:
    before = {row["clientOrderId"] for row in stack.ledger()["orders"]}
    dice = random.Random(5)
    signals = [_signal(f"bulk-{count}-{number}", dice) for number in range(count)]
    twice = [signal for signal in signals for _ in range(2)]

    answers = oneorder.submit(*twice)
    assert len(answers) == 2 * count
    assert all("error" not in answer for answer in answers)
    assert len({answer["order_id"] for answer in answers}) == count
    stack.wait_for(
        "every order to settle", lambda: _settled(stack, len(before) + count), patience_s=90
    )
    # Resting orders must not fill between the two looks that the comparison takes.
    for symbol in ("BTCUSDT", "ETHUSDT"):
        stack.paper("POST", "/paper/book", {"symbol": symbol, "bids": [], "asks": []})

    def agrees() -> bool:
        checks = compare(
            stack.store().orders(), stack.stores().positions.positions(), stack.ledger()
        )
        return all(check.agrees for check in checks)

    stack.wait_for("fills of resting orders to be reconciled", agrees)
    ledger = stack.ledger()
    assert len(ledger["orders"]) == len(before) + count
    assert {row["clientOrderId"] for row in ledger["orders"]} == before | {
        answer["order_id"] for answer in answers
    }
    assert len(ledger["trades"]) >= count // 2
