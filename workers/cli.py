"""The command line. Exit 0 done, 1 failed, 2 wrong usage; an error is one sentence on stderr."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from execution.clock import SystemClock
from execution.contracts import UnsupportedExchange
from execution.order_manager import NotInQuarantine
from execution.orders import OrderState
from execution.ports import ExchangeUnavailable, StoreUnavailable
from execution.reconciliation import AlreadyRunning
from signals.publisher import PublishFailed
from workers import tables, views
from workers.embedded import NotInstalled, run_valkey
from workers.settings import SettingsError, load_settings

cli = typer.Typer(
    name="oneorder",
    help="One signal, one order, whatever fails in between.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
OfAccount = Annotated[str | None, typer.Option("--account", help="Only this account.")]


class Refused(Exception):
    """The command cannot do what was asked; the message is the sentence for the user."""


# The base of every wrong usage; typer has no public name for it.
UsageError: Any = typer.BadParameter.__bases__[0]
# What these say is written for the user; anything else is a bug and shows itself as one.
SENTENCES = (
    Refused,
    NotInstalled,
    SettingsError,
    StoreUnavailable,
    ExchangeUnavailable,
    UnsupportedExchange,
    AlreadyRunning,
    PublishFailed,
)


@cli.command()
def demo(
    signals: Annotated[int, typer.Option(min=30, help="How many signals to publish.")] = 40,
    seed: Annotated[int, typer.Option(help="The same seed publishes the same signals.")] = 7,
) -> None:
    """Run the main job end to end on this machine, with processes of its own."""
    from workers.demo import run_demo

    raise typer.Exit(run_demo(signals, seed, _console()))


@cli.command()
def chaos(
    orders: Annotated[int, typer.Option(min=1)] = 500,
    seed: Annotated[int, typer.Option()] = 1,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long the disorder lasts.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Kill, pause and cut everything while orders run; exit 1 if one is lost or doubled."""
    from workers.chaos import report, run
    from workers.chaos.disorder import Rhythm

    outcome = run.run_chaos(orders, seed, minutes, Rhythm())
    if as_json:
        _print_json(report.outcome_view(outcome))
    else:
        report.show(outcome, _console())
    raise typer.Exit(0 if outcome.is_clean else 1)


@cli.command()
def redis(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 6379,
    directory: Annotated[Path, typer.Option("--dir", help="Where the data lies.")] = Path(),
) -> None:
    """Run an embedded Valkey in the foreground, every write on disk before it is confirmed."""
    run_valkey(port, directory)


@cli.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    add_help_option=False,
)
def paper(context: typer.Context) -> None:
    """Run a paper exchange in the foreground: --dialect, --port, --seed, --account, --balance."""
    os.execv(sys.executable, [sys.executable, "-m", "paper_exchange", *context.args])  # noqa: S606


