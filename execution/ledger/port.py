"""The interface of the ledger: the history of orders and fills, independent of Redis."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from execution.model.decimals import Money, total
from execution.model.order import LIVE, Fill, Order, OrderState, merge_fills
from execution.orders.store import Halt

# The states of orders that had not ended, or whose outcome was not known.
UNSETTLED = tuple(sorted({state.value for state in (*LIVE, OrderState.QUARANTINED)}))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The value of an account's positions at one time, all in one quote asset.

    `equity` is realised plus unrealised profit, after fees in quote and base; `exposure` is the sum
    of the positions' absolute values.
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
    """A time up to which the ledger has everything that the store had written.

    Checkpoints are numbered from 1; `token` is random, so that two histories never share one.
    """

    number: int
    token: str
    at: datetime


class Ledger(Protocol):
    """Every method raises LedgerUnavailable when the database does not answer, and ValueError for a
    time without a zone."""

    def write(self, orders: Iterable[Order]) -> None:
        """Write orders with their attempts and fills, atomically.

        Writing the same twice changes nothing. A state replaces the earlier one, unless it
        `is_outdated`. A fill or attempt that was ever written stays, also if a later state does not
        have it: the store may have been restored to an earlier state. A trade belongs to the order
        that reported it first.
        """

    def order(self, order_id: str) -> Order | None:
        """The newest state, exactly as written, plus the fills that only earlier states had: see
        `with_all_fills`."""

    def order_by_exchange_id(
        self, account: str, symbol: str, exchange_order_id: str
    ) -> Order | None:
        """The same; the newest, if an exchange has used an id twice."""

    def orders(
        self,
        *,
        since: datetime | None = None,
        account: str | None = None,
        changed_since: datetime | None = None,
        newest_first: bool = False,
    ) -> Iterator[Order]:
        """Orders as `order` gives them, oldest first unless asked otherwise: those of the account
        that were created at `since` or later, and changed at `changed_since` or later. None means
        no restriction.

        They are read page by page, so any method that returns an iterator raises while it is read.
        """

    def traded(self) -> list[tuple[str, str]]:
        """Every account and symbol that has a fill, sorted."""

    def fills(self, account: str, symbol: str) -> Iterator[Fill]:
        """All fills of a position in the order in which they moved it: by sequence, then time,
        then trade id."""

    def unsettled(self) -> Iterator[Order]:
        """Orders that had not ended when they were last written, or whose outcome was not known."""

    def identity(self) -> str:
        """A random name that this database got at its creation, so that another one in its place is
        detected."""

    def checkpoint(self) -> Checkpoint | None:
        """The last checkpoint, None for none."""

    def write_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Replace the last checkpoint."""

    def probe(self) -> None:
        """Write a test value in the same way as all data."""

    def write_halts(self, halts: Iterable[Halt]) -> None:
        """Replace the halts by the current ones."""

    def halts(self) -> list[Halt]: ...
    def write_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        """Write snapshots atomically; one for the same account, quote and time is replaced."""

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
    """Whether `order` is certainly an older state than `kept` of the same order.

    Versions and times increase, so only a state that is behind in both is older. A store restored
    to an earlier state issues lower versions at later times; workers whose clocks differ may issue
    higher versions at earlier times. Both count as new.
    """
    return order.version < kept.version and order.updated_at <= kept.updated_at


def with_all_fills(order: Order, kept: Iterable[Fill]) -> Order:
    """The order with the stored fills that it lacks, in order, after its own. Nothing else changes;
    `filled` stays as reported for that state."""
    fills = merge_fills(order.fills, sorted(kept, key=fill_order))
    return order if fills == order.fills else replace(order, fills=fills)


def fill_order(fill: Fill) -> tuple[int, datetime, str, str]:
    """The sort key of a position's fills, in the order in which they were applied."""
    return (fill.sequence, fill.time, fill.trade_id, fill.side)
