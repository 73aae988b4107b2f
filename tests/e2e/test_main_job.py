"""Signals through the command line, real workers and a real exchange over HTTP."""

import random
from decimal import Decimal
from typing import Any

from execution.model.order import OrderState
from tests.e2e.conftest import Oneorder
from workers.sandbox.audit import compare
from workers.sandbox.local_stack import LocalStack

SIGNALS = 1_000
PRICES = {"BTC/USDT": Decimal(50_000), "ETH/USDT": Decimal(3_000)}


def _signal(number: int, dice: random.Random) -> dict[str, Any]:
    symbol = dice.choice(sorted(PRICES))
    side = dice.choice(("buy", "sell"))
    unit = Decimal("0.0001") if symbol == "BTC/USDT" else Decimal("0.001")
    fields: dict[str, Any] = {
        "signal_id": f"bulk-{number}",
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


def test_a_thousand_signals_sent_twice_are_a_thousand_orders(
    stack: LocalStack, oneorder: Oneorder
) -> None:
    dice = random.Random(5)
    signals = [_signal(number, dice) for number in range(SIGNALS)]
    twice = [signal for signal in signals for _ in range(2)]

    answers = oneorder.submit(*twice)
    assert len(answers) == 2 * SIGNALS
    assert all("error" not in answer for answer in answers)
    assert len({answer["order_id"] for answer in answers}) == SIGNALS
    stack.wait_for("every order to settle", lambda: _settled(stack, SIGNALS), patience_s=90)
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
    assert len(ledger["orders"]) == SIGNALS
    assert {row["clientOrderId"] for row in ledger["orders"]} == {
        answer["order_id"] for answer in answers
    }
    assert len(ledger["trades"]) >= SIGNALS // 2
