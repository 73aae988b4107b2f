"""Two legs at once, whatever becomes of either, and what they differ by worked off within a cap."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from threading import Barrier

import pytest

from execution.arbitrage.model import Arbitrage, ArbitrageState, LegRole
from execution.arbitrage_executor import execute_arbitrage
from execution.exchanges.profiles import binance
from execution.exchanges.registry import without_guarantees
from execution.model.book import Book
from execution.model.errors import SignalReused
from execution.model.events import Reported
from execution.model.order import OrderState, OrderType, Side, TimeInForce, Verdict
from execution.orders.store import Halt
from tests.support.arbitrage_kit import BUY, FEE, LIMITS, SELL, Floor, TradingExchange, Worker, book
from tests.support.clock import RealTime, SkewedClock
from tests.support.exchange import (
    MARKET,
    SYMBOL,
    FakeExchange,
    Placing,
    answers,
    is_lost,
    is_under_way,
    loses_its_answer,
)

CLOSED, REFUSED, IMBALANCED = (
    ArbitrageState.CLOSED,
    ArbitrageState.REFUSED,
    ArbitrageState.IMBALANCED,
)
UNREACHABLE = book("90", "120")
IS_REJECTED = answers(Verdict.REJECTED, "no money")
IS_NOT_SENT = answers(Verdict.NOT_SENT, "the clock is off")


def sides(floor: Floor, account: str) -> tuple[TradingExchange, TradingExchange]:
    """The exchange that something happens at, and the other one."""
    return (floor.buy, floor.sell) if account == BUY else (floor.sell, floor.buy)


# Both legs.


def test_both_legs_trade_at_once_and_pay_the_spread_less_both_fees() -> None:
    floor = Floor()
    done = floor.check(floor.submit(amount=Decimal(2)))
    assert (done.state, done.reason, done.bought, done.sold) == (CLOSED, None, 2, 2)
    assert done.expected_profit == done.net_profit == Decimal("3.6")
    assert done.result.fees == {"USDT": Decimal("0.4")}
    assert done.result.skew_ms == 0
    for exchange, side, price in ((floor.buy, Side.BUY, 99), (floor.sell, Side.SELL, 101)):
        (sent, _), *more = exchange.requests
        assert more == []
        assert (sent.side, sent.price, sent.amount) == (side, price, 2)
        assert (sent.type, sent.time_in_force) == (OrderType.LIMIT, TimeInForce.IOC)
        assert sent.strategy == "arbitrage"


def test_both_requests_are_under_way_at_the_same_time() -> None:
    floor, both = Floor(), Barrier(2)
    for exchange in (floor.buy, floor.sell):
        exchange.on("place", lambda: both.wait(5))
    assert floor.submit().state is CLOSED


def test_both_legs_are_journaled_before_either_leaves() -> None:
    floor, seen = Floor(), []
    for exchange in (floor.buy, floor.sell):
        exchange.on("place", lambda: seen.append([o.state for o in floor.store.orders()]))
    floor.submit()
    assert len(seen) == 2
    assert all(len(states) == 2 for states in seen)
    assert OrderState.SUBMITTING in seen[0]


def test_the_skew_is_between_the_two_exchanges_own_clocks() -> None:
    floor = Floor()
    floor.sell.offset_ms = 30
    assert floor.submit().result.skew_ms == 30


def test_the_intent_is_settled_by_the_write_that_journals_both_legs() -> None:
    floor = Floor()
    entry_id, left = floor.publish(), []
    floor.buy.on("place", lambda: left.append(dict(floor.store.tables.intents)))
    floor.submit(entry_id=entry_id)
    assert left == [{}]


def test_the_position_of_each_account_is_moved_by_its_own_leg() -> None:
    floor = Floor()
    floor.submit()
    assert floor.store.position(BUY, SYMBOL).amount == 1
    assert floor.store.position(SELL, SYMBOL).amount == -1


# What is refused.


def refused(floor: Floor, reason: str, **changes: object) -> None:
    done = floor.submit(entry_id=floor.publish(), **changes)
    assert (done.state, done.reason) == (REFUSED, reason)
    assert floor.requests == 0
    assert floor.store.tables.intents == {}
    assert floor.announced == [done]
    floor.sweep(for_ms=5_000)
    assert floor.stored() == done
    assert floor.store.orders() == []


def test_a_signal_that_has_expired_is_refused() -> None:
    floor = Floor()
    now = floor.clock.now()
    refused(floor, f"expires_at: {now.isoformat()} has passed", expires_at=now)


def test_an_account_that_is_not_configured_is_refused() -> None:
    refused(Floor(), "'nobody' is not configured", sell_account="nobody")


def test_a_symbol_that_one_side_does_not_trade_is_refused() -> None:
    floor = Floor()
    floor.sell.markets.clear()
    refused(floor, f"symbol: '{SYMBOL}' is not traded on account {SELL}")


def test_a_spread_that_pays_too_little_is_refused() -> None:
    reason = "min_profit_bps: the first unit pays 181.82, not 200"
    refused(Floor(), reason, min_profit_bps=Decimal(200))


@pytest.mark.parametrize("method", ["order_book", "free_balances", "measure_clock"])
@pytest.mark.parametrize("account", [BUY, SELL])
def test_an_exchange_that_cannot_be_read_is_refused(account: str, method: str) -> None:
    floor = Floor()
    floor.exchanges[account].fail(method)
    refused(floor, f"an exchange could not be read: {method}: no answer")


@pytest.mark.parametrize("account", [None, BUY, SELL])
def test_on_a_halted_account_nothing_begins(account: str | None) -> None:
    floor = Floor()
    floor.store.halt(Halt(account, "lunch", floor.clock.now()))
    refused(floor, "halted: lunch")


def test_an_account_on_hold_is_left_alone() -> None:
    floor = Floor()
    floor.store.hold(SELL, 10)
    refused(floor, "account: an exchange has requested a pause")


def test_the_cap_on_the_notional_bounds_what_is_sent() -> None:
    floor = Floor(limits=replace(LIMITS, notional_max=Decimal("19.8")))
    assert floor.submit().bought == Decimal("0.2")


# Leg faults, one at a time and in every order.

FAULTS: dict[str, Placing] = {
    "rejected": IS_REJECTED,
    "timed out before it was accepted": is_lost,
    "timed out after it was accepted": loses_its_answer,
    "still under way": is_under_way,
    "not sent": IS_NOT_SENT,
}


@pytest.mark.parametrize("account", [BUY, SELL])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_one_leg_ends_balanced(fault: str, account: str) -> None:
    floor = Floor()
    exchange, _ = sides(floor, account)
    exchange.script.append(FAULTS[fault])
    floor.submit()
    floor.sweep(for_ms=1_000)
    exchange.deliver_all()
    ended = floor.check(floor.swept())
    assert (ended.state, ended.bought, ended.sold) == (CLOSED, 1, 1)
    assert ended.net_profit == Decimal("1.8")


@pytest.mark.parametrize("second", FAULTS)
@pytest.mark.parametrize("first", FAULTS)
def test_faults_of_both_legs_end_balanced(first: str, second: str) -> None:
    floor = Floor()
    floor.buy.script.append(FAULTS[first])
    floor.sell.script.append(FAULTS[second])
    floor.submit()
    floor.sweep(for_ms=1_000)
    floor.buy.deliver_all()
    floor.sell.deliver_all()
    ended = floor.check(floor.swept())
    assert ended.state is CLOSED
    gone = {"rejected", "timed out before it was accepted"}
    assert ended.bought == (0 if {first, second} <= gone else 1)


def test_an_attempt_that_was_not_sent_is_made_once_more() -> None:
    floor = Floor()
    floor.buy.script.append(IS_NOT_SENT)
    ended = floor.check(floor.submit())
    assert (len(floor.buy.requests), len(ended.legs)) == (2, 2)


def test_a_leg_that_traded_in_part_is_worked_off_where_there_is_depth() -> None:
    floor = Floor()
    floor.sell.moves_before_placing(book("101", "101.1", "0.25"))
    ended = floor.check(floor.submit())
    (fix,) = ended.hedges
    assert (fix.role, fix.account) == (LegRole.UNWIND, BUY)
    assert floor.buy.requests[1][0].amount == Decimal("0.75")
    assert (ended.state, ended.imbalance) == (CLOSED, 0)


def test_a_leg_that_finds_no_price_is_completed_once_the_price_is_there_again() -> None:
    floor = Floor(buy=book("90", "99"))
    floor.sell.moves_before_placing(UNREACHABLE)
    waiting = floor.submit()
    assert waiting.state is ArbitrageState.BALANCING
    assert (waiting.bought, waiting.sold, waiting.imbalance) == (1, 0, 1)
    floor.sweep(for_ms=1_000)
    floor.sell.book = book("98.7", "120")
    ended = floor.check(floor.swept())
    assert [(leg.role, leg.account) for leg in ended.hedges] == [(LegRole.COMPLETION, SELL)]
    # 98.7 less its fee, less 99 and its fee: within 50 bps of 99.
    assert ended.net_profit == Decimal("98.7") * (1 - FEE) - Decimal(99) * (1 + FEE)


def test_what_one_leg_did_too_much_is_taken_back_where_that_is_better() -> None:
    floor = Floor()
    floor.sell.moves_before_placing(UNREACHABLE)
    ended = floor.check(floor.submit())
    assert [(leg.role, leg.account) for leg in ended.hedges] == [(LegRole.UNWIND, BUY)]
    assert (ended.state, ended.bought, ended.sold) == (CLOSED, 1, 1)
    assert -ended.net_profit <= 99 * Decimal("0.005") + 99 * FEE


def test_an_excess_beyond_the_cap_is_left_open_with_one_alert() -> None:
    floor = Floor(buy=book("90", "99"))
    floor.sell.moves_before_placing(UNREACHABLE)
    floor.submit()
    ended = floor.check(floor.swept())
    assert (ended.state, ended.imbalance) == (IMBALANCED, 1)
    assert ended.reason == "max_loss_bps: 1 cannot be sold within 50 of 99"
    assert len(floor.announced) == 1
    assert floor.requests == 2


def test_how_long_to_wait_is_counted_from_the_last_thing_that_was_done() -> None:
    floor = Floor(buy=book("90", "99"))
    floor.sell.script.append(is_lost)
    floor.submit()
    # That the leg never arrived is known only after longer than the patience lasts.
    known_after_ms = LIMITS.leg_ttl_ms + binance.GUARANTEES.margin_ms
    assert known_after_ms > LIMITS.patience_ms
    floor.sweep(for_ms=known_after_ms)
    floor.sell.book = UNREACHABLE
    floor.sweep(for_ms=2_500)
    assert floor.stored().state is ArbitrageState.BALANCING
    floor.sell.book = book("101", "101.1")
    assert floor.check(floor.swept()).state is CLOSED


def test_a_rest_too_small_for_an_order_is_kept_and_named() -> None:
    floor = Floor()
    floor.sell.moves_before_placing(book("101", "101.1", "0.96"))
    ended = floor.check(floor.submit())
    assert (ended.state, ended.imbalance) == (CLOSED, Decimal("0.04"))
    assert ended.reason == "0.04 is left, too little for an order"


def test_no_more_orders_are_sent_than_allowed() -> None:
    floor = Floor(limits=replace(LIMITS, hedges_max=2))
    floor.sell.moves_before_placing(UNREACHABLE)
    floor.buy.script.extend([lambda e, o, a: e.arrive(o, a), IS_REJECTED, IS_REJECTED])
    ended = floor.check(floor.submit())
    assert (ended.state, ended.reason) == (IMBALANCED, "1 is left after 2 orders")
    assert len(ended.hedges) == 2


def test_prices_that_move_before_both_legs_arrive_leave_nothing_done() -> None:
    floor = Floor()
    floor.buy.moves_before_placing(book("99.5", "99.6"))
    floor.sell.moves_before_placing(book("100.5", "100.6"))
    ended = floor.check(floor.submit())
    assert (ended.state, ended.reason) == (CLOSED, "neither leg traded")


@pytest.mark.parametrize("account", [BUY, SELL])
def test_an_exchange_that_goes_down_after_sending_is_waited_for(account: str) -> None:
    floor = Floor()
    exchange, _ = sides(floor, account)
    exchange.script.append(loses_its_answer)
    exchange.on("place", lambda: setattr(exchange, "is_down", True))
    assert floor.submit().state is ArbitrageState.OPEN
    assert floor.swept(for_ms=30_000).state is ArbitrageState.OPEN
    exchange.is_down = False
    assert floor.check(floor.swept()).bought == 1
    assert floor.requests == 2


def test_both_exchanges_down_after_sending_are_waited_for() -> None:
    floor = Floor()
    for exchange in (floor.buy, floor.sell):
        exchange.script.append(loses_its_answer)
        exchange.on("place", lambda one=exchange: setattr(one, "is_down", True))
    floor.submit()
    assert floor.swept(for_ms=30_000).state is ArbitrageState.OPEN
    floor.buy.is_down = floor.sell.is_down = False
    assert floor.check(floor.swept()).bought == 1
    assert floor.requests == 2


def test_while_one_place_cannot_be_read_a_rest_is_worked_off_at_the_other() -> None:
    floor = Floor()
    floor.sell.script.append(IS_REJECTED)
    floor.sell.on("place", lambda: setattr(floor.sell, "is_down", True))
    ended = floor.check(floor.submit())
    assert [(leg.role, leg.account) for leg in ended.hedges] == [(LegRole.UNWIND, BUY)]


def test_while_no_book_can_be_read_an_excess_waits_and_then_raises_an_alert() -> None:
    floor = Floor()
    floor.sell.script.append(IS_REJECTED)
    for exchange in (floor.buy, floor.sell):
        exchange.on("place", lambda one=exchange: setattr(one, "is_down", True))
    floor.submit()
    ended = floor.check(floor.swept())
    assert ended.state is IMBALANCED
    assert ended.reason is not None
    assert f"{BUY} could not be read: " in ended.reason
    assert f"{SELL} could not be read: " in ended.reason


def halted_while_balancing(floor: Floor) -> None:
    floor.sell.script.append(IS_REJECTED)
    halt = Halt(None, "drift", floor.clock.now())
    floor.sell.on("place", lambda: floor.store.halt(halt))
    assert floor.submit().state is ArbitrageState.BALANCING


def test_a_halt_while_balancing_leaves_the_rest_open_in_the_end() -> None:
    floor = Floor()
    halted_while_balancing(floor)
    ended = floor.check(floor.swept())
    assert (ended.state, ended.reason) == (IMBALANCED, "halted: drift")
    assert floor.requests == 2


def test_a_halt_that_ends_in_time_lets_the_rest_be_worked_off() -> None:
    floor = Floor()
    halted_while_balancing(floor)
    floor.sweep(for_ms=1_000)
    floor.store.resume(None)
    assert floor.check(floor.swept()).state is CLOSED


# What comes twice, or late.


def test_a_signal_that_comes_again_finds_what_was_made_of_it() -> None:
    floor = Floor()
    done = floor.submit()
    entry_id = floor.publish()
    assert floor.submit(entry_id=entry_id) == done
    assert floor.worker.executor.receive(floor.arbitrage(entry_id=entry_id)) == done
    assert floor.store.tables.intents == {}
    assert floor.requests == 2


def test_a_signal_id_that_was_used_for_something_else_is_named() -> None:
    floor = Floor()
    floor.submit()
    for take in (floor.worker.executor.submit, floor.worker.executor.receive):
        with pytest.raises(SignalReused, match=r"^signal_id: 'signal-1' was used before"):
            take(floor.arbitrage(amount=Decimal(3)))


def taken_twice_at_once(floor: Floor, message: str) -> list[Arbitrage]:
    """What two workers make of the same message at the same moment."""
    start, entry_id = Barrier(2), floor.publish()

    def take(worker: Worker) -> Arbitrage:
        start.wait(5)
        take_in = worker.executor.submit if message == "submit" else worker.executor.receive
        return take_in(floor.arbitrage(entry_id=entry_id))

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(take, [floor.another(), floor.another()]))


@pytest.mark.parametrize("message", ["submit", "receive"])
def test_the_same_signal_in_two_threads_at_once_is_carried_out_once(message: str) -> None:
    for _ in range(20):
        floor = Floor()
        assert len({one.arbitrage_id for one in taken_twice_at_once(floor, message)}) == 1
        ended = floor.check(floor.swept(for_ms=3_000))
        assert (ended.state, floor.requests) == (CLOSED, 2)


def test_one_that_was_received_is_taken_by_the_sweep() -> None:
    floor = Floor()
    received = floor.worker.executor.receive(floor.arbitrage(entry_id=floor.publish()))
    assert (received.state, floor.requests) == (ArbitrageState.RECEIVED, 0)
    assert floor.store.tables.intents == {}
    assert floor.check(floor.swept()).bought == 1


def test_an_id_that_is_not_known_is_nothing() -> None:
    assert Floor().worker.executor.advance_by_id("oa-nobody") is None


def test_what_has_closed_is_looked_at_once_more_and_then_rests() -> None:
    floor = Floor()
    floor.submit()
    assert len(floor.store.tables.arbitrages_due) == 1
    floor.sweep(for_ms=LIMITS.audit_ms + 1_000)
    assert floor.store.tables.arbitrages_due == {}
    assert len(floor.announced) == 1


def fills_late(floor: Floor, account: str, price: str, amount: str) -> None:
    """The exchange tells, after the end, that the account's first order traded after all."""
    exchange = floor.exchanges[account]
    found = exchange.standing[0]
    exchange.trade(found.order.client_order_id, price, amount)
    report = exchange.report_of(found, with_fills=True)
    order = floor.store.order(found.order.order_id)
    assert order is not None
    floor.worker.journal.record(order, Reported(report))


