"""Carries out messages: immediately, or as records that the sweep advances."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from execution.arbitrage.model import Arbitrage
from execution.model.clock import Clock
from execution.model.order import Order, OrderType, Side, TimeInForce
from execution.orders.factory import new_order
from execution.orders.manager import OrderManager
from execution.orders.store import IntentStore
from oneorder.signals import ArbitrageSignal, CancelRequest, Message, OrderSignal
from workers.intake.arbitrages import ArbitrageIntake
from workers.intake.roster import Roster

ReferencePrice = Callable[[str, str], Decimal | None]


def unknown_price(account: str, symbol: str) -> Decimal | None:
    """The reference price of callers that do not have one."""
    del account, symbol
    return None


@dataclass(frozen=True, slots=True)
class Actions:
    """The request of a message, with the two ways to carry it out."""

    intents: IntentStore
    manager: OrderManager
    arbitrages: ArbitrageIntake
    clock: Clock
    roster: Roster
    reference_price: ReferencePrice

    def carry_out(self, message: Message, entry_id: str | None) -> Order | Arbitrage:
        """Carry it out as far as possible now."""
        if isinstance(message, OrderSignal):
            return self.manager.submit(self._order(message, entry_id))
        if isinstance(message, ArbitrageSignal):
            return self.arbitrages.execute(message, entry_id)
        order = self._request_cancel(message, entry_id)
        if self.roster.unknown([order.account]):
            # The sweep wakes a worker that knows it.
            return order
        return self.manager.advance(order)

    def record(self, message: Message, entry_id: str | None) -> Order | Arbitrage:
        """Make a record of it, which the sweep advances."""
        if isinstance(message, OrderSignal):
            return self.manager.receive(self._order(message, entry_id))
        if isinstance(message, ArbitrageSignal):
            return self.arbitrages.receive(message, entry_id)
        return self._request_cancel(message, entry_id)

    def _request_cancel(self, request: CancelRequest, entry_id: str | None) -> Order:
        order = self.manager.request_cancel(request.order_id)
        if entry_id is not None:
            self.intents.settle_intent(entry_id)
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
            now=self.clock.now(),
            time_in_force=None if tif is None else TimeInForce(tif),
            expires_at=signal.expires_at,
            strategy=signal.strategy,
            reference_price=signal.reference_price
            or self.reference_price(signal.account, signal.symbol),
            entry_id=entry_id,
            exchange=self.roster.accounts[signal.account].exchange,
        )
