"""Turns messages and intents into orders, and keeps what cannot become one, with the reason."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

import structlog

from execution.arbitrage.model import Arbitrage
from execution.model.clock import Clock
from execution.model.errors import SignalReused, StoreUnavailable, UnknownOrder
from execution.model.order import Order, OrderType, Side, TimeInForce
from execution.operations.waiting_intents import WaitingIntent, WaitingStore
from execution.orders.factory import new_order
from execution.orders.manager import OrderManager
from execution.orders.store import Intent, IntentStore, RefusedIntent
from oneorder.broker import ARBITRAGE, CANCEL, EXECUTE
from oneorder.errors import InvalidSignal
from oneorder.signals import ArbitrageSignal, CancelRequest, Message, OrderSignal, parse_message
from workers.intake.arbitrages import ArbitrageIntake
from workers.intake.entries import accounts_of, as_intent, real_entry, text_of, version_of
from workers.intake.roster import Need, NotOurs, Roster
from workers.intake.waiting_orders import WaitingOrders
from workers.intake.waiting_rules import WaitingRules

T = TypeVar("T")
# How soon what was set aside is looked at for the first time.
FIRST_LOOK_MS = 1_000


class LeftToOthers(Exception):
    """This worker cannot take the intent, and another one that is alive can: wake it."""

    def __init__(self, entry_id: str) -> None:
        super().__init__(entry_id)
        self.entry_id = entry_id


def unknown_price(account: str, symbol: str) -> Decimal | None:
    """What the market is at, for callers that do not read it."""
    del account, symbol
    return None


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
        reference_price: Callable[[str, str], Decimal | None] = unknown_price,
    ) -> None:
        self._intents = intents
        self._waiting = waiting
        self._manager = manager
        self._clock = clock
        self._roster = roster
        self._arbitrages = arbitrages
        self._rules = rules
        self._reference_price = reference_price
        self._waiting_orders = WaitingOrders(intents, waiting)

    # Messages: carried out as far as it goes now.

    def execute(self, body: object, entry_id: object, version: object = None) -> Order | None:
        """Take an order message as far as it goes now; None for one that was refused or waits.

        Raises LeftToOthers, as `arbitrage` and `cancel` do.
        """
        done = self._handled(EXECUTE, body, entry_id, version, self._carry_out)
        return done if isinstance(done, Order) else None

    def arbitrage(self, body: object, entry_id: object, version: object = None) -> Arbitrage | None:
        """Take an arbitrage message as far as it goes now; None for one that was refused or
        waits."""
        done = self._handled(ARBITRAGE, body, entry_id, version, self._carry_out)
        return done if isinstance(done, Arbitrage) else None

    def cancel(self, body: object, entry_id: object, version: object = None) -> Order | None:
        """Take a cancel message as far as it goes now; None for one that was refused or waits, as
        one does whose order is not known, or not known yet."""
        done = self._handled(CANCEL, body, entry_id, version, self._carry_out)
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
            intent.task, intent.body, intent.entry_id, intent.version, self._carry_out
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
                intent.task, intent.body, intent.entry_id, intent.version, self._record, since
            )
        except LeftToOthers:
            raise
        except StoreUnavailable as error:
            # Where it is Redis that does not answer, this raises too. It may be the ledger alone.
            self._step_aside(intent, str(error), since)
        except Exception as error:  # noqa: BLE001  # One entry must not stop those behind it.
            structlog.get_logger("oneorder").exception(
                "signal_not_recorded", entry_id=intent.entry_id
            )
            self._set_aside_broken(intent, error, since)
        return None

    def _set_aside_broken(self, intent: Intent, error: Exception, since: datetime) -> None:
        """Let it wait for a better time; but not for ever, as it may be the intent's own fault."""
        reason = f"internal error: {type(error).__name__}: {error}"
        if self._rules.is_over(since):
            self.refuse(intent.task, intent.body, reason, intent.entry_id)
        else:
            self._step_aside(intent, reason, since)

    def refuse(self, task: str, body: object, reason: str, entry_id: object) -> None:
        """Keep what came in beside the reason why nothing was done with it."""
        refused = RefusedIntent(task, text_of(body), reason, self._clock.now())
        self._intents.refuse_intent(refused, real_entry(entry_id))
        structlog.get_logger("oneorder").warning(
            "signal_refused",
            task=refused.task,
            reason=refused.reason,
            entry_id=real_entry(entry_id),
        )

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
            self._leave(intent, lack, since or self._clock.now(), message)
        except UnknownOrder as error:
            intent = as_intent(task, body, entry_id, version)
            self._wait_for_order(intent, message, f"{error}", since or self._clock.now())
        except (InvalidSignal, SignalReused) as error:
            self.refuse(task, body, str(error), entry_id)
        return None

    def _leave(
        self, intent: Intent, lack: NotOurs, since: datetime, message: Message | None
    ) -> None:
        """Leave to others what this worker cannot take; raises LeftToOthers where there are any."""
        ended = self._rules.end_of(intent, message)
        if ended is not None:
            self.refuse(intent.task, intent.body, f"{ended}; {lack}", intent.entry_id)
            return
        others = self._roster.others(lack.need)
        if others:
            intent = self._step_aside(intent, f"{lack}; left to {', '.join(others)}", since)
            raise LeftToOthers(intent.entry_id)
        reason, is_over = self._rules.no_taker(
            lack, since, self._roster.missing_since_ms(lack.need)
        )
        if is_over:
            self.refuse(intent.task, intent.body, reason, intent.entry_id)
        else:
            self._step_aside(intent, reason, since)

    def _wait_for_order(
        self, intent: Intent, message: Message | None, reason: str, since: datetime
    ) -> None:
        """A cancel may overtake the order that it is for; in the end it speaks of none at all. Of a
        signal that waits itself, no order is to come."""
        if isinstance(message, CancelRequest):
            for signal in self._waiting_orders.of(message.order_id):
                canceled = "canceled while it waited for a worker that takes it"
                self.refuse(signal.task, signal.body, canceled, signal.entry_id)
        is_lost = self._rules.is_lost_cancel(since)
        if is_lost and not self._waiting_orders.may_come(intent.entry_id):
            self.refuse(intent.task, intent.body, reason, intent.entry_id)
        else:
            self._step_aside(intent, f"{reason} yet", since)

    def _step_aside(self, intent: Intent, reason: str, since: datetime) -> Intent:
        """Let it wait. What has no entry of its own in the stream, or not any more, gets one: the
        same signal twice is one order."""
        due_ms = self._clock.now_ms() + FIRST_LOOK_MS
        if not intent.entry_id or not self._waiting.set_aside(intent, reason, since, due_ms):
            intent = self._waiting.add(intent.task, intent.body, intent.version)
            self._waiting.set_aside(intent, reason, since, due_ms)
        return intent

    def _carry_out(self, message: Message, entry_id: str | None) -> Order | Arbitrage:
        if isinstance(message, OrderSignal):
            return self._manager.submit(self._order(message, entry_id))
        if isinstance(message, ArbitrageSignal):
            return self._arbitrages.execute(message, entry_id)
        order = self._request_cancel(message, entry_id)
        if self._roster.unknown([order.account]):
            # The sweep wakes a worker that knows it.
            return order
        return self._manager.advance(order)

    def _record(self, message: Message, entry_id: str | None) -> Order | Arbitrage:
        if isinstance(message, OrderSignal):
            return self._manager.receive(self._order(message, entry_id))
        if isinstance(message, ArbitrageSignal):
            return self._arbitrages.receive(message, entry_id)
        return self._request_cancel(message, entry_id)

    def _request_cancel(self, request: CancelRequest, entry_id: str | None) -> Order:
        order = self._manager.request_cancel(request.order_id)
        if entry_id is not None:
            self._intents.settle_intent(entry_id)
        return order

    def _order(self, signal: OrderSignal, entry_id: str | None) -> Order:
        tif = signal.time_in_force
        return new_order(
            signal_id=signal.signal_id,
            account=signal.account,
            symbol=signal.symbol,
            side=Side(signal.side),
            type=OrderType(signal.type),
            amount=signal.amount,
            price=signal.price,
            now=self._clock.now(),
            time_in_force=None if tif is None else TimeInForce(tif),
            expires_at=signal.expires_at,
            strategy=signal.strategy,
            reference_price=signal.reference_price
            or self._reference_price(signal.account, signal.symbol),
            entry_id=entry_id,
            exchange=self._roster.accounts[signal.account].exchange,
        )
