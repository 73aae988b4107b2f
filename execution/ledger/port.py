"""What a ledger is: the history of orders and fills that outlives Redis."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from execution.model.decimals import Money, total
from execution.model.order import LIVE, Fill, Order, OrderState, merge_fills
from execution.orders.store import Halt

# The states of orders that had not ended, or whose end nobody knew.
UNSETTLED = tuple(sorted({state.value for state in (*LIVE, OrderState.QUARANTINED)}))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What an account's positions were worth at one time, all in one quote asset.

    `equity` is realised and unrealised profit together, after fees in quote and base; `exposure`
    is the sum of what each position is worth, whichever way it points.
    """

    account: str
    quote: str
    time: datetime
    realised_pnl: Money
    unrealised_pnl: Money
    exposure: Money

    @property
    def equity(self) -> Money:
        return total((self.realised_pnl, self.unrealised_pnl))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A moment up to which the ledger has everything that the store had written.

    They are numbered from 1; `token` is random, so that two histories never share one.
    """

    number: int
    token: str
    at: datetime


class Ledger(Protocol):
    """Every method raises LedgerUnavailable when the database does not answer, and ValueError for a
    time without a zone."""

    def write(self, orders: Iterable[Order]) -> None:
        """Keep orders with their attempts and fills as they are now, all of them or none.

        Writing the same twice changes nothing. A state takes the place of the one that was written
        before, unless `is_outdated` says that it is the older one. A fill or attempt that was ever
        written stays, also if a later state does not have it: the store may have come back from an
        earlier time. A trade belongs to the order that brought it first.
        """

    def order(self, order_id: str) -> Order | None:
        """The newest state, exactly as it was written, followed by the fills that only earlier
        states had: see `with_all_fills`."""

    def order_by_exchange_id(
        self, account: str, symbol: str, exchange_order_id: str
    ) -> Order | None:
        """The same; the youngest, should an exchange have given an id twice."""

    def orders(
        self,
        *,
        since: datetime | None = None,
        account: str | None = None,
        changed_since: datetime | None = None,
        newest_first: bool = False,
    ) -> Iterator[Order]:
        """Orders as `order` gives them, oldest first unless asked otherwise: those of the account
        that were created at `since` or later, and changed at `changed_since` or later. What is not
        given is not asked.

        They are read page by page, so any method that gives an iterator raises while it is read.
        """

    def traded(self) -> list[tuple[str, str]]:
        """Every account and symbol that has a fill, sorted."""

    def fills(self, account: str, symbol: str) -> Iterator[Fill]:
        """All fills of a position in the order in which they moved it: by sequence, then time,
        then trade id."""

    def unsettled(self) -> Iterator[Order]:
        """Orders that had not ended when they were last written, or whose outcome nobody knew."""

    def identity(self) -> str:
        """A name that this database got by chance when it was made, so that another one in its
        place can be told from it."""

    def checkpoint(self) -> Checkpoint | None:
        """The last one that was written, None for none."""

    def write_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Put it in the place of the one before."""

    def probe(self) -> None:
        """Write something that means nothing, as everything else is written."""

    def write_halts(self, halts: Iterable[Halt]) -> None:
        """Keep the halts that there are now, in the place of those before."""

    def halts(self) -> list[Halt]: ...
    def write_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        """Keep snapshots, all or none; one for the same account, quote and time is replaced."""

    def snapshots(
        self, *, since: datetime | None = None, account: str | None = None
    ) -> Iterator[Snapshot]:
        """Those taken at `since` or later, oldest first, then by account and quote."""


def check_zones(**times: datetime | None) -> None:
    """Raises ValueError, with the argument's name, for a time without a zone."""
    for name, time in times.items():
        if time is not None and time.tzinfo is None:
            raise ValueError(f"{name}: {time} has no time zone")


def is_outdated(order: Order, kept: Order) -> bool:
    """Say whether `order` is surely an older state than `kept`, another of the same order.

    Versions count up and times go on, so only what is behind in both is older. A store that came
    back from an earlier time gives lower versions at later times; workers whose clocks differ may
    give higher versions at earlier times. Both are news.
    """
    return order.version < kept.version and order.updated_at <= kept.updated_at


def with_all_fills(order: Order, kept: Iterable[Fill]) -> Order:
    """The order with the fills that were kept of it and that it lacks, in their order, behind its
    own. Nothing else changes; `filled` stays what the exchange reported to that state."""
    fills = merge_fills(order.fills, sorted(kept, key=fill_order))
    return order if fills == order.fills else replace(order, fills=fills)


def fill_order(fill: Fill) -> tuple[int, datetime, str, str]:
    """Sorts a position's fills as they moved it."""
    return (fill.sequence, fill.time, fill.trade_id, fill.side)
