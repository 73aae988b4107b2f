"""The common filters of lists: rows, their number, and the account."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any, TypeVar

import typer

from workers.cli.app import CommandError, ledger, stores
from workers.configuration.settings import load_settings

T = TypeVar("T")
LAST = 50

Last = Annotated[
    int, typer.Option("--last", min=0, max=10**9, help="Only this many of the newest; 0 for all.")
]
Since = Annotated[
    str | None, typer.Option("--since", help="Only since then, as 2030-01-31 or with a time.")
]
OfSymbol = Annotated[str | None, typer.Option("--symbol", help="Only this symbol.")]
OfStrategy = Annotated[str | None, typer.Option("--strategy", help="Only this strategy.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows that a list shows; None means no restriction. `last` 0 means all."""

    last: int = LAST
    since: datetime | None = None
    account: str | None = None
    symbol: str | None = None
    strategy: str | None = None
    state: str | None = None

    def newest(
        self, rows: Iterable[T], moment: Callable[[T], datetime], is_wanted: Callable[[T], bool]
    ) -> tuple[list[T], str | None]:
        """The matching ones of rows in newest-first order, and a note if there are more. No more
        rows are read than needed."""
        wanted = filter(is_wanted, _while_since(rows, moment, self.since))
        if self.last == 0:
            return list(wanted), None
        newest = list(islice(wanted, self.last + 1))
        note = f"The newest {self.last} are shown; --last 0 shows all."
        return newest[: self.last], note if len(newest) > self.last else None

    def matches(
        self,
        *,
        accounts: Iterable[str | None],
        symbols: Iterable[str | None],
        strategy: str | None = None,
        state: str | None = None,
    ) -> bool:
        return (
            (self.account is None or self.account in accounts)
            and (self.symbol is None or self.symbol in symbols)
            and (self.strategy is None or self.strategy == strategy)
            and (self.state is None or self.state == state)
        )


def _while_since(
    rows: Iterable[T], moment: Callable[[T], datetime], since: datetime | None
) -> Iterable[T]:
    for row in rows:
        if since is not None and moment(row) < since:
            return
        yield row


def wanted_rows(
    last: int,
    since: str | None,
    account: str | None = None,
    symbol: str | None = None,
    strategy: str | None = None,
    state: Any = None,
) -> Wanted:
    """Parse the options. Raises BadParameter for an invalid time, and CommandError for an account
    that is neither configured nor on any record."""
    moment = None if since is None else moment_of(since)
    if account is not None:
        check_account(account)
    return Wanted(last, moment, account, symbol, strategy, state)


def moment_of(text: str) -> datetime:
    """A date, or a time; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"--since: {text!r} is not a date or time in ISO 8601") from None


def check_account(account: str) -> None:
    """Raises CommandError for an account that is neither configured nor on any record."""
    configured = load_settings().accounts
    if account in configured:
        return
    held = stores()
    is_recorded = (
        bool(held.positions.positions(account))
        or any(order.account == account for order in held.listings.orders())
        or next(ledger().orders(account=account), None) is not None
    )
    if not is_recorded:
        known = ", ".join(configured) or "none"
        raise CommandError(
            f"--account: {account!r} is not configured and has no record (configured: {known})"
        )
