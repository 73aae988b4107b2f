"""Reads what ccxt raised, down to the HTTP client's own error, into a Failure."""

import re
from collections.abc import Iterator

import ccxt
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from execution.api.transport import StrictTransport
from execution.error_handler import Failure
from execution.ports import ExchangeUnavailable, QuestionRefused, UnknownSymbol

# Both are raised before a connection exists, so no byte of the request has left.
_NO_CONNECTION = (NewConnectionError, ConnectTimeoutError)


_SIGNATURE = re.compile(r"signature=\w+")


def without_signature(text: str) -> str:
    """ccxt quotes whole URLs in its errors; what signed them has no business in a log."""
    return _SIGNATURE.sub("signature=...", text)


def kind_of_failure(error: Exception) -> type[ExchangeUnavailable]:
    """Say whether a question that ended in `error` failed by itself, or with its exchange.

    What ccxt calls an OperationFailed is the network or the exchange as a whole, but for an answer
    that is not what was asked for; a key that is not accepted fails every question alike.
    """
    if isinstance(error, ccxt.BadSymbol):
        return UnknownSymbol
    if isinstance(error, ccxt.BadResponse):
        return QuestionRefused
    if isinstance(error, (ccxt.OperationFailed, ccxt.AuthenticationError)):
        return ExchangeUnavailable
    return QuestionRefused


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
