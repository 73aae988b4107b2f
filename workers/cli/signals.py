"""Commands about signals without an order, and warnings at their publication."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from execution.orders.signal_age import publication_time
from execution.text.redaction import redact
from oneorder.errors import SettingsError
from workers.cli.app import AsJson, cli, show, stores
from workers.configuration.settings import load_settings
from workers.views.plain_text import plain
from workers.views.plain_values import time_text

if TYPE_CHECKING:
    from oneorder import ArbitrageSignal, OrderSignal

COLUMNS = ("published_at", "waiting_since", "task", "reason", "body")


@cli.command()
def waiting(as_json: AsJson = False) -> None:
    """List signals that wait, oldest first, with the reason."""
    rows = [
        {
            "entry_id": each.intent.entry_id,
            "published_at": time_text(publication_time(each.intent.entry_id, each.since)),
            "waiting_since": time_text(each.since),
            "task": each.intent.task,
            "v": each.intent.version,
            "reason": each.reason,
            "body": each.intent.body,
        }
        for each in stores().waiting.waiting()
    ]
    show("Waiting signals", rows, COLUMNS, as_json)


def account_check() -> "Callable[[OrderSignal | ArbitrageSignal], None]":
    """Warns of signals whose account is not in the local settings, if these have accounts. They are
    still published: a worker elsewhere may have it."""
    from workers.cli.submission import unknown_accounts

    try:
        accounts = load_settings().accounts
    except SettingsError as error:
        # A producer does not need the settings that are invalid.
        _warn(f"accounts are not checked: {error}")
        accounts = {}

    def check(signal: "OrderSignal | ArbitrageSignal") -> None:
        for name in unknown_accounts(signal, accounts):
            _warn(
                f"{signal.signal_id}: account {name!r} is not configured here (known: "
                f"{', '.join(accounts)}); published for a worker that has it"
            )

    return check


def _warn(sentence: str) -> None:
    sys.stderr.write(f"oneorder: warning: {plain(redact(sentence))}\n")
