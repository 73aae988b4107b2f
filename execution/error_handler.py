"""The meaning of a failure: proof of rejection, proof of not sent, or unknown.

A failure that matches no row of an exchange's table is UNKNOWN: the order is looked up at the
exchange and never sent again on a guess.
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

from execution.exchanges.registry import row_of, verdict_of
from execution.model.errors import NotSent, OrderRejected, OutcomeUnknown

__all__ = [
    "NotSent",
    "OrderRejected",
    "OutcomeUnknown",
    "log_and_retry",
    "row_of",
    "verdict_of",
]

P = ParamSpec("P")
T = TypeVar("T")


def log_and_retry(
    exception: BaseException, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Log `exception` and call `function(*args)` again, up to five times with growing pauses, if
    and only if a repeat cannot double anything.

    Only NotSent proves that. Every other exception, also one raised by a repeat, is raised to the
    caller at once: an unknown outcome must be looked up, never repeated.
    """
    log = structlog.get_logger("oneorder")
    name = getattr(function, "__name__", repr(function))
    log.warning("call_failed", function=name, error=str(exception), kind=type(exception).__name__)
    if not isinstance(exception, NotSent):
        raise exception

    def log_repeat(state: RetryCallState) -> None:
        log.warning("call_retried", function=name, attempt=state.attempt_number)

    retrying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, NotSent)),
        stop=stop_after_attempt(5),
        wait=wait_exponential_jitter(multiplier=0.1, max=5),
        before_sleep=log_repeat,
        reraise=True,
    )
    return retrying(function, *args, **kwargs)
