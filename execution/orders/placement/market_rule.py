"""The rule of its market that an order breaks, by markets that are new enough to refuse it."""

from execution.exchanges.port import Exchange
from execution.model.order import Order
from execution.model.trading_rules import refusal

# An order is refused by rules that were read within this, not by rules that may have changed since.
RULES_AGE_MAX_MS = 60_000


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
