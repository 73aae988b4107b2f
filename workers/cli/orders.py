"""Commands about signals and orders."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from execution.exchanges.account import what_is_missing
from execution.model.errors import NotInQuarantine, UnknownAccount
from execution.model.order import Order, OrderState
from oneorder.identifiers import arbitrage_id_of, order_id_of
from workers.cli.app import (
    AsJson,
    CommandError,
    OfAccount,
    cli,
    lay_out,
    ledger,
    print_json,
    print_line,
    services,
    show,
    stores,
)
from workers.cli.filters import (
    LAST,
    Last,
    OfStrategy,
    OfSymbol,
    Since,
    Wanted,
    moment_of,
    wanted_rows,
)
from workers.configuration.settings import load_settings
from workers.views import tables
from workers.views import trading as views
from workers.views.plain_values import time_text

OrderId = Annotated[str, typer.Argument(metavar="ID", help="An order id or a signal id.")]


@cli.command()
def submit(
    file: Annotated[str, typer.Argument(help="JSON lines, one signal each; - for stdin.")],
    as_json: AsJson = False,
) -> None:
    """Publish signals; print for each its id, or why it was refused."""
    from workers.cli.signals import account_check
    from workers.cli.submission import submit_lines

    # A fault of the settings is reported before anything is published.
    load_settings()
    refused = 0
    with _opened(file) as lines:
        for result in submit_lines(_read(lines, file), account_check()):
            refused += "error" in result
            print_line(result if as_json else None, _submitted(result))
    raise typer.Exit(1 if refused else 0)


def _opened(file: str) -> BinaryIO:
    if file == "-":
        if sys.stdin is None:
            raise CommandError("FILE: standard input is closed")
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise CommandError(f"FILE: {file!r} cannot be read: {error.strerror}") from None


def _read(lines: BinaryIO, file: str) -> Iterator[bytes]:
    """Each line as it arrives, so that a producer can keep writing."""
    try:
        yield from iter(lines.readline, b"")
    except OSError as error:
        raise CommandError(f"FILE: {file!r} cannot be read further: {error.strerror}") from None


def _submitted(result: dict[str, Any]) -> str:
    name = result.get("signal_id") or "?"
    if "error" in result:
        return f"{name}  refused: {result['error']}"
    return f"{name}  {result.get('order_id') or result['arbitrage_id']}"


@cli.command()
def order(order_id: OrderId, as_json: AsJson = False) -> None:
    """Show one order with its attempts and fills, also after it has left Redis."""
    view = views.whole_order_view(_known(order_id))
    if as_json:
        print_json(view)
        return
    about = {key: view[key] for key in view if key not in ("attempts", "fills")}
    lay_out(
        tables.fields("Order", about),
        tables.table("Attempts", view["attempts"], tables.ATTEMPT_COLUMNS),
        tables.table("Fills", view["fills"], tables.FILL_COLUMNS),
    )


@cli.command()
def orders(
    state: Annotated[str | None, typer.Option("--state", help="Only this state.")] = None,
    account: OfAccount = None,
    symbol: OfSymbol = None,
    strategy: OfStrategy = None,
    last: Last = LAST,
    since: Since = None,
    archived: Annotated[
        bool, typer.Option("--archived", help="All of history, from the ledger.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List orders, newest first: those in Redis, or all of history."""
    if state is not None and state not in list(OrderState):
        raise typer.BadParameter(f"{state!r} is not one of {', '.join(OrderState)}")
    wanted = wanted_rows(last, since, account, symbol, strategy, state)
    newest, note = wanted.newest(
        _archived(wanted) if archived else stores().listings.orders(),
        lambda each: each.created_at,
        lambda each: wanted.matches(
            accounts=(each.account,),
            symbols=(each.symbol,),
            strategy=each.strategy,
            state=each.state.value,
        ),
    )
    rows = [views.order_view(each) for each in newest]
    show("Orders", rows, tables.ORDER_COLUMNS, as_json, note)


