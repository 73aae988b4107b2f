"""What the scanner's tests share: books, markets and scans in few words."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from execution.market_data.opportunities import Opportunity
from execution.market_data.scanner import ArbitrageScanner, Balances, Cap, ScanLimits
from execution.market_data.snapshots import BookSnapshot
from execution.model.book import Book, Level
from execution.model.trading_rules import Market

NOW_MS = 1_800_000_000_000
SYMBOL = "BTC/USDT"
Pairs = list[tuple[str, str]]


def levels(pairs: Pairs) -> tuple[Level, ...]:
    return tuple((Decimal(price), Decimal(amount)) for price, amount in pairs)


def book(
    account: str, bids: Pairs, asks: Pairs, symbol: str = SYMBOL, **about: Any
) -> BookSnapshot:
    """A book received now, or as `about` says."""
    about = {"exchange_ms": None, "received_ms": NOW_MS, "sequence": None, **about}
    return BookSnapshot(account, symbol, Book(symbol, levels(bids), levels(asks)), **about)


def market(
    fee: str = "0",
    *,
    step: str | None = None,
    least: str | None = None,
    notional: str | None = None,
    symbol: str = SYMBOL,
) -> Market:
    """Rules with no limits but those named."""
    limits = (None if limit is None else Decimal(limit) for limit in (step, least, notional))
    return Market(symbol, None, *limits, taker_fee=Decimal(fee))


def scanner(
    markets: Mapping[str, Market], *, cap: Cap | None = None, **limits: Any
) -> ArbitrageScanner:
    """A scanner of one symbol; unless told otherwise, whatever profit is enough for it."""
    return ArbitrageScanner(
        {(account, rules.symbol): rules for account, rules in markets.items()},
        ScanLimits(**{"min_profit_bps": Decimal(0), **limits}),
        {} if cap is None else {SYMBOL: cap},
    )


def scan(
    *books: BookSnapshot,
    markets: Mapping[str, Market] | None = None,
    balances: Balances | None = None,
    **rules: Any,
) -> list[Opportunity]:
    """What a scanner that sees just these books finds; without markets, nothing costs a fee."""
    looking = scanner(markets or {each.account: market() for each in books}, **rules)
    looking.update(books)
    return looking.opportunities(NOW_MS, balances)