def test_a_fill_that_comes_after_the_end_is_worked_off_too() -> None:
    floor = Floor()
    floor.buy.moves_before_placing(UNREACHABLE)
    floor.sell.moves_before_placing(UNREACHABLE)
    assert floor.submit().reason == "neither leg traded"
    floor.buy.book, floor.sell.book = book("98.9", "99"), book("101", "101.1")
    fills_late(floor, BUY, "99", "0.5")
    ended = floor.check(floor.swept())
    assert (ended.state, ended.bought, ended.sold) == (CLOSED, Decimal("0.5"), Decimal("0.5"))
    assert len(ended.hedges) == 1


def test_a_late_fill_that_settles_an_open_imbalance_closes_it() -> None:
    floor = Floor(buy=book("90", "99"))
    floor.sell.moves_before_placing(UNREACHABLE)
    floor.submit()
    assert floor.swept().state is IMBALANCED
    fills_late(floor, SELL, "101", "1")
    ended = floor.check(floor.swept())
    assert (ended.state, ended.reason, ended.imbalance) == (CLOSED, None, 0)


def quarantined(floor: Floor) -> Arbitrage:
    """The sell leg's fate is unknown, and nobody can find it out."""
    floor.submit()
    ended = floor.swept()
    leg = ended.order_id(LegRole.SELL)
    assert (ended.state, ended.result.unknown) == (IMBALANCED, (leg,))
    assert ended.reason == f"order {leg} on {SELL} is quarantined"
    assert [one.state for one in floor.announced] == [IMBALANCED]
    return ended


