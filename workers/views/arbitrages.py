"""Arbitrages and spreads as plain values for JSON and tables: numbers as decimal strings."""

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from execution.arbitrage.model import Arbitrage, ArbitrageState, LegRole
from execution.market_data.opportunities import Opportunity
from execution.model.decimals import EXACT, ZERO, to_text
from workers.views.trading import time_text

if TYPE_CHECKING:
    # It knows the exchanges, whose import takes longer than most commands.
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
    """What all of a symbol's arbitrages were to bring, and what they brought."""
    groups: dict[str, list[Arbitrage]] = {}
    for arbitrage in arbitrages:
        groups.setdefault(arbitrage.symbol, []).append(arbitrage)
    return [_total(symbol, group) for symbol, group in sorted(groups.items())]


def _total(symbol: str, group: list[Arbitrage]) -> Json:
    traded = [one for one in group if one.bought or one.sold]
    with localcontext(EXACT):
        expected = sum((one.expected_profit or ZERO for one in traded), ZERO)
        realised = sum((one.net_profit for one in traded), ZERO)
        imbalance = sum((one.imbalance for one in group), ZERO)
    return {
        "symbol": symbol,
        "arbitrages": len(group),
        "traded": len(traded),
        "open": sum(not one.has_ended for one in group),
        "imbalanced": sum(one.state is ArbitrageState.IMBALANCED for one in group),
        "expected_profit": to_text(expected),
        "net_profit": to_text(realised),
        "imbalance": to_text(imbalance),
    }


def scan_view(scan: "Scan") -> Json:
    """What one look found."""
    return {
        "opportunities": [_opportunity_view(one) for one in scan.opportunities],
        "spreads": [
            {
                "symbol": one.symbol,
                "buy_account": one.buy_account,
                "sell_account": one.sell_account,
                "ask": to_text(one.ask),
                "bid": to_text(one.bid),
                "profit_bps": _rounded(one.profit_bps),
                "age_ms": one.age_ms,
            }
            for one in scan.spreads
        ],
        "left_out": [
            {"account": one.account, "symbol": one.symbol, "reason": one.reason}
            for one in scan.left_out
        ],
    }


def _opportunity_view(one: Opportunity) -> Json:
    return {
        "signal_id": one.signal_id,
        "symbol": one.symbol,
        "buy_account": one.buy_account,
        "sell_account": one.sell_account,
        "amount": to_text(one.amount),
        "buy_price": _rounded(one.buy_price),
        "sell_price": _rounded(one.sell_price),
        "expected_profit": to_text(one.expected_profit),
        "profit_bps": _rounded(one.profit_bps),
        "limited_by": one.limited_by,
        "age_ms": one.age_ms,
    }


def _rounded(number: Decimal) -> str:
    """Quotients are for people, and end after eight places."""
    return to_text(round(number, 8))
