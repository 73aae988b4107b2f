"""The next move of an arbitrage. Pure: no requests, no writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from execution.arbitrage.model import Arbitrage, ArbitrageState, LegRole, Result, average_price
from execution.arbitrage.plan import LegPlan, Venue, fix_role, is_dust_at, plan_fix
from execution.arbitrage.store import NewLeg
from execution.market_data.spreads import UNLIMITED
from execution.model.decimals import to_text
from execution.model.errors import NoPlan
from execution.model.order import Order, Side
from oneorder.identifiers import order_id_of


@dataclass(frozen=True, slots=True)
class Limits:
    """The parameters of an arbitrage. Times in ms; `notional_max` is in quote, for the buy leg.

    No attempt of a leg begins after `leg_ttl_ms`. The imbalance of the legs is hedged in at most
    `hedges_max` orders, and left open once no hedge was possible for `patience_ms`. An ended
    arbitrage is checked again after `audit_ms`, because fills may come late.
    """

    leg_ttl_ms: int = 2_000
    recheck_ms: int = 500
    patience_ms: int = 60_000
    hedges_max: int = 8
    audit_ms: int = 30_000
    notional_max: Decimal = UNLIMITED


@dataclass(frozen=True, slots=True)
class Move:
    """The next version of an arbitrage, and the orders that are written with it.

    If `after` is the unchanged arbitrage, it only waits. It is due again after `wait_ms`, None for
    never.
    """

    after: Arbitrage
    wait_ms: int | None
    news: tuple[NewLeg, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order that an arbitrage may send; `name` distinguishes it from the arbitrage's others. Ids
    differ by account, so that a lost order on one is never taken for one on the other."""

    name: str
    role: LegRole
    account: str
    side: Side

    def signal_id(self, arbitrage: Arbitrage) -> str:
        return f"{arbitrage.signal_id}:{self.name}"


def first_legs(arbitrage: Arbitrage) -> list[Candidate]:
    """The two legs."""
    return [
        Candidate(LegRole.BUY.value, LegRole.BUY, arbitrage.buy_account, Side.BUY),
        Candidate(LegRole.SELL.value, LegRole.SELL, arbitrage.sell_account, Side.SELL),
    ]


def possible_hedges(arbitrage: Arbitrage, result: Result, limits: Limits) -> list[Candidate]:
    """The hedges that may be sent now, or may have been sent and lost from the store."""
    side, known = _fix_side(result), {leg.order_id for leg in arbitrage.legs}
    named = [
        Candidate(f"fix-{number}@{account}", fix_role(arbitrage, account, side), account, side)
        for number in range(1, limits.hedges_max + 1)
        for account in (arbitrage.buy_account, arbitrage.sell_account)
    ]
    return [
        candidate for candidate in named if order_id_of(candidate.signal_id(arbitrage)) not in known
    ]


def is_settled(order: Order) -> bool:
    """Whether it is final, as far as is known."""
    return not order.is_live and not order.fills_missing


def settled(
    arbitrage: Arbitrage, orders: Mapping[str, Order], result: Result, limits: Limits
) -> Move | None:
    """Wait until every order is known, then close; None if there is an imbalance to hedge."""
    if not all(is_settled(order) for order in orders.values()):
        return Move(arbitrage, limits.recheck_ms)
    if result.unknown:
        lost = orders[result.unknown[0]]
        reason = f"order {lost.order_id} on {lost.account} is quarantined"
        return ended(arbitrage, ArbitrageState.IMBALANCED, reason, result, limits)
    if not result.imbalance:
        idle = None if result.bought else "neither leg traded"
        return ended(arbitrage, ArbitrageState.CLOSED, idle, result, limits)
    return None


