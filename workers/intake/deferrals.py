"""Intents that cannot be carried out: refused with the reason, or set aside."""

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


class Deferrals:
    """Sets intents aside, for as long as `rules` say, and keeps refused ones."""

    def __init__(
        self,
        intents: IntentStore,
        waiting: WaitingStore,
        clock: Clock,
        roster: Roster,
        rules: WaitingRules,
    ) -> None:
        self._intents = intents
        self._waiting = waiting
        self._clock = clock
        self._roster = roster
        self._rules = rules
        self._waiting_orders = WaitingOrders(intents, waiting)

    def refuse(self, task: str, body: object, reason: str, entry_id: object) -> None:
        """Keep a refused message with the reason."""
        refused = RefusedIntent(task, text_of(body), reason, self._clock.now())
        self._intents.refuse_intent(refused, real_entry(entry_id))
        structlog.get_logger("oneorder").warning(
            "signal_refused",
            task=refused.task,
            reason=refused.reason,
            entry_id=real_entry(entry_id),
        )

    def leave(
        self, intent: Intent, lack: NotOurs, since: datetime, message: Message | None
    ) -> None:
        """Leave to others what this worker cannot take; raises LeftToOthers if there are any."""
        ended = self._rules.end_of(intent, message)
        if ended is not None:
            self.refuse(intent.task, intent.body, f"{ended}; {lack}", intent.entry_id)
            return
        others = self._roster.others(lack.need)
        if others:
            intent = self.step_aside(intent, f"{lack}; left to {', '.join(others)}", since)
            raise LeftToOthers(intent.entry_id)
        reason, is_over = self._rules.no_taker(
            lack, since, self._roster.missing_since_ms(lack.need)
        )
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
            for signal in self._waiting_orders.of(message.order_id):
                canceled = "canceled while it waited for a worker that takes it"
                self.refuse(signal.task, signal.body, canceled, signal.entry_id)
        is_lost = self._rules.is_lost_cancel(since)
        if is_lost and not self._waiting_orders.may_come(intent.entry_id):
            self.refuse(intent.task, intent.body, reason, intent.entry_id)
        else:
            self.step_aside(intent, f"{reason} yet", since)

    def step_aside(self, intent: Intent, reason: str, since: datetime) -> Intent:
        """Set it aside. A message without an entry in the stream gets one: the same signal twice is
        one order."""
        due_ms = self._clock.now_ms() + FIRST_LOOK_MS
        if not intent.entry_id or not self._waiting.set_aside(intent, reason, since, due_ms):
            intent = self._waiting.add(intent.task, intent.body, intent.version)
            self._waiting.set_aside(intent, reason, since, due_ms)
        return intent

    def set_aside_broken(self, intent: Intent, error: Exception, since: datetime) -> None:
        """Set it aside for a later try, but not forever, as the intent itself may be the cause."""
        reason = f"internal error: {type(error).__name__}: {error}"
        if self._rules.is_over(since):
            self.refuse(intent.task, intent.body, reason, intent.entry_id)
        else:
            self.step_aside(intent, reason, since)