def test_a_leg_in_quarantine_needs_manual_intervention_and_nothing_is_sent_for_it() -> None:
    floor = Floor(sell_guarantees=without_guarantees("nowhere"))
    floor.sell.script.append(is_lost)
    quarantined(floor)
    assert floor.requests == 2


def test_the_manual_settlement_of_a_leg_in_quarantine_lets_it_continue() -> None:
    floor = Floor(sell_guarantees=without_guarantees("nowhere"))
    floor.sell.script.append(is_lost)
    leg = quarantined(floor).order_id(LegRole.SELL)
    assert leg is not None
    floor.worker.manager.settle(leg, None)
    ended = floor.check(floor.swept())
    assert (ended.state, ended.bought, ended.sold) == (CLOSED, 1, 1)


def test_workers_whose_clocks_differ_finish_each_others_arbitrages() -> None:
    for ahead_ms in (-900, 900):
        floor = Floor()
        floor.sell.script.append(is_lost)
        floor.submit()
        ended = floor.check(floor.swept(floor.another(SkewedClock(floor.clock, ahead_ms))))
        assert (ended.state, ended.bought) == (CLOSED, 1)


# In one call.


def quoting(bid: str, ask: str, depth: str = "10") -> FakeExchange:
    """An exchange that quotes these prices with that much behind each."""
    return FakeExchange(RealTime(), book=book(bid, ask, depth), taker_fee=FEE)