def next_hedge(
    arbitrage: Arbitrage,
    orders: Mapping[str, Order],
    result: Result,
    venues: Sequence[Venue],
    unread: Sequence[str],
    now: datetime,
    limits: Limits,
) -> LegPlan | Move | None:
    """The order that hedges the imbalance, or the end; None to wait.

    `unread` are the sentences of venues that could not be read.
    """
    # What there is too much of came at this price.
    average = average_price(arbitrage.legs, orders, Side.BUY if result.imbalance > 0 else Side.SELL)
    rest, left = result.imbalance, to_text(result.imbalance)
    if not unread and all(is_dust_at(arbitrage, rest, average, venue) for venue in venues):
        reason = f"{left} is left, too little for an order"
        return ended(arbitrage, ArbitrageState.CLOSED, reason, result, limits)
    if len(arbitrage.hedges) >= limits.hedges_max:
        reason = f"{left} is left after {limits.hedges_max} orders"
        return ended(arbitrage, ArbitrageState.IMBALANCED, reason, result, limits)
    try:
        return plan_fix(arbitrage, rest, average, venues)
    except NoPlan as error:
        if not has_waited_enough(arbitrage, now, limits):
            return None
        reason = "; ".join([str(error), *unread])
        return ended(arbitrage, ArbitrageState.IMBALANCED, reason, result, limits)


def not_sent(
    arbitrage: Arbitrage, reason: str, result: Result, now: datetime, limits: Limits
) -> Move:
    """The move of an arbitrage whose next orders cannot be sent now, for that reason."""
    if arbitrage.state is ArbitrageState.RECEIVED:
        return refused(arbitrage, reason, limits)
    if has_waited_enough(arbitrage, now, limits):
        return ended(arbitrage, ArbitrageState.IMBALANCED, reason, result, limits)
    return kept_waiting(arbitrage, result, limits)


def has_waited_enough(arbitrage: Arbitrage, now: datetime, limits: Limits) -> bool:
    """Prices may come back within the cap; the wait for that is limited, counted from the last
    action."""
    patience = timedelta(milliseconds=limits.patience_ms)
    is_balancing = arbitrage.state is ArbitrageState.BALANCING
    return is_balancing and now - arbitrage.updated_at > patience


def kept_waiting(arbitrage: Arbitrage, result: Result, limits: Limits) -> Move:
    """Show the imbalance on the record during the wait."""
    if arbitrage.state is ArbitrageState.BALANCING and arbitrage.result == result:
        return Move(arbitrage, limits.recheck_ms)
    return Move(balancing(arbitrage, result), limits.recheck_ms)


def balancing(arbitrage: Arbitrage, result: Result) -> Arbitrage:
    return replace(arbitrage, state=ArbitrageState.BALANCING, result=result)


def refused(arbitrage: Arbitrage, reason: str, limits: Limits) -> Move:
    return ended(arbitrage, ArbitrageState.REFUSED, reason, arbitrage.result, limits)


def ended(
    arbitrage: Arbitrage, state: ArbitrageState, reason: str | None, result: Result, limits: Limits
) -> Move:
    """The end in that state. An imbalanced one is due again soon, to be announced."""
    after = replace(arbitrage, state=state, reason=reason, result=result, is_announced=False)
    if state is ArbitrageState.IMBALANCED:
        return Move(after, limits.recheck_ms)
    return Move(after, limits.audit_ms if arbitrage.legs else None)


def looked_again(
    arbitrage: Arbitrage, result: Result, now: datetime, limits: Limits
) -> Move | None:
    """Fills may come late, and a quarantined order may have been settled manually: an ended
    arbitrage is reopened if its orders have traded more. None if it is not due yet."""
    if result != arbitrage.result:
        again = replace(arbitrage, state=ArbitrageState.BALANCING, reason=None)
        return Move(again, limits.recheck_ms)
    if arbitrage.state is ArbitrageState.IMBALANCED:
        # Checked from time to time, and once to announce it.
        announced = arbitrage if arbitrage.is_announced else replace(arbitrage, is_announced=True)
        return Move(announced, limits.audit_ms)
    is_over = now - arbitrage.updated_at >= timedelta(milliseconds=limits.audit_ms)
    return Move(arbitrage, None) if is_over else None


def _fix_side(result: Result) -> Side:
    return Side.SELL if result.imbalance > 0 else Side.BUY
