"""What a failure means: proof of no, proof of not sent, or nothing that anybody knows yet.

The table is read from the top; the first row that fits decides. What no row fits is UNKNOWN, which
is looked up at the exchange and never sent again on a guess.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from execution.orders import Verdict

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """What is known of a request that did not come back as an order.

    `kind` is the name of the error class, `status` the HTTP status and `code` the exchange's own
    code, each None where there was none. `reached` is False only with proof that no byte left.
    """

    kind: str
    message: str
    status: int | None = None
    code: str | None = None
    reached: bool = True
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One rule of an exchange's table; a field that is None fits everything."""

    verdict: Verdict
    why: str
    status: range | None = None
    code: str | None = None
    message: str | None = None
    kind: str | None = None
    reached: bool | None = None

    def fits(self, failure: Failure) -> bool:
        return (
            (self.status is None or (failure.status or 0) in self.status)
            and (self.code is None or self.code == failure.code)
            and (self.message is None or self.message.lower() in failure.message.lower())
            and (self.kind is None or self.kind == failure.kind)
            and (self.reached is None or self.reached == failure.reached)
        )


_4XX = range(400, 500)
_5XX = range(500, 600)

EVERY_EXCHANGE = (
    Row(Verdict.NOT_SENT, "the connection was never made", reached=False),
    Row(Verdict.UNKNOWN, "the server broke while it held the request", status=_5XX),
)

BINANCE = (
    Row(Verdict.NOT_SENT, "too many requests", status=range(429, 430)),
    Row(Verdict.NOT_SENT, "banned for a while", status=range(418, 419)),
    Row(Verdict.NOT_SENT, "blocked by the firewall", status=range(403, 404)),
    Row(Verdict.NOT_SENT, "outside the receive window", status=_4XX, code="-1021"),
    Row(Verdict.NOT_SENT, "too many orders", status=_4XX, code="-1015"),
    Row(Verdict.UNKNOWN, "an unexpected answer from the matching engine", code="-1006"),
    Row(Verdict.UNKNOWN, "timed out inside the exchange", code="-1007"),
    # An order with our id is there: which one, and how it stands, only a lookup can tell.
    Row(Verdict.UNKNOWN, "an order with this id stands", status=_4XX, message="Duplicate order"),
    Row(Verdict.REJECTED, "refused by a filter", status=_4XX, code="-1013"),
    Row(Verdict.REJECTED, "refused by the matching engine", status=_4XX, code="-2010"),
    Row(Verdict.REJECTED, "the key is not accepted", status=_4XX, code="-2014"),
    Row(Verdict.REJECTED, "the key is not accepted", status=_4XX, code="-2015"),
    Row(Verdict.REJECTED, "the signature is wrong", status=_4XX, code="-1022"),
    Row(Verdict.REJECTED, "unauthorized", status=_4XX, code="-1002"),
    Row(Verdict.REJECTED, "an illegal character", status=_4XX, code="-1100"),
    Row(Verdict.REJECTED, "too many parameters", status=_4XX, code="-1101"),
    Row(Verdict.REJECTED, "a parameter is missing or malformed", status=_4XX, code="-1102"),
    Row(Verdict.REJECTED, "an unknown parameter", status=_4XX, code="-1103"),
    Row(Verdict.REJECTED, "an unread parameter", status=_4XX, code="-1104"),
    Row(Verdict.REJECTED, "an empty parameter", status=_4XX, code="-1105"),
    Row(Verdict.REJECTED, "a parameter that is not wanted", status=_4XX, code="-1106"),
    Row(Verdict.REJECTED, "too much precision", status=_4XX, code="-1111"),
    Row(Verdict.REJECTED, "no orders on the book", status=_4XX, code="-1112"),
    Row(Verdict.REJECTED, "an invalid time in force", status=_4XX, code="-1115"),
    Row(Verdict.REJECTED, "an invalid order type", status=_4XX, code="-1116"),
    Row(Verdict.REJECTED, "an invalid side", status=_4XX, code="-1117"),
    Row(Verdict.REJECTED, "an invalid symbol", status=_4XX, code="-1121"),
)

TABLES: dict[str, tuple[Row, ...]] = {"binance": BINANCE}


def verdict_of(failure: Failure, exchange: str) -> Verdict:
    """Judge a failed placement by the exchange's table; UNKNOWN where no row is proof."""
    for row in (*EVERY_EXCHANGE, *TABLES.get(exchange, ())):
        if row.fits(failure):
            return row.verdict
    return Verdict.UNKNOWN


class NotSent(Exception):
    """The request provably did not and will not reach the exchange: it may be made again."""


class OrderRejected(Exception):
    """The exchange said no; there is no order."""


class OutcomeUnknown(Exception):
    """Nobody knows whether the order stands. Look it up by `client_order_id`; never repeat it."""

    def __init__(self, message: str, client_order_id: str) -> None:
        super().__init__(message)
        self.client_order_id = client_order_id


def log_and_retry(
    exception: BaseException, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Log `exception` and call `function(*args)` again, up to five times with growing pauses,
    if and only if a repeat cannot double anything.

    Only NotSent proves that. Every other exception, one raised by a repeat included, is raised
    to the caller at once: an unknown outcome is looked up, never repeated.
    """
    log = structlog.get_logger("oneorder")
    name = getattr(function, "__name__", repr(function))
    log.warning("call_failed", function=name, error=str(exception), kind=type(exception).__name__)
    if not isinstance(exception, NotSent):
        raise exception

    def log_repeat(state: RetryCallState) -> None:
        log.warning("call_repeated", function=name, attempt=state.attempt_number)

    retrying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, NotSent)),
        stop=stop_after_attempt(5),
        wait=wait_exponential_jitter(initial=0.1, max=5),
        before_sleep=log_repeat,
        reraise=True,
    )
    return retrying(function, *args, **kwargs)
