"""Removes secrets from the output of this process: our own log, other libraries' logs,
tracebacks."""

import logging
import sys
import threading
import traceback
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any

from execution.text.redaction import redact, scrub


class RedactedRecord(logging.LogRecord):
    """A log record of the standard library without secrets in its texts, for every logger and
    handler: ccxt and urllib3 log keys and signed URLs at DEBUG."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[0] is not None:
            # Formatters use the existing text.
            self.exc_text = redact("".join(traceback.format_exception(*self.exc_info)).rstrip())

    def getMessage(self) -> str:  # noqa: N802  # The library's name.
        # The names in a dictionary show secrets that its text does not.
        args, logged = self.args, self.args
        if isinstance(args, Mapping):
            logged = scrub(args)
        elif args:
            logged = tuple(scrub(arg) if isinstance(arg, Mapping) else arg for arg in args)
        self.args = logged
        try:
            return redact(super().getMessage())
        finally:
            self.args = args


def redact_event(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last step before structlog renders a line."""
    cleaned: MutableMapping[str, Any] = scrub(event)
    return cleaned


def redact_process_output() -> None:
    """From now on, no line of the standard library's logging and no uncaught traceback of the
    process or a thread shows a secret."""
    logging.setLogRecordFactory(RedactedRecord)
    sys.excepthook = _report_uncaught
    threading.excepthook = _report_uncaught_in_thread


def _report_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))


def _report_uncaught_in_thread(error: threading.ExceptHookArgs) -> None:
    if error.exc_value is None or isinstance(error.exc_value, SystemExit):
        return
    name = "?" if error.thread is None else error.thread.name
    trace = traceback.format_exception(error.exc_type, error.exc_value, error.exc_traceback)
    sys.stderr.write(redact(f"Exception in thread {name}:\n{''.join(trace)}"))
