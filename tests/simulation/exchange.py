"""The exchange of a history: what its steps do to it, and how orders trade there, in tenths."""

from decimal import Decimal

from execution.exchanges.guarantees import ExchangeGuarantees
from execution.model.order import Fill, OrderState, OrderType, Side
from tests.support.clock import FakeClock
from tests.support.exchange import FakeExchange, Request, Stage, Standing

from .steps import Happening, Mood, Setting, Way

PARTS = 10
FEE = Decimal("0.001")


class SteppedExchange(FakeExchange):
    def __init__(self, clock: FakeClock, setting: Setting, guarantees: ExchangeGuarantees) -> None:
        super().__init__(
            clock,
            offset_ms=setting.offset_ms,
            drift_ppm=setting.drift_ppm,
            uncertainty_ms=setting.uncertainty_ms,
            tells=setting.tells,
            taker_fee=FEE,
            guarantees=guarantees,
        )
        self._asked = {f"signal-{n}": asked for n, asked in enumerate(setting.signals)}
        self.mood = Mood()

    def set_mood(self, mood: Mood) -> None:
        self.mood = mood
        self.read_lag_ms, self.has_funds, self.clock_error = mood.lag_ms, mood.funds, mood.error

    def move(self, request: Request, way: Way) -> None:
        """Let a request that its worker gave up go on."""
        if way is Way.DROPPED and request.stage is Stage.NETWORK:
            self.under_way.remove(request)
        elif way is Way.ARRIVES and request.stage is Stage.NETWORK:
            self.let_in(request)
        elif way is Way.MATCHED:
            self.deliver(request)

    def happen(self, standing: Standing, what: Happening) -> None:
        """Let something happen to an order, if it is still open."""
        if not standing.is_open:
            return
        if what is Happening.EXPIRES:
            self.end(standing, OrderState.EXPIRED)
            return
        left = int((standing.order.amount - standing.filled) * PARTS / standing.order.amount)
        self._trade_parts(standing, min(left, 3) if what is Happening.TRADES else left)

    def trade_at_once(self, standing: Standing) -> None:
        order = standing.order
        parts = PARTS if order.type is OrderType.MARKET else self._asked[order.signal_id].at_once
        for part in (parts // 2, parts - parts // 2):
            self._trade_parts(standing, part)

    def _trade_parts(self, standing: Standing, parts: int) -> None:
        """Let so many tenths of the order trade, each trade at a price of its own."""
        if parts:
            price = Decimal(100) + Decimal(sum(len(s.fills) for s in self.standing) % 7)
            self.fill(standing, price, standing.order.amount * parts / PARTS)


def signed(fill: Fill) -> Decimal:
    return fill.amount if fill.side is Side.BUY else -fill.amount
