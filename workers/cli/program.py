"""Runs a command. Exit 0 done, 1 failed, 2 wrong usage; an error is one sentence on stderr."""

import errno
import os
import sys
import traceback
from io import TextIOWrapper
from typing import Any

import typer

from execution.model.errors import (
    AlreadyRunning,
    ExchangeUnavailable,
    LedgerUrlError,
    StoreUnavailable,
    UnsupportedExchange,
)
from execution.text.cutting import cut
from execution.text.redacted_logging import redact_process_output
from execution.text.redaction import redact
from oneorder.errors import PublishFailed, SettingsError
from workers.cli import arbitrage, orders, positions, reporting, running, signals
from workers.cli.app import CommandError, cli
from workers.cli.interrupts import was_interrupted
from workers.configuration.settings import load_settings
from workers.sandbox.errors import CannotStart, NotInstalled, NotReady
from workers.views.plain_text import plain

# Importing them adds their commands to the app.
COMMANDS = (arbitrage, orders, positions, reporting, running, signals)

# The base of every wrong usage; typer has no public name for it.
UsageError: Any = typer.BadParameter.__bases__[0]
# Their sentences are written for the user; any other error is a fault of oneorder.
SENTENCES = (
    CommandError,
    NotInstalled,
    CannotStart,
    NotReady,
    SettingsError,
    StoreUnavailable,
    ExchangeUnavailable,
    UnsupportedExchange,
    AlreadyRunning,
    LedgerUrlError,
    PublishFailed,
)
DEBUG_VARIABLE = "ONEORDER_LOG_LEVEL"
SENTENCE_BYTES_MAX = 2_000
OUTPUT_ERRORS = (errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT)


def run(interrupted: int) -> int:
    """Run the command; return its exit code, which is `interrupted` after Ctrl-C."""
    _open_streams()
    redact_process_output()
    try:
        code = _outcome()
    except KeyboardInterrupt:
        return interrupted
    finally:
        # Typer replaces our hook by its own.
        redact_process_output()
    # typer converts an interrupt to its own exit code.
    return interrupted if was_interrupted() else code


def _open_streams() -> None:
    """Make both streams available, also if the caller closed them, and able to print any text."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # It stays open until the process ends.
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Characters outside the terminal's encoding are escaped.
            stream.reconfigure(errors="backslashreplace")


def _outcome() -> int:
    try:
        _check_arguments(sys.argv[1:])
        code = int(cli(standalone_mode=False) or 0)
        sys.stdout.flush()
    except UsageError as error:
        return _fail(error.format_message(), 2)
    except SENTENCES as error:
        return _fail(str(error), 1)
    except BrokenPipeError:
        # The reader of the output has closed it, which is no error.
        return 1
    except Exception as error:  # noqa: BLE001  # Every other error also gets a sentence; nothing is swallowed.
        return _fail(_unexpected(error), 1)
    return code


def _fail(sentence: str, code: int) -> int:
    # One line of limited length without secrets, whatever text it quotes.
    sys.stderr.write(f"oneorder: {cut(plain(redact(sentence)), SENTENCE_BYTES_MAX)}\n")
    return code


def _check_arguments(arguments: list[str]) -> None:
    for number, word in enumerate(arguments, start=1):
        try:
            word.encode()
        except UnicodeEncodeError:
            raise typer.BadParameter(f"argument {number}: {word!r} is not UTF-8") from None


def _unexpected(error: Exception) -> str:
    """The sentence for an error without one; the traceback is shown at log level DEBUG."""
    if isinstance(error, OSError) and error.errno in OUTPUT_ERRORS and error.filename is None:
        return f"cannot write the output: {error.strerror}"
    if os.environ.get(DEBUG_VARIABLE, "").upper() == "DEBUG":
        sys.stderr.write(redact("".join(traceback.format_exception(error))))
    _report(error)
    text = " ".join(str(error).split())[:200]
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"internal error: {said} (set {DEBUG_VARIABLE}=DEBUG for the traceback)"


def _report(error: Exception) -> None:
    try:
        dsn = load_settings().sentry_dsn
    except SettingsError:
        return
    # Its import takes longer than most commands.
    from workers.observers.sentry import initialize_sentry, report_error

    initialize_sentry(dsn)
    report_error(error)
