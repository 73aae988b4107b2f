"""What a failure means: proof of no, proof of not sent, or nothing that anybody knows yet.

What no row of an exchange's table fits is UNKNOWN, which is looked up at the exchange and never
sent again on a guess.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from execution.exchanges.verdict_tables import BINANCE, EVERY_EXCHANGE, TABLES
from execution.exchanges.verdicts import Failure, Row, row_for
from execution.model.order import Verdict

__all__ = [
    "BINANCE",
    "TABLES",
    "Failure",
    "NotSent",
    "OrderRejected",
    "OutcomeUnknown",
    "Row",
    "log_and_retry",
    "row_of",
    "verdict_of",
]

P = ParamSpec("P")
T = TypeVar("T")


def row_of(failure: Failure, exchange: str) -> Row | None:
    """The row that decides about a failed placement; None where nothing is proof."""
    return row_for(failure, (*EVERY_EXCHANGE, *TABLES.get(exchange, ())))


def verdict_of(failure: Failure, exchange: str) -> Verdict:
    """Judge a failed placement by the exchange's table; UNKNOWN where no row is proof."""
    row = row_of(failure, exchange)
    return Verdict.UNKNOWN if row is None else row.verdict


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
        wait=wait_exponential_jitter(multiplier=0.1, max=5),
        before_sleep=log_repeat,
        reraise=True,
    )
    return retrying(function, *args, **kwargs)
