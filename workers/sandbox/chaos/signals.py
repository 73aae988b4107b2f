"""The signals of a run: single orders, and arbitrages in separate symbols."""

import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from oneorder import ArbitrageSignal, OrderSignal
from oneorder.identifiers import arbitrage_id_of, order_id_of
from workers.sandbox.chaos.books import BTC, ETH
from workers.sandbox.chaos.spreads import DIRECTIONS, SYMBOLS

Signal = OrderSignal | ArbitrageSignal

ACCOUNT = "binance-main"
SECOND = "second-main"
# The share of orders for the exchange that is a black hole half of the time.
SECOND_SHARE = 0.25
ORDER_SYMBOLS = (BTC, ETH)
AWAY = tuple(Decimal(share) for share in ("0.02", "0.001", "-0.001", "-0.05"))
# In lots.
AMOUNTS = tuple(Decimal(lots) for lots in ("0.5", "1", "1.5", "2"))
# The share of arbitrages in the direction that is mostly profitable.
USUAL_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Plan:
    """The numbers of signals of a run, and the duration of its disturbances."""

    orders: int
    arbitrages: int
    seed: int
    minutes: float

    @property
    def publish_s(self) -> float:
        """How long signals are published: slightly shorter than the disturbances."""
        return self.minutes * 54

    def order_ids(self) -> dict[str, str]:
        """The order id of each order signal, by signal id."""
        signal_ids = (f"chaos-{number}" for number in range(self.orders))
        return {signal_id: order_id_of(signal_id) for signal_id in signal_ids}

    def arbitrage_ids(self) -> dict[str, str]:
        """The arbitrage id of each arbitrage signal, by signal id."""
        signal_ids = (f"chaos-arbitrage-{number}" for number in range(self.arbitrages))
        return {signal_id: arbitrage_id_of(signal_id) for signal_id in signal_ids}

    def signals(self) -> list[Signal]:
        """All signals in the order of publication, both kinds evenly spread."""
        dice = random.Random(self.seed)  # noqa: S311  # Nothing here needs to be unpredictable.
        drawn: list[tuple[float, Signal]] = []
        for number, signal_id in enumerate(self.order_ids()):
            drawn.append((number / self.orders, draw_order(signal_id, dice)))
        for number, signal_id in enumerate(self.arbitrage_ids()):
            drawn.append((number / self.arbitrages, draw_arbitrage(signal_id, dice)))
        return [signal for _, signal in sorted(drawn, key=lambda pair: pair[0])]


def draw_order(signal_id: str, dice: random.Random) -> OrderSignal:
    """A market order, or a limit order that fills, rests or expires immediately."""
    listed = dice.choice(ORDER_SYMBOLS)
    side = dice.choice(("buy", "sell"))
    fields: dict[str, Any] = {
        "signal_id": signal_id,
        "account": SECOND if dice.random() < SECOND_SHARE else ACCOUNT,
        "symbol": listed.symbol,
        "side": side,
        "type": "market",
        "amount": listed.lot * dice.randint(5, 50) / 100,
    }
    if dice.random() < 0.6:
        away = dice.choice(AWAY)
        price = listed.price * (1 + away if side == "buy" else 1 - away)
        fields |= {"type": "limit", "price": price.quantize(listed.tick)}
        fields["time_in_force"] = dice.choice(("GTC", "GTC", "IOC"))
    return OrderSignal.model_validate(fields)


def draw_arbitrage(signal_id: str, dice: random.Random) -> ArbitrageSignal:
    """An arbitrage, most probably in the direction that is mostly profitable."""
    listed = dice.choice(SYMBOLS)
    is_usual = dice.random() < USUAL_SHARE
    buy, sell = (ACCOUNT, SECOND) if (DIRECTIONS[listed] > 0) is is_usual else (SECOND, ACCOUNT)
    return ArbitrageSignal(
        signal_id=signal_id,
        buy_account=buy,
        sell_account=sell,
        symbol=listed.symbol,
        amount=listed.lot * dice.choice(AMOUNTS),
    )
