"""The demo's batch of signals, each with its expected end."""

import random
from dataclasses import dataclass
from decimal import Decimal
from itertools import cycle
from typing import Any

from execution.model.order import OrderState

# The paper exchange's prices start near these; limits are set this far from them.
_START = {"BTC/USDT": Decimal(50_000), "ETH/USDT": Decimal(3_000)}
_FAR = Decimal("0.1")
_NEAR = Decimal("0.02")


@dataclass(frozen=True, slots=True)
class DemoSignal:
    """A signal's fields, and the state in which its order must end; None if it is no order."""

    fields: dict[str, Any]
    ends_as: OrderState | None
    then_cancel: bool = False


def demo_signals(count: int, seed: int, account: str) -> list[DemoSignal]:
    """At least 30 signals: buys and sells, market and limit, one of them twice, one to cancel, one
    invalid and one below the minimum notional. The same seed gives the same batch."""
    dice = random.Random(seed)  # noqa: S311  # Nothing here needs to be unpredictable.
    kinds = cycle((_market, _market, _crossing, _resting, _immediate))
    signals = [kind(dice) for kind, _ in zip(kinds, range(count - 4), strict=False)]
    signals.append(DemoSignal(_resting(dice).fields, OrderState.CANCELED, then_cancel=True))
    signals.append(DemoSignal({**_market(dice).fields, "amount": "NaN"}, None))
    small = {**_resting(dice).fields, "amount": "0.0001", "symbol": "ETH/USDT", "price": "2900"}
    signals.append(DemoSignal(small, OrderState.REFUSED))
    named = [
        DemoSignal(
            {"signal_id": f"demo-{number:03}", "account": account, **s.fields},
            s.ends_as,
            s.then_cancel,
        )
        for number, s in enumerate(signals, start=1)
    ]
    return [*named, named[0]]


def _market(dice: random.Random) -> DemoSignal:
    symbol, side, amount = _draw(dice)
    fields = {"symbol": symbol, "side": side, "type": "market", "amount": amount}
    return DemoSignal(fields, OrderState.FILLED)


def _crossing(dice: random.Random) -> DemoSignal:
    return _limit(dice, towards=_NEAR, ends_as=OrderState.FILLED)


def _resting(dice: random.Random) -> DemoSignal:
    return _limit(dice, towards=-_FAR, ends_as=OrderState.OPEN)


def _immediate(dice: random.Random) -> DemoSignal:
    return _limit(dice, towards=-_FAR, ends_as=OrderState.EXPIRED, time_in_force="IOC")


def _limit(
    dice: random.Random, *, towards: Decimal, ends_as: OrderState, **further: str
) -> DemoSignal:
    """A limit order priced `towards` the other side by that fraction, or away from it if
    negative."""
    symbol, side, amount = _draw(dice)
    signed = towards if side == "buy" else -towards
    price = (_START[symbol] * (1 + signed)).quantize(Decimal("0.01"))
    fields = {
        "symbol": symbol,
        "side": side,
        "type": "limit",
        "amount": amount,
        "price": str(price),
        **further,
    }
    return DemoSignal(fields, ends_as)


def _draw(dice: random.Random) -> tuple[str, str, str]:
    symbol = dice.choice(sorted(_START))
    amount = Decimal(dice.randint(10, 200)) / (10_000 if symbol == "BTC/USDT" else 1_000)
    return symbol, dice.choice(("buy", "sell")), str(amount)
