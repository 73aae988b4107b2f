"""Why an order waits: the beginnings of its reason, so that it is written once and not at each
retry."""

from dataclasses import dataclass
from datetime import UTC, datetime

from execution.model.events import AttemptUnknown
from execution.model.order import Attempt

UNREACHABLE = "exchange unreachable"
"""The exchange gives no usable answer; followed by its own message."""
HELD = "account on hold, because the exchange asked for a pause,"
"""Nothing is sent on the account until the pause ends; with its end, if the exchange said it."""
ACCOUNT_UNKNOWN = "account unknown to this worker"
"""Another worker may know the account."""
RESTARTED = "looked for at the exchange, because the store restarted,"
"""Redis may have lost an attempt."""
UNKNOWN = "outcome unknown"
"""What is known of the attempt, and when another one may be made; on the exchange's clock."""
BUSY = "account busy"
"""Too much of the account's work is waiting for its exchange, so that no more is begun."""
NOT_CANCELED = "not canceled"
"""The exchange refuses to cancel it; followed by the remedy."""
_CAUSES = (UNREACHABLE, HELD, ACCOUNT_UNKNOWN, RESTARTED, UNKNOWN, BUSY, NOT_CANCELED)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done with the order now.

    `cause`, one of the above, is written on its record with the `detail`; without a cause the
    record is unchanged. It ends at `until_ms` (since 1970, on our clock) or in `wait_s`, if that is
    known.
    """

    cause: str = ""
    detail: str = ""
    wait_s: int = 0
    until_ms: int | None = None


def is_wait(reason: str | None) -> bool:
    """Whether the reason of an order says what it waits for; such a reason is void once the wait is
    over."""
    return reason is not None and reason.startswith(_CAUSES)


def since(cause: str, time: datetime, detail: str = "") -> str:
    """The reason of an order that has waited for that cause since `time`."""
    text = f"{cause} since {time_text(time)}"
    return f"{text}: {detail}" if detail else text


def time_text(time: datetime) -> str:
    """A readable time in UTC, in whole seconds."""
    return time.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def time_text_ms(time_ms: int) -> str:
    """The same for ms since 1970, rounded up to the second."""
    return time_text(datetime.fromtimestamp(-(-time_ms // 1000), UTC))


def unknown(attempt: Attempt, reason: str) -> AttemptUnknown:
    """The event of an attempt with unknown outcome, for this reason, with its times."""
    begun, provable = time_text_ms(attempt.stamp_ms), time_text_ms(attempt.provable_at_ms)
    waits = (
        f"{UNKNOWN} since {begun}: attempt {attempt.number}, {reason}; it is looked up, and not "
        f"found proves nothing before {provable}"
    )
    return AttemptUnknown(attempt.number, reason, attempt.stamp_ms, waits)