def _archived(wanted: Wanted) -> Iterator[Order]:
    return ledger().orders(since=wanted.since, account=wanted.account, newest_first=True)


@cli.command()
def refused(
    account: OfAccount = None,
    symbol: OfSymbol = None,
    strategy: OfStrategy = None,
    last: Last = LAST,
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    """List refused signals and the reasons, newest first."""
    # A signal that was refused may name an account that is not configured.
    moment = None if since is None else moment_of(since)
    wanted = Wanted(last, moment, account, symbol, strategy)
    newest, note = wanted.newest(
        stores().listings.refused(), lambda each: each.time, lambda each: _is_of(wanted, each.body)
    )
    rows = [
        {"time": time_text(r.time), "task": r.task, "reason": r.reason, "body": r.body}
        for r in newest
    ]
    show("Refused signals", rows, ("time", "task", "reason", "body"), as_json, note)


def _is_of(wanted: Wanted, body: str) -> bool:
    """Whether a refused body, which may be anything, matches the filters."""
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        decoded = None
    fields = decoded if isinstance(decoded, dict) else {}
    strategy = fields.get("strategy")
    return wanted.matches(
        accounts=[fields.get(name) for name in ("account", "buy_account", "sell_account")],
        symbols=[fields.get("symbol")],
        strategy=strategy if isinstance(strategy, str) else None,
    )


@cli.command()
def cancel(order_id: OrderId, as_json: AsJson = False) -> None:
    """Request cancellation of an order."""
    from workers.cli.submission import submit_cancel

    order = _known(order_id)
    order_id = order.order_id
    entry_id = submit_cancel(order_id)
    obstacle = _obstacle(order)
    result = {"order_id": order_id, "entry_id": entry_id, "obstacle": obstacle}
    text = f"cancel of {order_id} is published"
    print_line(result if as_json else None, text + (f"; {obstacle}" if obstacle else ""))


def _obstacle(order: Order) -> str | None:
    """The reason why a cancel of the order has no effect, as far as is known here."""
    if not order.is_live:
        return f"it is {order.state} already"
    if order.account not in load_settings().accounts:
        return what_is_missing(order.account)
    return order.reason if order.cancel_requested else None


@cli.command()
def settle(
    order_id: OrderId,
    exchange_order_id: Annotated[
        str | None, typer.Option(help="The order's id at the exchange.")
    ] = None,
    not_there: Annotated[
        bool, typer.Option("--not-there", help="The exchange has no such order.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Settle manually an order in quarantine, or one that the exchange no longer reports, with the
    outcome that you found at the exchange."""
    if not_there is (exchange_order_id is not None):
        raise typer.BadParameter("give either --exchange-order-id or --not-there")
    order_id = _known(order_id).order_id
    try:
        settled = services().manager.settle(order_id, exchange_order_id)
    except (NotInQuarantine, UnknownAccount, ValueError) as error:
        raise CommandError(str(error)) from None
    print_line(views.order_view(settled) if as_json else None, f"{order_id} is {settled.state}")


def _known(name: str) -> Order:
    """The order with that id or signal id, from Redis or else from the ledger."""
    records = stores().orders
    by_id, by_signal = records.order(name), records.order(order_id_of(name))
    if by_id is None and by_signal is None:
        by_id, by_signal = ledger().order(name), ledger().order(order_id_of(name))
    if by_id is not None and by_signal is not None:
        raise CommandError(
            f"ID: {name!r} is the id of one order and the signal id of another, "
            f"{by_signal.order_id}; give the order id of the one that is meant"
        )
    order = by_id or by_signal
    if order is None:
        raise CommandError(
            f"ID: {name!r} is neither the id nor the signal id of an order{_hint(name)}"
        )
    return order


def _hint(name: str) -> str:
    """What else the name may identify."""
    arbitrages = stores().arbitrages
    if arbitrages.arbitrage(name) or arbitrages.arbitrage(arbitrage_id_of(name)):
        return "; it is an arbitrage's: see oneorder arbitrages, which names its orders"
    return ""
