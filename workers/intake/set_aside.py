"""Keeps malformed messages, and logs the beginning of each."""

from collections.abc import Callable

import structlog

from execution.model.errors import StoreUnavailable
from execution.orders.store import SECRET_LENGTH_MAX
from execution.text.cutting import cut
from execution.text.redaction import redact

Keep = Callable[[str, str], None]

# How many bytes of a malformed message are logged.
LOGGED_MAX = 1_000

log = structlog.get_logger("oneorder")
_keep: Keep | None = None


def keep_malformed_with(keep: Keep) -> None:
    """Set the store of malformed messages: `keep(text, reason)` is called for each."""
    global _keep  # Celery makes these classes itself; they take no arguments of ours.
    _keep = keep


def put_aside(text: str, reason: str) -> None:
    """Log a malformed message, and keep it."""
    text = text.encode(errors="backslashreplace").decode()
    log.error("malformed_message", reason=shown(reason), text=shown(text), length=len(text))
    try:
        if _keep is not None:
            _keep(text, reason)
    except StoreUnavailable as error:
        # The line above has the text, or its beginning; the worker continues.
        log.error("malformed_message_not_kept", error=str(error))  # noqa: TRY400  # Enough said.


def shown(text: str) -> str:
    """The beginning of an external text, without secrets, and its length."""
    looked_at = LOGGED_MAX + SECRET_LENGTH_MAX
    return cut(redact(text[:looked_at]) + text[looked_at:], LOGGED_MAX)
