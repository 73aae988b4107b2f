"""Commands about signals and orders."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from execution.accounts import what_is_missing
from execution.order_manager import NotInQuarantine, UnknownAccount
from execution.orders import Order, OrderState
from workers import tables, views
from workers.commands.app import (
    AsJson,
    OfAccount,
    Refused,
    cli,
    console,
    ledger,
    print_json,
    print_line,
    show,
    stores,
)
from workers.settings import load_settings


@cli.command()
def submit(
    file: Annotated[str, typer.Argument(help="JSON lines, one signal each; - for stdin.")],
    as_json: AsJson = False,
) -> None:
    """Publish signals; print for each its id, or why it was refused."""
    from workers.commands.signals import account_check
    from workers.submission import submit_lines

    # What is wrong with the settings is said before anything is published.
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
            raise Refused("FILE: standard input is closed")
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise Refused(f"FILE: {file!r} cannot be read: {error.strerror}") from None


def _read(lines: BinaryIO, file: str) -> Iterator[bytes]:
    """Each line as it comes, so that a producer can write to us for as long as it likes."""
    try:
        yield from iter(lines.readline, b"")
    except OSError as error:
        raise Refused(f"FILE: {file!r} cannot be read on: {error.strerror}") from None


def _submitted(result: dict[str, Any]) -> str:
    name = result.get("signal_id") or "?"
    if "error" in result:
        return f"{name}  refused: {result['error']}"
    return f"{name}  {result.get('order_id') or result['arbitrage_id']}"


@cli.command()
def order(order_id: Annotated[str, typer.Argument()], as_json: AsJson = False) -> None:
    """Show one order with its attempts and fills, also after it has left Redis."""
    view = views.whole_order_view(_known(order_id))
    if as_json:
        print_json(view)
        return
    out = console()
    rows = [{"field": key, "value": view[key]} for key in view if key not in ("attempts", "fills")]
    out.print(tables.table("Order", rows, ("field", "value")))
    out.print(tables.table("Attempts", view["attempts"], tables.ATTEMPT_COLUMNS))
    out.print(tables.table("Fills", view["fills"], tables.FILL_COLUMNS))


@cli.command()
def orders(
    state: Annotated[str | None, typer.Option("--state", help="Only this state.")] = None,
    account: OfAccount = None,
    archived: Annotated[
        bool, typer.Option("--archived", help="All of history, from the ledger.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List orders, oldest first: those in Redis, or all that there ever were."""
    if state is not None and state not in list(OrderState):
        raise typer.BadParameter(f"{state!r} is not one of {', '.join(OrderState)}")
    wanted = None if state is None else OrderState(state)
    found = _archived(wanted, account) if archived else stores().orders.orders(wanted, account)
    show("Orders", [views.order_view(each) for each in found], tables.ORDER_COLUMNS, as_json)


def _archived(state: OrderState | None, account: str | None) -> Iterator[Order]:
    history = ledger().orders(account=account)
    return (order for order in history if state in (None, order.state))


@cli.command()
def refused(as_json: AsJson = False) -> None:
    """List signals that could not become orders, newest first, with the reason."""
    rows = [
        {"time": r.time.isoformat(), "task": r.task, "reason": r.reason, "body": r.body}
        for r in stores().orders.refused_intents(count=1_000)
    ]
    show("Refused signals", rows, ("time", "task", "reason", "body"), as_json)


@cli.command()
def cancel(order_id: Annotated[str, typer.Argument()], as_json: AsJson = False) -> None:
    """Publish the wish that an order be gone."""
    from workers.submission import submit_cancel

    order = _known(order_id)
    entry_id = submit_cancel(order_id)
    obstacle = _obstacle(order)
    result = {"order_id": order_id, "entry_id": entry_id, "obstacle": obstacle}
    text = f"cancel of {order_id} is published"
    print_line(result if as_json else None, text + (f"; {obstacle}" if obstacle else ""))


def _obstacle(order: Order) -> str | None:
    """What keeps a cancel of the order from taking effect, as far as is known here."""
    if not order.is_live:
        return f"it is {order.state} already"
    if order.account not in load_settings().accounts:
        return what_is_missing(order.account)
    return order.reason if order.cancel_requested else None


@cli.command()
def settle(
    order_id: Annotated[str, typer.Argument()],
    exchange_order_id: Annotated[
        str | None, typer.Option(help="The exchange's id of the order that it became.")
    ] = None,
    not_there: Annotated[
        bool, typer.Option("--not-there", help="The exchange has no such order.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Decide an order that is in quarantine, or that cannot be asked about any more, by what you
    found at the exchange."""
    from workers.bootstrap import services

    if not_there is (exchange_order_id is not None):
        raise typer.BadParameter("say either --exchange-order-id or --not-there")
    _known(order_id)
    try:
        settled = services().manager.settle(order_id, exchange_order_id)
    except (NotInQuarantine, UnknownAccount, ValueError) as error:
        raise Refused(str(error)) from None
    print_line(views.order_view(settled) if as_json else None, f"{order_id} is {settled.state}")


def _known(order_id: str) -> Order:
    """The order, from Redis or else from the ledger."""
    found = stores().orders.order(order_id) or ledger().order(order_id)
    if found is None:
        raise Refused(f"ID: no order {order_id!r} is known")
    return found
