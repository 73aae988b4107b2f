"""Converts an error of ccxt, with the HTTP client's error below it, to a Failure."""

from http import HTTPStatus

import ccxt

from execution.api.http.transport import StrictTransport
from execution.api.strict.causes import never_connected
from execution.exchanges.verdicts import Failure
from execution.model.errors import ExchangeUnavailable, RequestRefused, UnknownSymbol
from execution.text.redaction import redact


def reason_of(error: Exception) -> str:
    """The error for a log or a record. ccxt quotes whole URLs and answers in its errors; signatures
    and keys in them must not get there."""
    return f"{type(error).__name__}: {redact(str(error))}"


def kind_of_failure(
    error: Exception, status: int | None, *, is_outage: bool = False
) -> type[ExchangeUnavailable]:
    """The class of a request's failure in `error`, with that HTTP status: UnknownSymbol or
    RequestRefused if only this request failed, else ExchangeUnavailable, also if the exchange
    itself says so (`is_outage`). ccxt's OperationFailed means the network or the exchange as a
    whole, except for an answer of the wrong shape; a key that is not accepted fails every request.

    For messages that are in no table of ccxt's, a server error's status decides.
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
    """What is known of the request that ended in `error` on `transport`."""
    return Failure(
        kind=type(error).__name__,
        message=redact(str(error)),
        status=transport.http_status,
        code=transport.exchange_code,
        reached=transport.sent and not never_connected(error),
        retry_after_s=transport.retry_after_s,
    )
