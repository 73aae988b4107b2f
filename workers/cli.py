"""The command line. Exit 0 done, 1 failed, 2 wrong usage; an error is one sentence on stderr."""

import sys
from typing import Any, NoReturn

import typer

from execution.contracts import UnsupportedExchange
from execution.ledger.port import LedgerUrlError
from execution.logger import configure_logging
from execution.ports import ExchangeUnavailable, StoreUnavailable
from execution.reconciliation import AlreadyRunning
from execution.redacted_logging import redact_process_output
from execution.redaction import redact
from signals.publisher import PublishFailed
from workers.commands import arbitrage, orders, positions, reporting, running, signals
from workers.commands.app import Refused, cli
from workers.embedded import NotInstalled
from workers.plain_text import plain
from workers.settings import SettingsError

# Importing them is what puts their commands into the app.
COMMANDS = (arbitrage, orders, positions, reporting, running, signals)

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
    LedgerUrlError,
    PublishFailed,
)


def main() -> NoReturn:
    """Run a command; turn whatever was refused or out of reach into one sentence."""
    # What is printed is the command's answer; the log goes to standard error, and says little.
    configure_logging(json_lines=False, level="ERROR")
    try:
        sys.exit(cli(standalone_mode=False))
    except UsageError as error:
        _say(error.format_message())
        sys.exit(2)
    except SENTENCES as error:
        _say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        # Typer puts a hook of its own in the place of ours.
        redact_process_output()


def _say(sentence: str) -> None:
    """One line, whatever was in the words that it quotes."""
    sys.stderr.write(f"oneorder: {plain(redact(sentence))}\n")


if __name__ == "__main__":
    main()
