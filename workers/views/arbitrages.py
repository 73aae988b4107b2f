"""Arbitrages and spreads as plain values for JSON and tables: numbers as decimal strings."""

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from execution.arbitrage.model import Arbitrage, ArbitrageState, LegRole
from execution.market_data.opportunities import Opportunity
from execution.model.decimals import EXACT, ZERO, to_text
from workers.views.plain_values import Json, fields_of, plain_value

if TYPE_CHECKING:
    # It imports the exchanges, which takes longer than most commands.
    from workers.market.scanner import Scan


def arbitrage_view(arbitrage: Arbitrage) -> Json:
    """One arbitrage, with its legs by the ids of their orders."""
    return {
        **fields_of(arbitrage, ("arbitrage_id", "signal_id", "symbol", "buy_account")),
        **fields_of(arbitrage, ("sell_account", "state", "reason")),
        "buy_order_id": arbitrage.order_id(LegRole.BUY),
        "sell_order_id": arbitrage.order_id(LegRole.SELL),
        "other_order_ids": [leg.order_id for leg in arbitrage.hedges],
        "amount": to_text(arbitrage.amount),
        **fields_of(arbitrage.result, ("bought", "sold", "imbalance")),
        "expected_profit": plain_value(arbitrage.expected_profit),
        **fields_of(arbitrage.result, ("net_profit", "fees", "skew_ms")),
        **fields_of(arbitrage, ("min_profit_bps", "max_loss_bps", "strategy")),
        **fields_of(arbitrage, ("created_at", "updated_at")),
    }


def arbitrage_totals(arbitrages: Iterable[Arbitrage]) -> list[Json]:
    """The expected and the net profit of each symbol's arbitrages."""
    groups: dict[str, list[Arbitrage]] = {}
    for arbitrage in arbitrages:
        groups.setdefault(arbitrage.symbol, []).append(arbitrage)
    return [_total(symbol, group) for symbol, group in sorted(groups.items())]


def _total(symbol: str, group: list[Arbitrage]) -> Json:
    traded = [arbitrage for arbitrage in group if arbitrage.bought or arbitrage.sold]
    with localcontext(EXACT):
        expected = sum((arbitrage.expected_profit or ZERO for arbitrage in traded), ZERO)
        realised = sum((arbitrage.net_profit for arbitrage in traded), ZERO)
        imbalance = sum((arbitrage.imbalance for arbitrage in group), ZERO)
    return {
        "symbol": symbol,
        "arbitrages": len(group),
        "traded": len(traded),
        "open": sum(not arbitrage.has_ended for arbitrage in group),
        "imbalanced": sum(arbitrage.state is ArbitrageState.IMBALANCED for arbitrage in group),
        "expected_profit": to_text(expected),
        "net_profit": to_text(realised),
        "imbalance": to_text(imbalance),
    }


def scan_view(scan: "Scan") -> Json:
    """Opportunities, spreads and the books that were left out."""
    return {
        "opportunities": [_opportunity_view(each) for each in scan.opportunities],
        "spreads": [
            {
                **fields_of(spread, ("symbol", "buy_account", "sell_account", "ask", "bid")),
                "profit_bps": _rounded(spread.profit_bps),
                "age_ms": spread.age_ms,
            }
            for spread in scan.spreads
        ],
        "left_out": plain_value(scan.left_out),
    }


def _opportunity_view(opportunity: Opportunity) -> Json:
    return {
        **fields_of(opportunity, ("signal_id", "symbol", "buy_account", "sell_account", "amount")),
        "buy_price": _rounded(opportunity.buy_price),
        "sell_price": _rounded(opportunity.sell_price),
        "expected_profit": to_text(opportunity.expected_profit),
        "profit_bps": _rounded(opportunity.profit_bps),
        **fields_of(opportunity, ("limited_by", "age_ms")),
    }


def _rounded(number: Decimal) -> str:
    """Quotients are rounded to eight places for display."""
    return to_text(round(number, 8))
