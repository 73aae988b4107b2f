"""The command line's app and the output of commands: tables, or JSON only."""

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, RenderableType

from execution.text.redaction import redact, redact_prose
from oneorder import __version__
from workers.configuration.settings import load_settings
from workers.views import tables
from workers.views.plain_text import plain

if TYPE_CHECKING:
    from execution.ledger.port import Ledger
    from execution.store.stores import Stores
    from workers.bootstrap import Services

cli = typer.Typer(
    name="oneorder",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
OfAccount = Annotated[str | None, typer.Option("--account", help="Only this account.")]


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print_line(None, f"oneorder {__version__}")
        raise typer.Exit


@cli.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """One signal, one order, whatever fails in between."""


class CommandError(Exception):
    """The command failed; the message is the sentence for the user."""


def stores() -> "Stores":
    """Everything in Redis, by the settings."""
    from workers.configuration.opening import stores_of

    return stores_of(load_settings())


def ledger() -> "Ledger":
    """History, by the settings."""
    from workers.configuration.opening import ledger_of

    log_to_stderr()
    return ledger_of(load_settings())


def services() -> "Services":
    """The trading core, by the settings; for the few commands that need more than records."""
    from workers.bootstrap import services

    log_to_stderr()
    return services()


def log_to_stderr() -> None:
    """Standard output is the command's answer; the log of this process goes to standard error, at a
    high level."""
    from workers.observers.logs import configure_logging

    configure_logging(json_lines=False, level="ERROR")


def console() -> Console:
    """As wide as the terminal or COLUMNS; wide enough for most rows if there is neither. Texts are
    never interpreted as markup."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200
    return Console(width=width, markup=False, emoji=False, highlight=False)


def lay_out(*parts: RenderableType) -> None:
    """Print tables and lines of text one below the other; no id is cut at the edge of the
    screen."""
    out = console()
    for part in parts:
        shown = plain(redact(part)) if isinstance(part, str) else part
        out.print(shown, crop=False, soft_wrap=isinstance(part, str))


def show(
    title: str,
    rows: list[dict[str, Any]],
    columns: Sequence[str],
    as_json: bool,
    note: str | None = None,
) -> None:
    """Print rows as a table, with a note below it, or as a JSON list."""
    if as_json:
        print_json(rows)
        return
    lay_out(tables.table(title, rows, columns), *([] if note is None else [note]))


def print_json(value: object) -> None:
    sys.stdout.write(json.dumps(redact_prose(value)) + "\n")


def print_line(value: object | None, text: str) -> None:
    """Print the value as JSON, or else the text, in one line."""
    shown = plain(redact(text)) if value is None else json.dumps(redact_prose(value))
    sys.stdout.write(f"{shown}\n")
