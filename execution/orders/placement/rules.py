"""How orders are placed: what the settings say, and what the rules of a market forbid."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from execution.exchanges.guarantees import ExchangeGuarantees
from execution.exchanges.port import Exchange
from execution.model.order import Order
from execution.model.trading_rules import refusal

# An order is refused by rules that were read within this, not by rules that may have changed since.
RULES_AGE_MAX_MS = 60_000
ATTEMPTS_MAX = 5


@dataclass(frozen=True, slots=True)
class OrderRules:
    """How orders are placed. `recv_window_ms` is the window of every account that is not in
    `windows` (ms by account), None for each exchange's own. A market order that was published
    longer ago than `market_age_max_s` is refused instead of sent; None for any age."""

    recv_window_ms: int | None = None
    attempts_max: int = ATTEMPTS_MAX
    windows: Mapping[str, int] = field(default_factory=dict)
    market_age_max_s: int | None = None

    def window_ms(self, account: str, guarantees: ExchangeGuarantees) -> int:
        """How long a request may be accepted after its stamp."""
        wanted_ms = self.windows.get(account, self.recv_window_ms)
        return guarantees.within_window(wanted_ms or guarantees.window_ms)


def broken_rule(order: Order, exchange: Exchange, now_ms: int) -> str | None:
    """Say in one sentence why the order cannot be sent, None where it can.

    Before it says so the markets are read again, unless that was done within RULES_AGE_MAX_MS; and
    for a symbol that is not among them unless it was done since the order was made. Raises
    ExchangeUnavailable while that is not possible: the order waits then, and is not used up.
    """
    if refusal(order, exchange.market(order.symbol)) is None:
        return None
    market = exchange.market(order.symbol, now_ms - RULES_AGE_MAX_MS)
    if market is None:
        market = exchange.market(order.symbol, int(order.created_at.timestamp() * 1_000))
    return refusal(order, market)
