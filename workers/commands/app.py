"""The command line's app, and how commands speak: tables for people, or JSON and nothing else."""

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

from execution.ledger.port import Ledger
from execution.redaction import redact, redact_values
from execution.store.redis_stores import Stores
from workers import tables
from workers.opening import ledger_of, stores_of
from workers.settings import load_settings

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


def stores() -> Stores:
    """Everything in Redis, by the settings."""
    return stores_of(load_settings())


def ledger() -> Ledger:
    """History, by the settings."""
    return ledger_of(load_settings())


def console() -> Console:
    """As wide as the terminal; wide enough for a whole row where there is none."""
    return Console() if sys.stdout.isatty() else Console(width=200)


def show(title: str, rows: list[dict[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """Print rows as a table, or as a JSON list."""
    if as_json:
        print_json(rows)
    else:
        console().print(tables.table(title, rows, columns))


def print_json(value: object) -> None:
    sys.stdout.write(json.dumps(redact_values(value)) + "\n")


def print_line(value: object | None, text: str) -> None:
    """Print the value as JSON, or the text where there is none."""
    sys.stdout.write((redact(text) if value is None else json.dumps(redact_values(value))) + "\n")
