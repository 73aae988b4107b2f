"""What a ledger is: the history of orders and fills that outlives Redis."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from execution.decimals import Money
from execution.orders import Fill, Order
from execution.ports import StoreUnavailable


class LedgerUnavailable(StoreUnavailable):
    """The ledger's database did not answer; nothing is lost, what is to be written waits."""


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
        return self.realised_pnl + self.unrealised_pnl


class Ledger(Protocol):
    """Every method raises LedgerUnavailable when the database does not answer."""

    def write(self, orders: Iterable[Order]) -> None:
        """Keep orders with their attempts and fills as they are now, all of them or none.

        Writing the same twice changes nothing. A newer state of an order takes the place of the
        older one; a fill that was ever written stays, also if a later state does not have it.
        """

    def order(self, order_id: str) -> Order | None: ...
    def order_by_exchange_id(
        self, account: str, symbol: str, exchange_order_id: str
    ) -> Order | None: ...
    def orders(
        self,
        *,
        since: datetime | None = None,
        account: str | None = None,
        changed_since: datetime | None = None,
    ) -> Iterator[Order]:
        """Orders with their fills, oldest first, created at `since` or changed at `changed_since`
        or later."""

    def traded(self) -> list[tuple[str, str]]:
        """Every account and symbol that has a fill, sorted."""

    def fills(self, account: str, symbol: str) -> Iterator[Fill]:
        """All fills of a position in the order in which they moved it: by sequence, then time,
        then trade id."""

    def write_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        """Keep snapshots; one for the same account, quote and time is replaced."""

    def snapshots(
        self, *, since: datetime | None = None, account: str | None = None
    ) -> Iterator[Snapshot]:
        """Oldest first."""
