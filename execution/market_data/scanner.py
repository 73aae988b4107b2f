"""The scanner of spreads: every symbol and pair of accounts in both directions, in exact numbers.

Best prices after fees tell which pairs are profitable; those with the widest margins are sized.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import islice, permutations

from execution.market_data.opportunities import Opportunity, age_ms, opportunity
from execution.market_data.snapshots import BookKey, BookSnapshot
from execution.market_data.spreads import BPS, QUOTIENT, UNLIMITED, Listing, Pair, TradeLimits
from execution.model.book import defect_of
from execution.model.decimals import EXACT, ZERO
from execution.model.instrument import assets_of
from execution.model.trading_rules import Market

Balances = Mapping[str, Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class ScanLimits:
    """The limits of a scan. Raises ValueError for an invalid limit.

    A book counts if it was received at most `age_ms_max` ago and, if its exchange stamps it, made
    at most `exchange_age_ms_max` ago (None: the same limit). `levels` of each side are used. At
    most `candidates_max` pairs, those with the widest margins, are sized in a scan.
    """

    min_profit_bps: Decimal = Decimal(10)
    age_ms_max: int = 2_000
    exchange_age_ms_max: int | None = None
    levels: int = 20
    candidates_max: int = 200

    def __post_init__(self) -> None:
        if self.min_profit_bps < 0:
            raise ValueError(f"min_profit_bps: {self.min_profit_bps} is below zero")
        for name in ("age_ms_max", "exchange_age_ms_max", "levels", "candidates_max"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}: {value} is below 1")


@dataclass(frozen=True, slots=True)
class Cap:
    """The most to trade of one symbol at once: in base, and in quote for the buy leg at its limit
    price. Infinity is no cap. Raises ValueError for one below zero."""

    amount_max: Decimal = UNLIMITED
    notional_max: Decimal = UNLIMITED

    def __post_init__(self) -> None:
        for name in ("amount_max", "notional_max"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: {getattr(self, name)} is below zero")


@dataclass(frozen=True, slots=True)
class Spread:
    """The margin of a pair: the profit of the first unit after both fees, as a share of its
    price."""

    symbol: str
    buy_account: str
    sell_account: str
    ask: Decimal
    bid: Decimal
    profit_bps: Decimal
    age_ms: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A book that is left out, and the reason in one sentence."""

    account: str
    symbol: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Quote:
    """One unit at a valid book's best prices: the ask, the revenue that a unit bought there must
    have elsewhere for the minimum profit, and the revenue of a unit sold here after the fee."""

    account: str
    ask: Decimal
    must_bring: Decimal
    brings: Decimal


