"""The parameters of order placement, and the refusals by a market's rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from execution.exchanges.guarantees import ExchangeGuarantees
from execution.exchanges.port import Exchange
from execution.model.order import Order
from execution.model.trading_rules import refusal

# The most that rules may be old when they refuse an order, since they may have changed.
RULES_AGE_MAX_MS = 60_000
ATTEMPTS_MAX = 5


@dataclass(frozen=True, slots=True)
class OrderRules:
    """The parameters of order placement. `recv_window_ms` is the window of every account that is
    not in `windows` (ms by account), None for each exchange's own. A market order that was
    published longer ago than `market_age_max_s` is refused instead of sent; None for any age."""

    recv_window_ms: int | None = None
    attempts_max: int = ATTEMPTS_MAX
    windows: Mapping[str, int] = field(default_factory=dict)
    market_age_max_s: int | None = None

    def window_ms(self, account: str, guarantees: ExchangeGuarantees) -> int:
        """How long after its stamp a request may be accepted."""
        wanted_ms = self.windows.get(account, self.recv_window_ms)
        return guarantees.within_window(wanted_ms or guarantees.window_ms)


def broken_rule(order: Order, exchange: Exchange, now_ms: int) -> str | None:
    """The reason why the order cannot be sent, in one sentence; None if it can.

    Before a refusal the markets are read again, unless that was done within RULES_AGE_MAX_MS; for
    an unlisted symbol, unless it was done since the order was made. Raises ExchangeUnavailable
    while that is not possible: the order then waits.
    """
    if refusal(order, exchange.market(order.symbol)) is None:
        return None
    market = exchange.market(order.symbol, now_ms - RULES_AGE_MAX_MS)
    if market is None:
        market = exchange.market(order.symbol, int(order.created_at.timestamp() * 1_000))
    return refusal(order, market)
