"""The value of positions: marks, totals, and their series for an equity curve."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext
from functools import partial
from typing import Protocol

from execution.exchanges.parallel import run_parallel
from execution.ledger.archive import SnapshotSource
from execution.ledger.port import Snapshot
from execution.model.clock import Clock
from execution.model.decimals import EXACT, ZERO, Money
from execution.model.errors import ExchangeUnavailable
from execution.model.position import Position
from execution.orders.store import PositionStore
from execution.positions.pricing import PriceSource, read_prices

LOOK_AGAIN_MS = 1_000


@dataclass(frozen=True, slots=True)
class Mark:
    """The price of a valuation, and when it was read, in ms on our clock."""

    price: Money
    at_ms: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of an account's positions that settle in one asset, in that asset.

    `exposure` is the sum of absolute values; `net_exposure` subtracts shorts from longs.
    `marked_at_ms` is the time of the oldest mark that was used. Positions without a mark are named
    in `unmarked`, and not counted.
    """

    account: str
    quote: str
    realised_pnl: Money
    unrealised_pnl: Money
    exposure: Money
    net_exposure: Money
    turnover: Money
    fees: dict[str, Money]
    updated_at: datetime
    marked_at_ms: int | None = None
    unmarked: list[str] = field(default_factory=list)


class ValuationStore(SnapshotSource, Protocol):
    """Where marks, totals and snapshots live. Every method raises StoreUnavailable when the server
    does not answer."""

    def marks(self, account: str) -> dict[str, Mark]: ...
    def set_marks(self, account: str, prices: Mapping[str, Decimal], now_ms: int) -> None: ...
    def totals(self, account: str | None = None) -> list[Totals]: ...
    def set_totals(self, totals: Iterable[Totals]) -> None: ...
    def add_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        """Add to the series, which is bounded: the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class MarkSource:
    """An account, its connection, and the source of its prices: accounts with the same `market`
    have the same prices, so one request serves all of them."""

    account: str
    market: str
    exchange: Callable[[], PriceSource]


class RecentMarks:
    """The last marks, read at most once a second for each account.

    A mark older than `age_max_ms` is not used.
    """

    def __init__(self, book: ValuationStore, clock: Clock, age_max_ms: int) -> None:
        self._book = book
        self._clock = clock
        self._age_max_ms = age_max_ms
        self._known: dict[str, tuple[int, dict[str, Mark]]] = {}

    def price(self, account: str, symbol: str) -> Decimal | None:
        """The market price, None if it is not known, or too old."""
        now_ms = self._clock.now_ms()
        read_ms, marks = self._known.get(account, (-LOOK_AGAIN_MS, {}))
        if now_ms - read_ms >= LOOK_AGAIN_MS:
            marks = self._book.marks(account)
            self._known[account] = (now_ms, marks)
        mark = marks.get(symbol)
        return None if mark is None or now_ms - mark.at_ms > self._age_max_ms else mark.price


class Valuer:
    """Reads prices, and writes the values of the accounts."""

    def __init__(self, positions: PositionStore, book: ValuationStore, clock: Clock) -> None:
        self._positions = positions
        self._book = book
        self._clock = clock

    def mark(self, mark_sources: Iterable[MarkSource]) -> list[str]:
        """Price the holdings, one request for each market; returns the sentences of those that did
        not answer."""
        groups: dict[str, list[MarkSource]] = {}
        for mark_source in mark_sources:
            groups.setdefault(mark_source.market, []).append(mark_source)
        # A market that does not answer does not prevent the marks of others.
        said = run_parallel(*(partial(self._try_market, group) for group in groups.values()))
        return [sentence for sentences in said for sentence in sentences]

    def _try_market(self, mark_sources: list[MarkSource]) -> list[str]:
        try:
            return self._mark_market(mark_sources)
        except ExchangeUnavailable as error:
            return [f"{mark_sources[0].market}: {error}"]

    def _mark_market(self, mark_sources: list[MarkSource]) -> list[str]:
        held = {
            mark_source.account: {
                p.symbol for p in self._positions.positions(mark_source.account) if p.amount
            }
            for mark_source in mark_sources
        }
        symbols = set().union(*held.values())
        if not symbols:
            return []
        prices, unpriced = read_prices(_connected(mark_sources), symbols)
        now_ms = self._clock.now_ms()
        for account, wanted in held.items():
            marked = {symbol: price for symbol, price in prices.items() if symbol in wanted}
            self._book.set_marks(account, marked, now_ms)
        return [f"{mark_sources[0].market} {symbol}: {why}" for symbol, why in unpriced.items()]

    def value(self, accounts: Iterable[str]) -> list[Totals]:
        """Compute and store the totals of every account by its marks."""
        now = self._clock.now()
        totals = [
            total
            for account in accounts
            for total in totals_of(
                account, self._positions.positions(account), self._book.marks(account), now
            )
        ]
        self._book.set_totals(totals)
        return totals

    def take_snapshots(self, totals: Iterable[Totals]) -> None:
        """Add a point to the series of every account."""
        self._book.add_snapshots(
            Snapshot(t.account, t.quote, t.updated_at, t.realised_pnl, t.unrealised_pnl, t.exposure)
            for t in totals
        )


def _connected(mark_sources: list[MarkSource]) -> PriceSource:
    """The connection of the first account that has one; their prices are the same. Raises
    ExchangeUnavailable if none has."""
    for mark_source in mark_sources[:-1]:
        try:
            return mark_source.exchange()
        except ExchangeUnavailable:
            continue
    return mark_sources[-1].exchange()


def totals_of(
    account: str, positions: Iterable[Position], marks: Mapping[str, Mark], now: datetime
) -> list[Totals]:
    """The totals of an account's positions by settle asset."""
    by_quote: dict[str, list[Position]] = {}
    for position in positions:
        by_quote.setdefault(position.instrument.settle, []).append(position)
    with localcontext(EXACT):
        return [
            _total(account, quote, group, marks, now) for quote, group in sorted(by_quote.items())
        ]


def _total(
    account: str,
    quote: str,
    positions: list[Position],
    marks: Mapping[str, Mark],
    now: datetime,
) -> Totals:
    held = [position for position in positions if position.amount]
    marked = [(position, marks[position.symbol]) for position in held if position.symbol in marks]
    values = [p.instrument.value(p.amount, mark.price) for p, mark in marked]
    fees: dict[str, Decimal] = {}
    for position in positions:
        for asset, fee in position.fees.items():
            fees[asset] = fees.get(asset, ZERO) + fee
    return Totals(
        account=account,
        quote=quote,
        realised_pnl=sum((p.realised_pnl for p in positions), ZERO),
        unrealised_pnl=sum((p.unrealised_pnl(mark.price) for p, mark in marked), ZERO),
        exposure=sum((abs(value) for value in values), ZERO),
        net_exposure=sum(values, ZERO),
        turnover=sum((p.turnover for p in positions), ZERO),
        fees=fees,
        updated_at=now,
        marked_at_ms=min((mark.at_ms for _, mark in marked), default=None),
        unmarked=sorted(p.symbol for p in held if p.symbol not in marks),
    )
