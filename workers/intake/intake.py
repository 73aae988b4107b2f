"""Makes orders from messages and intents, and keeps refused ones with the reason."""

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
from workers.intake.waiting_orders import WaitingOrders
from workers.intake.waiting_rules import WaitingRules

T = TypeVar("T")


class Intake:
    """The entry point of every message and every intent.

    `reference_price` returns the market price of an account and a symbol, for signals without one.
    What cannot be carried out yet, or not by this worker, is set aside in `waiting`; `rules` say
    for how long.
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
        self._deferrals = Deferrals(
            intents, waiting, clock, roster, rules, WaitingOrders(intents, waiting)
        )
        self._actions = Actions(intents, manager, arbitrages, clock, roster, reference_price)

    # Messages: carried out as far as possible now.

    def execute(self, body: object, entry_id: object, version: object = None) -> Order | None:
        """Carry out an order message as far as possible now; None for one that was refused or
        waits.

        Raises LeftToOthers, as `arbitrage` and `cancel` do.
        """
        done = self._handled(EXECUTE, body, entry_id, version, self._actions.carry_out)
        return done if isinstance(done, Order) else None

    def arbitrage(self, body: object, entry_id: object, version: object = None) -> Arbitrage | None:
        """Carry out an arbitrage message as far as possible now; None for one that was refused or
        waits."""
        done = self._handled(ARBITRAGE, body, entry_id, version, self._actions.carry_out)
        return done if isinstance(done, Arbitrage) else None

    def cancel(self, body: object, entry_id: object, version: object = None) -> Order | None:
        """Carry out a cancel message as far as possible now; None for one that was refused or waits
        because its order is not known yet."""
        done = self._handled(CANCEL, body, entry_id, version, self._actions.carry_out)
        return done if isinstance(done, Order) else None

    def take(self, entry_id: object) -> None:
        """Carry out an intent that another worker left to this one, if it is not settled yet.

        Raises LeftToOthers.
        """
        real = real_entry(entry_id)
        intent = None if real is None else self._waiting.intent(real)
        if intent is None:
            return
        done = self._handled_intent(intent, self._actions.carry_out)
        if done is not None:
            self._intents.settle_intent(intent.entry_id)

    # Intents: recorded; the sweep advances them.

    def drain(self, intent: Intent) -> None:
        """Record an intent that no worker has taken yet.

        After any error it is set aside with the reason. Raises LeftToOthers.
        """
        self._drain(intent, self._clock.now())

    def look_again(self, waiting: WaitingIntent) -> None:
        """Do the same for a waiting one that is due."""
        if self._drain(waiting.intent, waiting.since) is not None:
            self._intents.settle_intent(waiting.intent.entry_id)

    def _drain(self, intent: Intent, since: datetime) -> object:
        try:
            return self._handled_intent(intent, self._actions.record, since)
        except LeftToOthers:
            raise
        except StoreUnavailable as error:
            # If Redis does not answer, this raises, too. It may be the ledger alone.
            self._deferrals.step_aside(intent, str(error), since)
        except Exception as error:  # noqa: BLE001  # One entry must not block later ones.
            structlog.get_logger("oneorder").exception(
                "signal_not_recorded", entry_id=intent.entry_id
            )
            self._deferrals.set_aside_broken(intent, error, since)
        return None

    def refuse(self, task: str, body: object, reason: str, entry_id: object) -> None:
        """Keep a refused message with the reason."""
        self._deferrals.refuse(task, body, reason, entry_id)

    def refuse_message(
        self, task: str, body: object, reason: str, entry_id: object, version: object
    ) -> None:
        """Refuse a malformed message; one of a newer schema is left to a worker that reads it, by
        its stream entry. Raises LeftToOthers."""
        try:
            self._roster.check(Need(version=version_of(version)))
        except NotOurs:
            if real_entry(entry_id) is not None:
                self.take(entry_id)
                return
        except InvalidSignal as error:
            reason = f"{reason}; {error}"
        self.refuse(task, body, reason, entry_id)

    # Carrying out.

    def _handled_intent(
        self, intent: Intent, act: Callable[[Message, str | None], T], since: datetime | None = None
    ) -> T | None:
        name, version = intent.entry_id, intent.version
        return self._handled(intent.task, intent.body, name, version, act, since)

    def _handled(
        self,
        task: str,
        body: object,
        entry_id: object,
        version: object,
        act: Callable[[Message, str | None], T],
        since: datetime | None = None,
    ) -> T | None:
        """Run `act` with the message; None for one that is refused or set aside."""
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