def test_one_call_buys_at_the_ask_and_sells_at_the_bid() -> None:
    buy, sell = quoting("98", "99"), quoting("101", "102")
    buy.fill_next.append([("99", "2")])
    sell.fill_next.append([("101", "2")])
    done = execute_arbitrage(buy, sell, SYMBOL, "2")
    assert (done.state, done.bought, done.sold) == (CLOSED, 2, 2)
    assert done.expected_profit == done.net_profit == Decimal("3.6")


def test_one_call_waits_until_the_rest_is_worked_off() -> None:
    buy, sell = quoting("98", "99"), quoting("101", "102")
    buy.fill_next.append([("99", "1")])
    sell.fill_next.extend([[("101", "0.5")], [("100", "0.5")]])
    done = execute_arbitrage(buy, sell, SYMBOL, Decimal(1))
    assert (done.state, done.bought, done.sold) == (CLOSED, 1, 1)
    assert [leg.role for leg in done.legs] == [LegRole.BUY, LegRole.SELL, LegRole.COMPLETION]


def test_one_call_goes_only_as_deep_as_it_pays() -> None:
    buy, sell = quoting("98", "99"), quoting("101", "102")
    buy.book = Book(SYMBOL, buy.book.bids, ((Decimal(99), Decimal(1)), (Decimal(102), Decimal(9))))
    execute_arbitrage(buy, sell, SYMBOL, "5")
    assert buy.requests[0][0].amount == sell.requests[0][0].amount == 1
    assert buy.requests[0][0].price == 99


