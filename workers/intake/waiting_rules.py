"""How long a signal waits, and its reason meanwhile."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta

import sentry_sdk
import structlog

from execution.model.clock import Clock
from execution.orders.signal_age import expired, market_too_old, publication_time
from execution.orders.store import Intent
from oneorder.signals import BODY_MAX, CancelRequest, Message, OrderSignal
from workers.intake.roster import NotOurs

# How long a cancel may precede its order; after that it names no order at all.
CANCEL_PATIENCE_S = 30


@dataclass(frozen=True, slots=True)
class WaitingRules:
    """`wait_max_s` is how long a signal waits while no live worker can take it. `market_age_max_s`
    is the maximum age of a market order, None for any age."""

    clock: Clock
    _: KW_ONLY
    wait_max_s: int
    market_age_max_s: int | None
    alert: Callable[[str], None]

    def end_of(self, intent: Intent, message: Message | None) -> str | None:
        """Why the signal need not wait any longer: it would not be sent any more."""
        now = self.clock.now()
        if len(intent.body) > BODY_MAX:
            return f"body: is longer than {BODY_MAX:,} characters"
        if message is None or isinstance(message, CancelRequest):
            return None
        over = expired(message.expires_at, now)
        if over is not None or not isinstance(message, OrderSignal) or message.type != "market":
            return over
        published = publication_time(intent.entry_id, now)
        return market_too_old(published, now, self.market_age_max_s)

    def no_taker(self, lack: NotOurs, since: datetime, missing_since_ms: int) -> tuple[str, bool]:
        """What is said of a signal that no live worker takes, and whether it has waited enough:
        itself, and since the last live worker that would have taken it."""
        now_ms = self.clock.now_ms()
        missing_s = (now_ms - missing_since_ms) // 1_000
        if now_ms == missing_since_ms:
            self.alert(f"signals wait: {lack.anywhere}")
        if missing_s >= self.wait_max_s and self.is_over(since):
            return f"{lack.anywhere}, for {missing_s:,} s (signal_wait_max_s)", True
        waits = f"waits for one that has it, for {self.wait_max_s:,} s (signal_wait_max_s)"
        return f"{lack.anywhere}; {waits}", False

    def is_over(self, since: datetime) -> bool:
        """A signal that has waited since then need not be waited for any longer."""
        return self.clock.now() - since >= timedelta(seconds=self.wait_max_s)

    def is_lost_cancel(self, since: datetime) -> bool:
        """A cancel that has waited since then is for an order that does not come."""
        return self.clock.now() - since > timedelta(seconds=CANCEL_PATIENCE_S)


def alert_of_waiting(sentence: str) -> None:
    """Raise an alert for signals that no live worker can take: an account is missing in the
    workers' settings, or misspelt by a producer."""
    structlog.get_logger("oneorder").error("signals_waiting", reason=sentence)
    sentry_sdk.capture_message(sentence, level="error")
