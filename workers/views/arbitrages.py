"""Arbitrages and spreads as plain values for JSON and tables: numbers as decimal strings."""

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from execution.arbitrage.model import Arbitrage, ArbitrageState, LegRole
from execution.market_data.opportunities import Opportunity
from execution.model.decimals import EXACT, ZERO, to_text
from workers.views.trading import time_text

if TYPE_CHECKING:
    # It imports the exchanges, which takes longer than most commands.
    from workers.market.scanner import Scan

Json = dict[str, Any]


def arbitrage_view(arbitrage: Arbitrage) -> Json:
    """One arbitrage, with its legs by the ids of their orders."""
    result = arbitrage.result
    expected = arbitrage.expected_profit
    return {
        "arbitrage_id": arbitrage.arbitrage_id,
        "signal_id": arbitrage.signal_id,
        "symbol": arbitrage.symbol,
        "buy_account": arbitrage.buy_account,
        "sell_account": arbitrage.sell_account,
        "state": arbitrage.state.value,
        "reason": arbitrage.reason,
        "buy_order_id": arbitrage.order_id(LegRole.BUY),
        "sell_order_id": arbitrage.order_id(LegRole.SELL),
        "other_order_ids": [leg.order_id for leg in arbitrage.hedges],
        "amount": to_text(arbitrage.amount),
        "bought": to_text(result.bought),
        "sold": to_text(result.sold),
        "imbalance": to_text(result.imbalance),
        "expected_profit": None if expected is None else to_text(expected),
        "net_profit": to_text(result.net_profit),
        "fees": {asset: to_text(fee) for asset, fee in result.fees.items()},
        "skew_ms": result.skew_ms,
        "min_profit_bps": to_text(arbitrage.min_profit_bps),
        "max_loss_bps": to_text(arbitrage.max_loss_bps),
        "strategy": arbitrage.strategy,
        "created_at": time_text(arbitrage.created_at),
        "updated_at": time_text(arbitrage.updated_at),
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
                "symbol": spread.symbol,
                "buy_account": spread.buy_account,
                "sell_account": spread.sell_account,
                "ask": to_text(spread.ask),
                "bid": to_text(spread.bid),
                "profit_bps": _rounded(spread.profit_bps),
                "age_ms": spread.age_ms,
            }
            for spread in scan.spreads
        ],
        "left_out": [
            {"account": book.account, "symbol": book.symbol, "reason": book.reason}
            for book in scan.left_out
        ],
    }


def _opportunity_view(opportunity: Opportunity) -> Json:
    return {
        "signal_id": opportunity.signal_id,
        "symbol": opportunity.symbol,
        "buy_account": opportunity.buy_account,
        "sell_account": opportunity.sell_account,
        "amount": to_text(opportunity.amount),
        "buy_price": _rounded(opportunity.buy_price),
        "sell_price": _rounded(opportunity.sell_price),
        "expected_profit": to_text(opportunity.expected_profit),
        "profit_bps": _rounded(opportunity.profit_bps),
        "limited_by": opportunity.limited_by,
        "age_ms": opportunity.age_ms,
    }


def _rounded(number: Decimal) -> str:
    """Quotients are rounded to eight places for display."""
    return to_text(round(number, 8))
