"""Reads what ccxt raised, down to the HTTP client's own error, into a Failure."""

import re

from execution.api.causes import never_connected
from execution.api.transport import StrictTransport
from execution.error_handler import Failure

_SIGNATURE = re.compile(r"signature=\w+")


def without_signature(text: str) -> str:
    """ccxt quotes whole URLs in its errors; what signed them has no business in a log."""
    return _SIGNATURE.sub("signature=...", text)


def failure_of(error: Exception, transport: StrictTransport) -> Failure:
    """Say what is known of the request that ended in `error` on `transport`."""
    return Failure(
        kind=type(error).__name__,
        message=without_signature(str(error)),
        status=transport.http_status,
        code=transport.exchange_code,
        reached=transport.sent and not never_connected(error),
        retry_after_s=transport.retry_after_s,
    )