class ArbitrageScanner:
    """Scans the books of all venues. Not to be shared between threads.

    `markets` are the rules of every scanned symbol, by account and symbol; `caps` are by symbol.
    Raises ValueError for a symbol that is not spot, and if there are no markets.
    """

    def __init__(
        self,
        markets: Mapping[BookKey, Market],
        limits: ScanLimits,
        caps: Mapping[str, Cap] | None = None,
    ) -> None:
        if not markets:
            raise ValueError("markets: there are none to scan")
        for _, symbol in markets:
            if ":" in symbol:
                raise ValueError(f"symbol: {symbol!r} is not spot, and only spot is scanned")
        self._markets, self._limits, self._caps = markets, limits, caps or {}
        self._snapshots: dict[BookKey, BookSnapshot] = {}
        self._quotes: dict[str, dict[str, _Quote]] = {symbol: {} for _, symbol in sorted(markets)}

    def update(self, snapshots: Iterable[BookSnapshot]) -> int:
        """Replace the books by newly read ones; returns how many books differ from the ones before.

        Raises ValueError for a book of a symbol that is not scanned on its account.
        """
        newest = {(snapshot.account, snapshot.symbol): snapshot for snapshot in snapshots}
        for key in newest:
            if key not in self._markets:
                account, symbol = key
                raise ValueError(f"symbol: {symbol!r} is not scanned on account {account}")
        changed = [snapshot for key, snapshot in newest.items() if self._differs(key, snapshot)]
        self._snapshots |= newest
        for snapshot in changed:
            self._quote(snapshot)
        return len(changed)

    def opportunities(self, now_ms: int, balances: Balances | None = None) -> list[Opportunity]:
        """The current opportunities, the most profitable first.

        `balances` are free amounts by account and asset, and missing ones are zero; None ignores
        balances. Each opportunity is sized by itself: two that need the same balance cannot both
        use it.
        """
        opportunities = []
        candidates = self._candidates(now_ms, balances)
        for pair, limits in islice(candidates, self._limits.candidates_max):
            depth = pair.paying_depth(self._limits.levels)
            sized = pair.size(depth, limits, self._limits.min_profit_bps)
            if sized is not None:
                opportunities.append(opportunity(pair, sized, now_ms))
        return sorted(opportunities, key=lambda each: (-each.expected_profit, each.signal_id))

    def spreads(self, now_ms: int, rows_max: int | None = None) -> list[Spread]:
        """Every pair of books that count, profitable or not, the widest margin first."""
        rows = [
            _spread(self._pair(symbol, buy, sell), now_ms)
            for symbol in self._quotes
            for buy, sell in permutations(self._counting(symbol, now_ms), 2)
        ]
        return sorted(rows, key=lambda row: -row.profit_bps)[:rows_max]

    def left_out(self, now_ms: int) -> list[LeftOut]:
        """Every book that is left out now, with the reason."""
        reasons = ((key, self._reason(key, now_ms)) for key in sorted(self._markets))
        return [LeftOut(*key, reason) for key, reason in reasons if reason is not None]

    def _differs(self, key: BookKey, snapshot: BookSnapshot) -> bool:
        before = self._snapshots.get(key)
        return before is None or before.book != snapshot.book

    def _quote(self, snapshot: BookSnapshot) -> None:
        """Store the cost and revenue of one unit at the book's best prices, if the book is
        valid."""
        account, symbol, book = snapshot.account, snapshot.symbol, snapshot.book
        if defect_of(book) is not None:
            self._quotes[symbol].pop(account, None)
            return
        fee = self._markets[account, symbol].taker_fee
        ask, bid = book.asks[0][0], book.bids[0][0]
        with localcontext(EXACT):
            must_bring = ask * (1 + fee + self._limits.min_profit_bps / BPS)
            self._quotes[symbol][account] = _Quote(account, ask, must_bring, bid * (1 - fee))

    def _counting(self, symbol: str, now_ms: int) -> list[_Quote]:
        """The quotes of a symbol whose books are recent enough."""
        quotes = self._quotes[symbol].values()
        return [quote for quote in quotes if self._is_young((quote.account, symbol), now_ms)]

    def _is_young(self, key: BookKey, now_ms: int) -> bool:
        """Whether a book's timestamps are near enough to now. One that is as far in the future is
        no better: then a clock is wrong, and the book may have any age."""
        snapshot, received_max = self._snapshots[key], self._limits.age_ms_max
        if abs(now_ms - snapshot.received_ms) > received_max:
            return False
        made_max = self._limits.exchange_age_ms_max or received_max
        return snapshot.exchange_ms is None or abs(now_ms - snapshot.exchange_ms) <= made_max

    def _candidates(
        self, now_ms: int, balances: Balances | None
    ) -> Iterator[tuple[Pair, TradeLimits]]:
        """The pairs whose first unit has the minimum profit and for which balances are free, the
        widest margin first. Each further unit earns less: if the first one is not profitable, none
        is."""
        ranked = []
        for symbol in self._quotes:
            quotes = self._counting(symbol, now_ms)
            for buy in quotes:
                for sell in quotes:
                    if sell.brings >= buy.must_bring and sell is not buy:
                        margin = QUOTIENT.divide(sell.brings - buy.must_bring, buy.ask)
                        ranked.append((margin, symbol, buy, sell))
        ranked.sort(key=lambda candidate: candidate[0], reverse=True)
        for _, symbol, buy, sell in ranked:
            limits = self._trade_limits(symbol, buy.account, sell.account, balances)
            if limits.base and limits.quote:
                yield self._pair(symbol, buy, sell), limits

    def _reason(self, key: BookKey, now_ms: int) -> str | None:
        """The reason why a book is left out, None if it counts."""
        snapshot = self._snapshots.get(key)
        if snapshot is None:
            return "no book was read yet"
        account, symbol = key
        if account not in self._quotes[symbol]:
            return defect_of(snapshot.book)
        if self._is_young(key, now_ms):
            return None
        old_ms = age_ms(snapshot, now_ms)
        return f"it is {old_ms} ms old" if old_ms else "its timestamp is in the future"

    def _pair(self, symbol: str, buy: _Quote, sell: _Quote) -> Pair:
        keys = (buy.account, symbol), (sell.account, symbol)
        return Pair(*(Listing(self._snapshots[key], self._markets[key]) for key in keys))

    def _trade_limits(
        self, symbol: str, buy: str, sell: str, balances: Balances | None
    ) -> TradeLimits:
        """The limits for buying the symbol on one account and selling it on the other."""
        cap = self._caps.get(symbol, Cap())
        if balances is None:
            return TradeLimits(amount_max=cap.amount_max, notional_max=cap.notional_max)
        base, quote = assets_of(symbol)
        return TradeLimits(
            balances.get(buy, {}).get(quote, ZERO),
            balances.get(sell, {}).get(base, ZERO),
            cap.amount_max,
            cap.notional_max,
        )


def _spread(pair: Pair, now_ms: int) -> Spread:
    buy, sell = pair.buy.snapshot, pair.sell.snapshot
    return Spread(
        symbol=buy.symbol,
        buy_account=buy.account,
        sell_account=sell.account,
        ask=buy.book.asks[0][0],
        bid=sell.book.bids[0][0],
        profit_bps=pair.margin_bps(),
        age_ms=max(age_ms(buy, now_ms), age_ms(sell, now_ms)),
    )
