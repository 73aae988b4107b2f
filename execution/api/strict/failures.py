"""Reads what ccxt raised, down to the HTTP client's own error, into a Failure."""

from http import HTTPStatus

import ccxt

from execution.api.http.transport import StrictTransport
from execution.api.strict.causes import never_connected
from execution.exchanges.verdicts import Failure
from execution.model.errors import ExchangeUnavailable, RequestRefused, UnknownSymbol
from execution.text.redaction import redact


def reason_of(error: Exception) -> str:
    """The error for a log or a record. ccxt quotes whole URLs and answers: what signed them, and
    what an exchange echoes of a key, is left out."""
    return f"{type(error).__name__}: {redact(str(error))}"


def kind_of_failure(
    error: Exception, status: int | None, *, is_outage: bool = False
) -> type[ExchangeUnavailable]:
    """Say whether a question that ended in `error`, with that HTTP status, failed by itself, or
    with its exchange, which may also have said so itself (`is_outage`).

    What ccxt calls an OperationFailed is the network or the exchange as a whole, but for an answer
    that is not what was asked for; a key that is not accepted fails every question alike. For
    words that are in no table of ccxt's, the status of a fault of the server decides.
    """
    if isinstance(error, ccxt.BadSymbol):
        return UnknownSymbol
    if is_outage or (status is not None and status >= HTTPStatus.INTERNAL_SERVER_ERROR):
        return ExchangeUnavailable
    if isinstance(error, ccxt.BadResponse):
        return RequestRefused
    if isinstance(error, (ccxt.OperationFailed, ccxt.AuthenticationError)):
        return ExchangeUnavailable
    return RequestRefused


def failure_of(error: Exception, transport: StrictTransport) -> Failure:
    """Say what is known of the request that ended in `error` on `transport`."""
    return Failure(
        kind=type(error).__name__,
        message=redact(str(error)),
        status=transport.http_status,
        code=transport.exchange_code,
        reached=transport.sent and not never_connected(error),
        retry_after_s=transport.retry_after_s,
    )
