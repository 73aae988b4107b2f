"""Reads the balances of every account, and suggests transfers."""

from decimal import Decimal
from functools import partial
from typing import Any

from execution.arbitrage.inventory import suggest_moves
from execution.exchanges.parallel import run_parallel
from execution.model.decimals import ZERO, to_text
from execution.model.errors import ExchangeUnavailable
from execution.model.instrument import assets_of
from workers.bootstrap import Services
from workers.views.plain_values import plain_value


def _balances(
    parts: Services, account: str
) -> tuple[dict[str, Decimal], dict[str, Decimal]] | ExchangeUnavailable:
    try:
        exchange = parts.connections.exchange(account)
        return exchange.balances(), exchange.free_balances()
    except ExchangeUnavailable as error:
        return error


def inventory_of(parts: Services) -> dict[str, list[dict[str, Any]]]:
    """Holdings of every asset that is traded, by account, and suggestions. An account whose
    exchange does not answer is named, and left out of the suggestions."""
    symbols = {position.symbol for position in parts.stores.positions.positions()}
    symbols |= set(parts.settings.collector.symbols)
    assets = sorted({asset for symbol in symbols for asset in assets_of(symbol)})
    totals: dict[str, dict[str, Decimal]] = {}
    free: dict[str, dict[str, Decimal]] = {}
    unread = []
    read = run_parallel(*(partial(_balances, parts, account) for account in parts.accounts))
    for account, balances in zip(parts.accounts, read, strict=True):
        if isinstance(balances, ExchangeUnavailable):
            unread.append({"account": account, "reason": str(balances)})
        else:
            totals[account], free[account] = balances
    holdings = [
        {
            "asset": asset,
            "account": account,
            "total": to_text(totals[account].get(asset, ZERO)),
            "free": to_text(free[account].get(asset, ZERO)),
        }
        for asset in assets
        for account in totals
    ]
    moves = [
        move
        for asset in assets
        for move in suggest_moves(asset, {a: free[a].get(asset, ZERO) for a in totals})
    ]
    return {
        "holdings": holdings,
        "suggestions": plain_value(moves),
        "unread": unread,
    }
