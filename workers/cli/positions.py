"""Commands about positions and their reconciliation."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from execution.model.clock import SystemClock
from execution.model.errors import AlreadyRunning, UntrustedLedger
from execution.model.position import Position
from execution.orders.store import Halt
from execution.reconciliation.run import Reconciliation
from workers.cli.app import (
    AsJson,
    CommandError,
    OfAccount,
    cli,
    log_to_stderr,
    print_line,
    services,
    show,
    stores,
)
from workers.cli.filters import (
    LAST,
    Last,
    OfSymbol,
    Since,
    check_account,
    wanted_rows,
)
from workers.configuration.settings import load_settings
from workers.views import tables
from workers.views import trading as views
from workers.views.plain_values import plain_value, time_text

if TYPE_CHECKING:
    # Exchanges are slow to import, and not every command needs them.
    from workers.bootstrap import Services

PATIENCE_S = 15


@cli.command()
def positions(
    account: OfAccount = None,
    symbol: OfSymbol = None,
    last: Annotated[
        int, typer.Option("--last", min=0, max=10**9, help="Only this many; 0 for all.")
    ] = 0,
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    """Show positions with their profit and loss, the last changed first."""
    wanted = wanted_rows(last, since, account, symbol)
    held = stores()
    moved = sorted(held.positions.positions(account), key=_moved_at, reverse=True)
    newest, note = wanted.newest(
        moved, _moved_at, lambda each: wanted.matches(accounts=[account], symbols=[each.symbol])
    )
    rows = views.position_views(held, newest, SystemClock().now_ms())
    show("Positions", rows, tables.POSITION_COLUMNS, as_json, note)


def _moved_at(position: Position) -> datetime:
    return position.updated_at or datetime.min.replace(tzinfo=UTC)


@cli.command()
def accounts(account: OfAccount = None, as_json: AsJson = False) -> None:
    """Show the totals of each account's positions, by quote asset."""
    if account is not None:
        check_account(account)
    now_ms = SystemClock().now_ms()
    rows = [views.totals_view(total, now_ms) for total in stores().valuations.totals(account)]
    show("Accounts", rows, tables.TOTALS_COLUMNS, as_json)


@cli.command()
def reconcile(account: OfAccount = None, as_json: AsJson = False) -> None:
    """Reconcile with the exchange now; print the result."""
    parts = services()
    if not parts.accounts:
        raise CommandError("accounts: none is configured")
    if account is not None and account not in parts.accounts:
        raise CommandError(f"--account: {account!r} is not configured")
    rows = [
        plain_value(_reconciled(parts, name))
        for name in (parts.accounts if account is None else [account])
    ]
    show("Reconciliation", rows, tables.RECONCILIATION_COLUMNS, as_json)


def _reconciled(parts: "Services", account: str) -> Reconciliation:
    """Reconcile as soon as a scheduled run, if any, has ended."""
    from workers.bootstrap import reconcile_account

    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return reconcile_account(parts, account)
        except AlreadyRunning:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


@cli.command()
def reconciliations(
    account: OfAccount = None,
    symbol: OfSymbol = None,
    last: Last = LAST,
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    """List reconciliations with their results, newest first."""
    wanted = wanted_rows(last, since, account, symbol)
    runs, note = wanted.newest(
        stores().listings.reconciliations(),
        lambda run: run.started_at,
        lambda run: wanted.matches(accounts=[run.account], symbols=run.symbols),
    )
    rows = [plain_value(run) for run in runs]
    show("Reconciliations", rows, ("started_at", *tables.RECONCILIATION_COLUMNS), as_json, note)


@cli.command()
def rebuild(
    apply: Annotated[
        bool, typer.Option("--apply", help="Correct those that do not agree.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --apply: even from a ledger that is not trusted.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Recompute every position from the ledger's fills, and compare it with the live one."""
    rebuilder = services().rebuilder
    if force and not apply:
        raise typer.BadParameter("--force is for --apply")
    try:
        checks = rebuilder.rebuild(force=force) if apply else list(rebuilder.checks.all())
    except UntrustedLedger as error:
        raise CommandError(str(error)) from None
    rows = [views.position_check_view(check) for check in checks]
    show("Positions from the ledger", rows, tables.REBUILD_COLUMNS, as_json)
    differing = sum(not check.agrees for check in checks)
    if not as_json:
        done = ", corrected" if apply and differing else ""
        compared = _count(len(checks), "position", "positions")
        differ = _count(differing, "mismatch", "mismatches")
        print_line(None, f"{compared}, {differ}{done}.")
        complaint = rebuilder.complaint()
        if complaint is not None:
            print_line(None, complaint)
    raise typer.Exit(0 if apply or not differing else 1)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


@cli.command()
def halt(
    account: OfAccount = None,
    reason: Annotated[str, typer.Option(help="Shown with every refusal.")] = "halted by hand",
    as_json: AsJson = False,
) -> None:
    """Halt trading on one account, or on all: new orders are refused until `resume`. Open orders
    stay open."""
    _configured(account)
    stop = Halt(account, reason, SystemClock().now())
    stores().halts.halt(stop)
    where = account or "every account"
    view = {"account": account, "reason": reason, "since": time_text(stop.since)}
    print_line(view if as_json else None, f"{where} is halted: {reason}")


@cli.command()
def resume(account: OfAccount = None, as_json: AsJson = False) -> None:
    """End the halt of one account or, without --account, that of all."""
    ended = stores().halts.resume(account)
    still = [each.account or "every account" for each in stores().halts.halts()]
    where = account or "every account"
    if not ended and account is not None:
        raise CommandError(f"--account: {account!r} is not halted")
    text = f"{where} is resumed" if ended else "there was no halt of every account"
    if still:
        text += f"; still halted: {', '.join(still)}"
    print_line({"resumed": ended, "halted": still} if as_json else None, text)


@cli.command()
def release(
    account: Annotated[str, typer.Option("--account", help="The account that is on hold.")],
    as_json: AsJson = False,
) -> None:
    """End the pause that the account's exchange requested, before its time.

    Use it if the pause no longer applies, for example after a change of the machine's address.
    While the exchange still counts, more requests prolong a ban. Other accounts at the same address
    are released too.
    """
    from execution.api.connections import addresses_of
    from execution.exchanges.account import Account
    from workers.intake.sweeping import APART_MS

    log_to_stderr()
    configured = load_settings().accounts.get(account)
    if configured is None:
        raise CommandError(f"--account: {account!r} is not configured")
    known = Account(account, configured.exchange, base_url=configured.base_url)
    ended = [each for each in addresses_of(known) if stores().address_holds.end_address_hold(each)]
    if stores().holds.end_hold(account):
        ended.append(account)
    if not ended:
        raise CommandError(f"--account: {account!r} is not on hold")
    now_ms = SystemClock().now_ms()
    stores().orders.make_due(account, now_ms, now_ms, APART_MS)
    view = {"account": account, "released": ended}
    print_line(view if as_json else None, f"released: {', '.join(ended)}")


def _configured(account: str | None) -> None:
    if account is not None and account not in load_settings().accounts:
        raise CommandError(f"--account: {account!r} is not configured")
