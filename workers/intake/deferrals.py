"""Intents that cannot be carried out: refused with the reason, or set aside."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from execution.model.clock import Clock
from execution.operations.waiting_intents import WaitingStore
from execution.orders.store import Intent, IntentStore, RefusedIntent
from oneorder.signals import CancelRequest, Message
from workers.intake.entries import real_entry, text_of
from workers.intake.roster import NotOurs, Roster
from workers.intake.waiting_orders import WaitingOrders
from workers.intake.waiting_rules import WaitingRules

# The time until an intent that was set aside is first tried again.
FIRST_LOOK_MS = 1_000


class LeftToOthers(Exception):
    """This worker cannot take the intent, but another live one can: wake it."""

    def __init__(self, entry_id: str) -> None:
        super().__init__(entry_id)
        self.entry_id = entry_id


@dataclass(frozen=True, slots=True)
class Deferrals:
    """Sets intents aside, for as long as `rules` say, and keeps refused ones."""

    intents: IntentStore
    waiting: WaitingStore
    clock: Clock
    roster: Roster
    rules: WaitingRules
    waiting_orders: WaitingOrders

    def refuse(self, task: str, body: object, reason: str, entry_id: object) -> None:
        """Keep what came in beside the reason why nothing was done with it."""
        refused = RefusedIntent(task, text_of(body), reason, self.clock.now())
        self.intents.refuse_intent(refused, real_entry(entry_id))
        structlog.get_logger("oneorder").warning(
            "signal_refused",
            task=refused.task,
            reason=refused.reason,
            entry_id=real_entry(entry_id),
        )

    def leave(
        self, intent: Intent, lack: NotOurs, since: datetime, message: Message | None
    ) -> None:
        """Leave to others what this worker cannot take; raises LeftToOthers where there are any."""
        ended = self.rules.end_of(intent, message)
        if ended is not None:
            self.refuse(intent.task, intent.body, f"{ended}; {lack}", intent.entry_id)
            return
        others = self.roster.others(lack.need)
        if others:
            intent = self.step_aside(intent, f"{lack}; left to {', '.join(others)}", since)
            raise LeftToOthers(intent.entry_id)
        reason, is_over = self.rules.no_taker(lack, since, self.roster.missing_since_ms(lack.need))
        if is_over:
            self.refuse(intent.task, intent.body, reason, intent.entry_id)
        else:
            self.step_aside(intent, reason, since)

    def wait_for_order(
        self, intent: Intent, message: Message | None, reason: str, since: datetime
    ) -> None:
        """A cancel may overtake its order, or name none at all. If the order's signal itself waits,
        it is refused instead."""
        if isinstance(message, CancelRequest):
            for signal in self.waiting_orders.of(message.order_id):
                canceled = "canceled while it waited for a worker that takes it"
                self.refuse(signal.task, signal.body, canceled, signal.entry_id)
        is_lost = self.rules.is_lost_cancel(since)
        if is_lost and not self.waiting_orders.may_come(intent.entry_id):
            self.refuse(intent.task, intent.body, reason, intent.entry_id)
        else:
            self.step_aside(intent, f"{reason} yet", since)

    def step_aside(self, intent: Intent, reason: str, since: datetime) -> Intent:
        """Let it wait. What has no entry of its own in the stream, or not any more, gets one: the
        same signal twice is one order."""
        due_ms = self.clock.now_ms() + FIRST_LOOK_MS
        if not intent.entry_id or not self.waiting.set_aside(intent, reason, since, due_ms):
            intent = self.waiting.add(intent.task, intent.body, intent.version)
            self.waiting.set_aside(intent, reason, since, due_ms)
        return intent

    def set_aside_broken(self, intent: Intent, error: Exception, since: datetime) -> None:
        """Set it aside for a later try, but not forever, as the intent itself may be the cause."""
        reason = f"internal error: {type(error).__name__}: {error}"
        if self.rules.is_over(since):
            self.refuse(intent.task, intent.body, reason, intent.entry_id)
        else:
            self.step_aside(intent, reason, since)