@cli.command()
def submit(
    file: Annotated[str, typer.Argument(help="JSON lines, one signal each; - for stdin.")],
    as_json: AsJson = False,
) -> None:
    """Publish signals; print for each its id, or why it was refused."""
    from workers.submission import submit_lines

    try:
        lines = sys.stdin if file == "-" else Path(file).open(encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise Refused(f"FILE: {file!r} cannot be read: {error.strerror}") from None
    refused = 0
    with lines:
        for result in submit_lines(lines):
            refused += "error" in result
            _print_line(result if as_json else None, _submitted(result))
    raise typer.Exit(1 if refused else 0)


def _submitted(result: dict[str, Any]) -> str:
    name = result.get("signal_id") or "?"
    return f"{name}  {result.get('order_id') or 'refused: ' + result['error']}"


@cli.command()
def order(order_id: Annotated[str, typer.Argument()], as_json: AsJson = False) -> None:
    """Show one order with its attempts and fills."""
    found = _store().order(order_id)
    if found is None:
        raise Refused(f"ID: no order {order_id!r} is known")
    view = views.whole_order_view(found)
    if as_json:
        _print_json(view)
        return
    console = _console()
    rows = [{"field": key, "value": view[key]} for key in views.order_view(found)]
    console.print(tables.table("Order", rows, ("field", "value")))
    console.print(tables.table("Attempts", view["attempts"], tables.ATTEMPT_COLUMNS))
    console.print(tables.table("Fills", view["fills"], tables.FILL_COLUMNS))


@cli.command()
def orders(
    state: Annotated[str | None, typer.Option("--state", help="Only this state.")] = None,
    account: OfAccount = None,
    as_json: AsJson = False,
) -> None:
    """List orders, oldest first."""
    if state is not None and state not in list(OrderState):
        raise typer.BadParameter(f"{state!r} is not one of {', '.join(OrderState)}")
    wanted = None if state is None else OrderState(state)
    rows = [views.order_view(found) for found in _store().orders(wanted, account)]
    _show("Orders", rows, tables.ORDER_COLUMNS, as_json)


@cli.command()
def refused(as_json: AsJson = False) -> None:
    """List signals that could not become orders, newest first, with the reason."""
    rows = [
        {"time": r.time.isoformat(), "task": r.task, "reason": r.reason, "body": r.body}
        for r in _store().refused_intents(count=1_000)
    ]
    _show("Refused signals", rows, ("time", "task", "reason", "body"), as_json)


@cli.command()
def cancel(order_id: Annotated[str, typer.Argument()], as_json: AsJson = False) -> None:
    """Publish the wish that an order be gone."""
    from workers.submission import submit_cancel

    _store_knows(order_id)
    entry_id = submit_cancel(order_id)
    result = {"order_id": order_id, "entry_id": entry_id}
    _print_line(result if as_json else None, f"cancel of {order_id} is published")


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
    """Decide an order in quarantine by what you found at the exchange."""
    from workers.bootstrap import services

    if not_there is (exchange_order_id is not None):
        raise typer.BadParameter("say either --exchange-order-id or --not-there")
    _store_knows(order_id)
    try:
        settled = services().manager.settle(order_id, exchange_order_id)
    except (NotInQuarantine, ValueError) as error:
        raise Refused(str(error)) from None
    _print_line(views.order_view(settled) if as_json else None, f"{order_id} is {settled.state}")


@cli.command()
def positions(account: OfAccount = None, as_json: AsJson = False) -> None:
    """Show positions with their profit and loss."""
    rows = views.position_views(_store(), account, SystemClock().now_ms())
    _show("Positions", rows, tables.POSITION_COLUMNS, as_json)


@cli.command()
def reconcile(account: OfAccount = None, as_json: AsJson = False) -> None:
    """Reconcile with the exchange now; print what was found and done."""
    from workers.bootstrap import services

    parts = services()
    if not parts.accounts:
        raise Refused("accounts: none is configured")
    if account is not None and account not in parts.accounts:
        raise Refused(f"--account: {account!r} is not configured")
    rows = [
        views.reconciliation_view(parts.reconciler.run(name, parts.connections.exchange(name)))
        for name in (parts.accounts if account is None else [account])
    ]
    columns = (
        "account",
        "symbols",
        "fills_applied",
        "orders_settled",
        "external_orders",
        "took_ms",
    )
    _show("Reconciliation", rows, columns, as_json)


def _store() -> Any:
    from workers.bootstrap import open_store

    return open_store(load_settings())


def _store_knows(order_id: str) -> None:
    if _store().order(order_id) is None:
        raise Refused(f"ID: no order {order_id!r} is known")


def _console() -> Console:
    """As wide as the terminal; wide enough for a whole row where there is none."""
    return Console() if sys.stdout.isatty() else Console(width=200)


def _show(title: str, rows: list[dict[str, Any]], columns: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        _print_json(rows)
    else:
        _console().print(tables.table(title, rows, columns))


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


def _print_line(value: object | None, text: str) -> None:
    sys.stdout.write((text if value is None else json.dumps(value)) + "\n")


def main() -> NoReturn:
    """Run a command; turn whatever was refused or out of reach into one sentence."""
    try:
        sys.exit(cli(standalone_mode=False))
    except UsageError as error:
        sys.stderr.write(f"oneorder: {error.format_message()}\n")
        sys.exit(2)
    except SENTENCES as error:
        sys.stderr.write(f"oneorder: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
