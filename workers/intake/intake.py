"""Turns messages and intents into orders, and keeps what cannot become one, with the reason."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import structlog

from execution.arbitrage.model import Arbitrage
from execution.model.clock import Clock
from execution.model.errors import SignalReused, StoreUnavailable, UnknownOrder
from execution.model.order import Order
from execution.operations.waiting_intents import WaitingIntent, WaitingStore
from execution.orders.manager import OrderManager
from execution.orders.store import Intent, IntentStore
from oneorder.broker import ARBITRAGE, CANCEL, EXECUTE
from oneorder.errors import InvalidSignal
from oneorder.signals import Message, parse_message
from workers.intake.actions import Actions, ReferencePrice, unknown_price
from workers.intake.arbitrages import ArbitrageIntake
from workers.intake.deferrals import Deferrals, LeftToOthers
from workers.intake.entries import accounts_of, as_intent, real_entry, version_of
from workers.intake.roster import Need, NotOurs, Roster
from workers.intake.waiting_rules import WaitingRules

T = TypeVar("T")


class Intake:
    """The door through which every message and every intent comes in.

    `reference_price` tells what the market of an account and a symbol is at, for signals that do
    not say it themselves. What cannot be carried out yet, or not by this worker, steps aside into
    `waiting`; `rules` say until when.
    """

    def __init__(
        self,
        intents: IntentStore,
        waiting: WaitingStore,
        manager: OrderManager,
        clock: Clock,
        roster: Roster,
        arbitrages: ArbitrageIntake,
        rules: WaitingRules,
        reference_price: ReferencePrice = unknown_price,
    ) -> None:
        self._intents = intents
        self._waiting = waiting
        self._clock = clock
        self._roster = roster
        self._deferrals = Deferrals(intents, waiting, clock, roster, rules)
        self._actions = Actions(intents, manager, arbitrages, clock, roster, reference_price)

    # Messages: carried out as far as it goes now.

    def execute(self, body: object, entry_id: object, version: object = None) -> Order | None:
        """Take an order message as far as it goes now; None for one that was refused or waits.

        Raises LeftToOthers, as `arbitrage` and `cancel` do.
        """
        done = self._handled(EXECUTE, body, entry_id, version, self._actions.carry_out)
        return done if isinstance(done, Order) else None

    def arbitrage(self, body: object, entry_id: object, version: object = None) -> Arbitrage | None:
        """Take an arbitrage message as far as it goes now; None for one that was refused or
        waits."""
        done = self._handled(ARBITRAGE, body, entry_id, version, self._actions.carry_out)
        return done if isinstance(done, Arbitrage) else None

    def cancel(self, body: object, entry_id: object, version: object = None) -> Order | None:
        """Take a cancel message as far as it goes now; None for one that was refused or waits, as
        one does whose order is not known, or not known yet."""
        done = self._handled(CANCEL, body, entry_id, version, self._actions.carry_out)
        return done if isinstance(done, Order) else None

    def take(self, entry_id: object) -> None:
        """Carry out the intent that another worker left to this one, if it is not done with yet.

        Raises LeftToOthers.
        """
        real = real_entry(entry_id)
        intent = None if real is None else self._waiting.intent(real)
        if intent is None:
            return
        done = self._handled(
            intent.task, intent.body, intent.entry_id, intent.version, self._actions.carry_out
        )
        if done is not None:
            self._intents.settle_intent(intent.entry_id)

    # Intents: recorded, to be moved on by the sweep.

    def drain(self, intent: Intent) -> None:
        """Make an intent that no worker has taken yet into a record.

        Whatever goes wrong with it, it steps aside, with the reason. Raises LeftToOthers.
        """
        self._drain(intent, self._clock.now())

    def look_again(self, waiting: WaitingIntent) -> None:
        """Do the same with one that waits and is due."""
        if self._drain(waiting.intent, waiting.since) is not None:
            self._intents.settle_intent(waiting.intent.entry_id)

    def _drain(self, intent: Intent, since: datetime) -> object:
        try:
            return self._handled(
                intent.task,
                intent.body,
                intent.entry_id,
                intent.version,
                self._actions.record,
                since,
            )
        except LeftToOthers:
            raise
        except StoreUnavailable as error:
            # Where it is Redis that does not answer, this raises too. It may be the ledger alone.
            self._deferrals.step_aside(intent, str(error), since)
        except Exception as error:  # noqa: BLE001  # One entry must not stop those behind it.
            structlog.get_logger("oneorder").exception(
                "signal_not_recorded", entry_id=intent.entry_id
            )
            self._deferrals.set_aside_broken(intent, error, since)
        return None

    def refuse(self, task: str, body: object, reason: str, entry_id: object) -> None:
        """Keep what came in beside the reason why nothing was done with it."""
        self._deferrals.refuse(task, body, reason, entry_id)

    def refuse_message(
        self, task: str, body: object, reason: str, entry_id: object, version: object
    ) -> None:
        """Refuse a message of another form; one of a newer schema is left to a worker that reads
        it, by the entry that it names. Raises LeftToOthers."""
        try:
            self._roster.check(Need(version=version_of(version)))
        except NotOurs:
            if real_entry(entry_id) is not None:
                self.take(entry_id)
                return
        except InvalidSignal as error:
            reason = f"{reason}; {error}"
        self.refuse(task, body, reason, entry_id)

    # What becomes of each.

    def _handled(
        self,
        task: str,
        body: object,
        entry_id: object,
        version: object,
        act: Callable[[Message, str | None], T],
        since: datetime | None = None,
    ) -> T | None:
        """Let `act` have the message; None for one that is refused or steps aside."""
        entry_id = real_entry(entry_id)
        message = None
        try:
            number = version_of(version)
            self._roster.check(Need(version=number))
            message = parse_message(task, body)
            self._roster.check(Need(accounts_of(message)))
            return act(message, entry_id)
        except NotOurs as lack:
            intent = as_intent(task, body, entry_id, version)
            self._deferrals.leave(intent, lack, since or self._clock.now(), message)
        except UnknownOrder as error:
            intent = as_intent(task, body, entry_id, version)
            self._deferrals.wait_for_order(intent, message, f"{error}", since or self._clock.now())
        except (InvalidSignal, SignalReused) as error:
            self.refuse(task, body, str(error), entry_id)
        return None
