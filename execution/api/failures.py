"""Reads what ccxt raised, down to the HTTP client's own error, into a Failure."""

from collections.abc import Iterator

from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from execution.api.transport import StrictTransport
from execution.error_handler import Failure
from execution.redaction import redact

# Both are raised before a connection exists, so no byte of the request has left.
_NO_CONNECTION = (NewConnectionError, ConnectTimeoutError)


def without_signature(text: str) -> str:
    """ccxt quotes whole URLs and answers in its errors; what signed them, and what an exchange
    echoes of a key, has no business in a log or in a record."""
    return redact(text)


def failure_of(error: Exception, transport: StrictTransport) -> Failure:
    """Say what is known of the request that ended in `error` on `transport`."""
    return Failure(
        kind=type(error).__name__,
        message=without_signature(str(error)),
        status=transport.http_status,
        code=transport.exchange_code,
        reached=transport.sent and not _never_connected(error),
        retry_after_s=transport.retry_after_s,
    )


def _never_connected(error: Exception) -> bool:
    return any(isinstance(cause, _NO_CONNECTION) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk an error's causes; urllib3 keeps its own in `reason`, requests in its first argument."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, getattr(cause, "reason", None), *cause.args[:1]]