@pytest.mark.parametrize("bid", ["99.1", "90"])
def test_one_call_sends_nothing_for_a_spread_that_does_not_pay(bid: str) -> None:
    buy, sell = quoting("98", "99"), quoting(bid, "102")
    done = execute_arbitrage(buy, sell, SYMBOL, "1")
    assert done.state is REFUSED
    assert done.reason is not None
    assert done.reason.startswith("min_profit_bps: the first unit pays -")
    assert buy.requests + sell.requests == []


def test_one_call_sizes_down_to_the_steps_of_both_sides() -> None:
    buy, sell = quoting("98", "99"), quoting("101", "102")
    sell.markets[SYMBOL] = replace(MARKET, amount_step=Decimal("0.1"))
    execute_arbitrage(buy, sell, SYMBOL, "0.25")
    assert buy.requests[0][0].amount == sell.requests[0][0].amount == Decimal("0.2")


def test_each_side_has_its_own_fee() -> None:
    buy, sell = quoting("98", "99"), quoting("101", "102")
    sell.markets[SYMBOL] = replace(MARKET, taker_fee=Decimal("0.02"))
    assert execute_arbitrage(buy, sell, SYMBOL, "1").state is REFUSED


def test_a_fee_in_base_is_valued_at_its_fills_price() -> None:
    buy, sell = quoting("98", "99"), quoting("101", "102")
    buy.fee_asset = "BTC"
    buy.fill_next.append([("99", "1")])
    sell.fill_next.append([("101", "1")])
    done = execute_arbitrage(buy, sell, SYMBOL, "1")
    assert done.net_profit == Decimal("1.8")
    assert done.result.fees == {"BTC": Decimal("0.001"), "USDT": Decimal("0.101")}


def test_a_book_that_cannot_be_read_sends_nothing() -> None:
    buy, sell = quoting("98", "99"), quoting("101", "102")
    sell.fail("order_book")
    assert execute_arbitrage(buy, sell, SYMBOL, "1").state is REFUSED
    assert buy.requests + sell.requests == []


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "one", 0.5])
def test_an_amount_that_is_not_usable_is_refused_by_name(amount: str) -> None:
    buy, sell = quoting("98", "99"), quoting("101", "102")
    with pytest.raises(ValueError, match=r"^amount: "):
        execute_arbitrage(buy, sell, SYMBOL, amount)
    assert buy.calls + sell.calls == []


@pytest.mark.parametrize("cap", ["-1", "NaN", "one", 0.5])
def test_a_cap_that_is_not_usable_is_refused_by_name(cap: str) -> None:
    with pytest.raises(ValueError, match=r"^max_loss_bps: "):
        execute_arbitrage(quoting("98", "99"), quoting("101", "102"), SYMBOL, "1", cap)
