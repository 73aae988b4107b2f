"""Turns messages and intents into orders, and keeps what cannot become one, with the reason."""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal

import structlog

from execution.accounts import Account
from execution.arbitrages import Arbitrage
from execution.journal import UnknownOrder
from execution.order_factory import new_order
from execution.order_manager import OrderManager, SignalReused
from execution.orders import Order, OrderType, Side, TimeInForce
from execution.ports import Clock, Intent, RefusedIntent, Store
from signals.broker import ARBITRAGE, CANCEL, EXECUTE
from signals.messages import (
    ArbitrageSignal,
    CancelRequest,
    InvalidSignal,
    OrderSignal,
    parse_as,
    parse_message,
)
from workers.arbitrage_intake import ArbitrageIntake

# A cancel may overtake the order that it is for by as much; then it speaks of no order at all.
CANCEL_PATIENCE_MS = 30_000


_ENTRY_ID = re.compile(r"\d{1,15}-\d{1,15}")


def unknown_price(account: str, symbol: str) -> Decimal | None:
    """What the market is at, for somebody who does not look."""
    del account, symbol
    return None


class Intake:
    """The door through which every message and every intent comes in.

    `reference_price` tells what the market of an account and a symbol is at, for signals that do
    not say it themselves.
    """

    def __init__(
        self,
        store: Store,
        manager: OrderManager,
        clock: Clock,
        accounts: Mapping[str, Account],
        arbitrages: ArbitrageIntake,
        reference_price: Callable[[str, str], Decimal | None] = unknown_price,
    ) -> None:
        self._store = store
        self._manager = manager
        self._clock = clock
        self._accounts = accounts
        self._arbitrages = arbitrages
        self._reference_price = reference_price

    def execute(self, body: object, entry_id: object) -> Order | None:
        """Take an order message as far as it goes now; None for one that was refused."""
        entry_id = _real(entry_id)
        try:
            return self._manager.submit(self._order(body, entry_id))
        except (InvalidSignal, SignalReused) as error:
            self.refuse(EXECUTE, body, str(error), entry_id)
            return None

    def arbitrage(self, body: object, entry_id: object) -> Arbitrage | None:
        """Take an arbitrage message as far as it goes now; None for one that was refused."""
        entry_id = _real(entry_id)
        try:
            return self._arbitrages.execute(parse_as(ArbitrageSignal, body), entry_id)
        except (InvalidSignal, SignalReused) as error:
            self.refuse(ARBITRAGE, body, str(error), entry_id)
            return None

    def cancel(self, body: object, entry_id: object) -> Order | None:
        """Take a cancel message as far as it goes now; None for one that was refused.

        Raises UnknownOrder for an order that is not known, or not known yet.
        """
        entry_id = _real(entry_id)
        try:
            request = parse_as(CancelRequest, body)
        except InvalidSignal as error:
            self.refuse(CANCEL, body, str(error), entry_id)
            return None
        order = self._manager.cancel(request.order_id)
        if entry_id is not None:
            self._store.settle_intent(entry_id)
        return order

    def drain(self, intent: Intent) -> None:
        """Make an intent that no worker has taken yet into a record; the sweep moves it on."""
        try:
            message = parse_message(intent.task, intent.body)
            if isinstance(message, OrderSignal):
                self._manager.receive(self._order_of(message, intent.entry_id))
            elif isinstance(message, ArbitrageSignal):
                self._arbitrages.receive(message, intent.entry_id)
            elif isinstance(message, CancelRequest):
                self._manager.request_cancel(message.order_id)
                self._store.settle_intent(intent.entry_id)
        except UnknownOrder as error:
            age_ms = self._clock.now_ms() - int(intent.entry_id.split("-")[0])
            if age_ms > CANCEL_PATIENCE_MS:
                self.refuse(intent.task, intent.body, str(error), intent.entry_id)
        except (InvalidSignal, SignalReused) as error:
            self.refuse(intent.task, intent.body, str(error), intent.entry_id)

    def refuse(self, task: str, body: object, reason: str, entry_id: object) -> None:
        """Keep what came in beside the reason why nothing was done with it."""
        text = body if isinstance(body, str) else json.dumps(body, default=repr)
        refused = RefusedIntent(task, text, reason, self._clock.now())
        self._store.refuse_intent(refused, _real(entry_id))
        structlog.get_logger("oneorder").warning(
            "signal_refused", task=task, reason=reason, entry_id=entry_id
        )

    def _order(self, body: object, entry_id: str | None) -> Order:
        return self._order_of(parse_as(OrderSignal, body), entry_id)

    def _order_of(self, signal: OrderSignal, entry_id: str | None) -> Order:
        tif = signal.time_in_force
        account = self._accounts.get(signal.account)
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
            exchange=account.exchange if account else "",
        )


def _real(entry_id: object) -> str | None:
    """The id of a stream entry; it comes with a message, in which anybody may have written it."""
    if isinstance(entry_id, str) and _ENTRY_ID.fullmatch(entry_id):
        return entry_id
    return None
