"""The scanner of spreads: every symbol, every way from one account to another, whenever asked.

Binary fractions select, decimals decide: a grid of arrays finds the pairs that seem to pay, and
each of them is priced again exactly before it is offered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from execution.market_data.grid import Mask, SpreadGrid
from execution.market_data.opportunities import Opportunity, age_ms, opportunity
from execution.market_data.scan_limits import Cap, ScanLimits
from execution.market_data.snapshots import BookKey, BookSnapshot
from execution.market_data.spreads import BPS, UNLIMITED, Listing, Pair, TradeLimits
from execution.model.book_defects import defect_of
from execution.model.decimals import ZERO
from execution.model.instrument import assets_of
from execution.model.trading_rules import Market

Balances = Mapping[str, Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Spread:
    """How far a pair is from paying: what the first unit leaves after both fees, for its price."""

    symbol: str
    buy_account: str
    sell_account: str
    ask: Decimal
    bid: Decimal
    profit_bps: Decimal
    age_ms: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A book that does not count, and why, in one sentence."""

    account: str
    symbol: str
    reason: str


class ArbitrageScanner:
    """The books of all venues side by side. Not to be shared between threads.

    `markets` are the rules of every symbol that is scanned, by account and symbol; `caps` go by
    symbol. Raises ValueError for a symbol that is not spot, and where there are no markets.
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
        self._markets, self._limits = markets, limits
        self._accounts = sorted({account for account, _ in markets})
        self._symbols = sorted({symbol for _, symbol in markets})
        self._caps = [(caps or {}).get(symbol, Cap()) for symbol in self._symbols]
        pairs = [assets_of(symbol) for symbol in self._symbols]
        self._assets = sorted({asset for pair in pairs for asset in pair})
        place = {asset: number for number, asset in enumerate(self._assets)}
        self._places = {
            (account, symbol): (row, column)
            for row, account in enumerate(self._accounts)
            for column, symbol in enumerate(self._symbols)
            if (account, symbol) in markets
        }
        self._snapshots: dict[BookKey, BookSnapshot] = {}
        self._grid = SpreadGrid(
            [
                [self._fee(account, symbol) for symbol in self._symbols]
                for account in self._accounts
            ],
            [(place[base], place[quote]) for base, quote in pairs],
            [(cap.amount_max, cap.notional_max) for cap in self._caps],
            limits.levels,
        )

    def update(self, snapshots: Iterable[BookSnapshot]) -> int:
        """Take over what was read; return how many books are other than they were.

        Each takes the place of the one before it. Raises ValueError for a book of a symbol that is
        not scanned on its account.
        """
        newest = {(snapshot.account, snapshot.symbol): snapshot for snapshot in snapshots}
        for account, symbol in newest:
            if (account, symbol) not in self._places:
                raise ValueError(f"symbol: {symbol!r} is not scanned on account {account}")
        changed = [key for key, snapshot in newest.items() if self._is_other(key, snapshot)]
        self._snapshots |= newest
        self._grid.stamp(
            [self._places[key] for key in newest],
            [snapshot.received_ms for snapshot in newest.values()],
            [_made_ms(snapshot) for snapshot in newest.values()],
        )
        self._grid.put(
            [self._places[key] for key in changed], [newest[key].book for key in changed]
        )
        return len(changed)

    def opportunities(self, now_ms: int, balances: Balances | None = None) -> list[Opportunity]:
        """What pays now, the most profitable first.

        `balances` are free amounts by account and asset, and what is not in them is zero; None
        looks at the books alone. Each opportunity is sized by itself: two that need the same
        balance cannot both have it.
        """
        found = []
        candidates = self._grid.candidates(
            self._counting(now_ms),
            self._balance_rows(balances),
            self._limits.min_profit_bps / BPS,
            self._limits.candidates_max,
        )
        for candidate in candidates:
            pair = self._pair(candidate.buy, candidate.sell, candidate.symbol)
            # Where a balance or a cap stops the amount, its exact value is known.
            most = UNLIMITED if candidate.bounded else candidate.amount
            means = self._means(pair, self._caps[candidate.symbol], balances)
            sized = pair.size(most, means, self._limits.min_profit_bps)
            if sized is not None:
                found.append(opportunity(pair, sized, now_ms))
        return sorted(found, key=lambda one: (-one.expected_profit, one.signal_id))

    def spreads(self, now_ms: int, rows_max: int | None = None) -> list[Spread]:
        """Every pair of books that count, whether it pays or not, the nearest to paying first."""
        ranked = self._grid.ranked(self._counting(now_ms))[:rows_max]
        return [_spread(self._pair(*places), now_ms) for places in ranked]

    def left_out(self, now_ms: int) -> list[LeftOut]:
        """Every book that does not count now, and why."""
        counts = self._counting(now_ms)
        return [
            LeftOut(*key, self._reason(key, now_ms))
            for key, place in self._places.items()
            if not counts[place]
        ]

    def _is_other(self, key: BookKey, snapshot: BookSnapshot) -> bool:
        before = self._snapshots.get(key)
        return before is None or before.book != snapshot.book

    def _counting(self, now_ms: int) -> Mask:
        received = self._limits.age_ms_max
        made = self._limits.exchange_age_ms_max
        return self._grid.counting(now_ms, received, received if made is None else made)

    def _reason(self, key: BookKey, now_ms: int) -> str:
        snapshot = self._snapshots.get(key)
        if snapshot is None:
            return "no book was read yet"
        defect = defect_of(snapshot.book)
        if defect is not None:
            return defect
        old_ms = age_ms(snapshot, now_ms)
        return f"it is {old_ms} ms old" if old_ms else "its stamp lies in the future"

    def _fee(self, account: str, symbol: str) -> Decimal:
        market = self._markets.get((account, symbol))
        return ZERO if market is None else market.taker_fee

    def _pair(self, buy: int, sell: int, symbol: int) -> Pair:
        return Pair(*(self._listing(self._accounts[venue], symbol) for venue in (buy, sell)))

    def _listing(self, account: str, symbol: int) -> Listing:
        key = (account, self._symbols[symbol])
        return Listing(self._snapshots[key], self._markets[key])

    def _balance_rows(self, balances: Balances | None) -> list[list[Decimal]]:
        if balances is None:
            return [[UNLIMITED] * len(self._assets) for _ in self._accounts]
        rows = (balances.get(account, {}) for account in self._accounts)
        return [[row.get(asset, ZERO) for asset in self._assets] for row in rows]

    def _means(self, pair: Pair, cap: Cap, balances: Balances | None) -> TradeLimits:
        if balances is None:
            return TradeLimits(amount_max=cap.amount_max, notional_max=cap.notional_max)
        base, quote = assets_of(pair.buy.snapshot.symbol)
        return TradeLimits(
            balances.get(pair.buy.snapshot.account, {}).get(quote, ZERO),
            balances.get(pair.sell.snapshot.account, {}).get(base, ZERO),
            cap.amount_max,
            cap.notional_max,
        )


def _made_ms(snapshot: BookSnapshot) -> int:
    made_ms = snapshot.exchange_ms
    return snapshot.received_ms if made_ms is None else made_ms


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
