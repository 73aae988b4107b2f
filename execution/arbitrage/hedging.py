"""Works off what the legs of an arbitrage differ by: one order at a time, each within the cap."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from execution.arbitrage.legs import ArbitrageContext, Candidate, Legs, Limits, leg_order_id
from execution.arbitrage.model import Arbitrage, ArbitrageState, Result, average_price
from execution.arbitrage.plan import LegPlan, Venue, fix_role, is_dust_at, plan_fix
from execution.model.decimals import to_text
from execution.model.errors import ExchangeUnavailable, NoPlan, UnknownAccount
from execution.model.order import Order, Side
from execution.orders.store import Epoch
from oneorder.errors import OneOrderError


class ArbitrageEnded(OneOrderError):
    """Nothing more is to be done; the arbitrage ends in that state."""

    def __init__(self, state: ArbitrageState, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


class Hedger:
    """Brings both sides of an arbitrage nearer to each other, step by step."""

    def __init__(self, context: ArbitrageContext, limits: Limits, legs: Legs) -> None:
        self._context = context
        self._limits = limits
        self._legs = legs

    def step(
        self, arbitrage: Arbitrage, orders: Mapping[str, Order], result: Result, epoch: Epoch
    ) -> Arbitrage:
        """Send the next order, or wait for what forbids it now to pass; the same object while there
        is only to wait. Raises Over, VersionConflict and StoreRestarted."""
        decision = self._decide(arbitrage, orders, result)
        if decision is None:
            return self._keep_waiting(arbitrage, result)
        candidates = self._candidates(arbitrage, result)
        balancing = replace(arbitrage, state=ArbitrageState.BALANCING, result=result)
        try:
            # Looked for before anything is sent, and before anything is given up.
            forgotten = self._legs.forgotten(arbitrage, candidates, epoch)
            if forgotten:
                return self._legs.journal_forgotten(arbitrage, balancing, forgotten, epoch)
        except (ExchangeUnavailable, UnknownAccount):
            return self._keep_waiting(arbitrage, result)
        except NoPlan as error:
            raise ArbitrageEnded(ArbitrageState.IMBALANCED, str(error)) from error
        if isinstance(decision, ArbitrageEnded):
            raise decision
        name = next(one.name for one in candidates if one.account == decision.account)
        try:
            return self._legs.send(arbitrage, balancing, [(name, decision)], epoch)
        except (ExchangeUnavailable, UnknownAccount, NoPlan) as error:
            if self._has_waited_enough(arbitrage):
                raise ArbitrageEnded(ArbitrageState.IMBALANCED, str(error)) from error
            return self._keep_waiting(arbitrage, result)

    def _decide(
        self, arbitrage: Arbitrage, orders: Mapping[str, Order], result: Result
    ) -> LegPlan | ArbitrageEnded | None:
        """The next order, or the end; None to wait."""
        venues, unread = self._readable_venues(arbitrage)
        # What there is too much of came at this price.
        average = average_price(arbitrage.legs, orders, _opposite(_fix_side(result)))
        rest, left = result.imbalance, to_text(result.imbalance)
        if not unread and all(is_dust_at(arbitrage, rest, average, venue) for venue in venues):
            return ArbitrageEnded(ArbitrageState.CLOSED, f"{left} is left, too little for an order")
        if len(arbitrage.hedges) >= self._limits.hedges_max:
            reason = f"{left} is left after {self._limits.hedges_max} orders"
            return ArbitrageEnded(ArbitrageState.IMBALANCED, reason)
        try:
            return plan_fix(arbitrage, result.imbalance, average, venues)
        except NoPlan as error:
            if self._has_waited_enough(arbitrage):
                return ArbitrageEnded(ArbitrageState.IMBALANCED, "; ".join([str(error), *unread]))
            return None

    def _readable_venues(self, arbitrage: Arbitrage) -> tuple[list[Venue], list[str]]:
        """The venues as they are now, and the sentences of those that could not be read."""
        venues, unread = [], []
        for account in (arbitrage.buy_account, arbitrage.sell_account):
            try:
                venues.append(self._legs.venue(account, arbitrage.symbol))
            except (ExchangeUnavailable, UnknownAccount, NoPlan) as error:
                unread.append(f"{account} could not be read: {error}")
        return venues, unread

    def _candidates(self, arbitrage: Arbitrage, result: Result) -> list[Candidate]:
        """The orders that may be sent now, or may have been. Each place has ids of its own, so
        that an order that was forgotten at one is never taken for one at the other."""
        side, known = _fix_side(result), {leg.order_id for leg in arbitrage.legs}
        named = [
            Candidate(f"fix-{number}@{account}", fix_role(arbitrage, account, side), account, side)
            for number in range(1, self._limits.hedges_max + 1)
            for account in (arbitrage.buy_account, arbitrage.sell_account)
        ]
        return [one for one in named if leg_order_id(arbitrage, one.name) not in known]

    def _has_waited_enough(self, arbitrage: Arbitrage) -> bool:
        """Prices may come back within the cap; how long to wait for that is limited, from the last
        thing that was done."""
        if arbitrage.state is not ArbitrageState.BALANCING:
            return False
        patience = timedelta(milliseconds=self._limits.patience_ms)
        return self._context.clock.now() - arbitrage.updated_at > patience

    def _keep_waiting(self, arbitrage: Arbitrage, result: Result) -> Arbitrage:
        """Let the record show the imbalance while it is waited."""
        if arbitrage.state is ArbitrageState.BALANCING and arbitrage.result == result:
            return self._legs.wait(arbitrage)
        balancing = replace(arbitrage, state=ArbitrageState.BALANCING, result=result)
        return self._legs.commit(arbitrage, balancing)


def _fix_side(result: Result) -> Side:
    return Side.SELL if result.imbalance > 0 else Side.BUY


def _opposite(side: Side) -> Side:
    return Side.BUY if side is Side.SELL else Side.SELL
