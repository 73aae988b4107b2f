"""One contract for every store: what the protocols promise, in memory and on a real server."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import MISSING, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from execution.exchanges.clocks import ClockStore
from execution.exchanges.port import ClockOffset
from execution.model.clock import SystemClock
from execution.model.errors import StoreUnavailable
from execution.model.order import Attempt, Order, OrderState, OrderType, Side, TimeInForce, Verdict
from execution.model.position import Position, fold
from execution.orders.store import (
    AccountHoldStore,
    Change,
    Committed,
    Epoch,
    EpochStore,
    Halt,
    HaltStore,
    IntentStore,
    LeaseStore,
    PositionStore,
    RefusedIntent,
)
from execution.store.access import keys
from execution.store.access.connection import connect
from execution.store.access.due_times import DUE_AHEAD_MAX_MS
from execution.store.stores import Orders
from tests.support.clock import EPOCH, START_MS, FakeClock
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, Rig, fill
from tests.support.stores_kit import let_elapse
from tests.support.whole_stores import MemoryStore, redis_store


@dataclass
class Bench:
    """A store, and the two things that a test does behind its back."""

    store: Any
    elapse: Callable[[int], None]
    add_intent: Callable[[str, str], str]


def in_memory() -> Bench:
    clock = FakeClock()
    store = MemoryStore(clock)
    return Bench(store, clock.advance, store.add_intent)


def on_a_server(url: str) -> Bench:
    client: Any = connect(url)
    client.flushall()

    def add_intent(task: str, body: str) -> str:
        return str(client.xadd(keys.SIGNALS, {"task": task, "body": body}))

    return Bench(redis_store(client, SystemClock()), partial(let_elapse, client), add_intent)


@pytest.fixture(params=["memory", "redis"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "memory":
        return in_memory()
    return on_a_server(request.getfixturevalue("valkey_url"))


@pytest.fixture
def store(bench: Bench) -> Any:
    return bench.store


RIG = Rig()


def an_order(number: int = 1, **changes: Any) -> Order:
    """The order of signal number so-and-so, one second younger than the one before."""
    now = EPOCH + timedelta(milliseconds=START_MS) + timedelta(seconds=number)
    return replace(RIG.order(signal_id=f"signal-{number}", now=now), **changes)


def kept(store: Any, order: Order, due_ms: int | None = None) -> Order:
    """The order as version 1, in the store."""
    after = replace(order, version=1)
    assert store.commit(Change(order, after, due_ms)) is Committed.DONE
    return after


def changed(order: Order, **changes: Any) -> Order:
    return replace(order, version=order.version + 1, **changes)


WHOLE = Order(
    order_id="oo1",
    signal_id="signal-1",
    account=ACCOUNT,
    symbol=SYMBOL,
    side=Side.SELL,
    type=OrderType.LIMIT,
    time_in_force=TimeInForce.IOC,
    amount=Decimal("12345678901234567890.123456789012345678"),
    price=Decimal("0.00000001"),
    client_order_id="oo1",
    created_at=datetime(2030, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
    published_at=datetime(2030, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC),
    updated_at=datetime(2030, 1, 2, 3, 4, 6, tzinfo=UTC),
    expires_at=datetime(2031, 1, 1, tzinfo=UTC),
    strategy="mean-reversion",
    reference_price=Decimal("0.000000021"),
    state=OrderState.OPEN,
    reason='quotes " and \\ and ünïcode \u2028 and \n lines',
    exchange_order_id="77",
    filled=Decimal("0.3"),
    average=Decimal("0.00000002"),
    cancel_requested=True,
    attempts=(
        Attempt(1, START_MS, START_MS + 5, START_MS + 7, Verdict.NOT_SENT, "refused"),
        Attempt(2, START_MS + 9, START_MS + 14, START_MS + 16, Verdict.ACCEPTED),
        Attempt(3, START_MS + 19, START_MS + 24, START_MS + 26),
    ),
    fills=(
        fill("901", "sell", "0.1", "1E+2", [("BNB", "0.00001"), ("USDT", "-0.1")]),
        fill("902", "sell", "0.2", "99.990"),
    ),
    entry_id="1800000000000-0",
    version=1,
    revision="0123456789abcdef",
)


def test_an_order_with_every_field_set_comes_back_the_same(store: Any) -> None:
    for field in fields(Order):
        unset = None if field.default is MISSING else field.default
        assert getattr(WHOLE, field.name) != unset, f"{field.name} is not set"
    assert store.commit(Change(replace(WHOLE, version=0), WHOLE, None)) is Committed.DONE
    found = store.order("oo1")
    assert found == WHOLE
    assert found is not None
    assert (type(found.side), type(found.amount)) == (Side, Decimal)
    assert found.created_at.utcoffset() == timedelta(0)


def test_an_order_with_nothing_but_the_needed_fields_comes_back_the_same(store: Any) -> None:
    order = kept(store, an_order(price=None, time_in_force=None, type=OrderType.MARKET))
    assert store.order(order.order_id) == order


def test_an_order_that_was_never_stored_is_none(store: Any) -> None:
    assert store.order("oo-nothing") is None


def test_a_first_write_needs_that_nothing_is_there(store: Any) -> None:
    order = an_order()
    first = kept(store, order)
    second = replace(order, version=1, reason="another")
    assert store.commit(Change(order, second, None)) is Committed.CONFLICT
    assert store.order(order.order_id) == first


@pytest.mark.parametrize("version", [0, 1, 3, 9])
def test_a_change_of_another_version_than_the_stored_one_is_a_conflict(
    version: int, store: Any
) -> None:
    order = kept(store, an_order())
    order2 = changed(order, reason="second")
    assert store.commit(Change(order, order2, None)) is Committed.DONE
    stale = replace(order2, version=version)
    change = Change(stale, changed(stale, state=OrderState.FILLED), 5)
    assert store.commit(change) is Committed.CONFLICT
    assert store.order(order.order_id) == order2
    assert store.due(10**15, 10, 1) == []


def test_a_change_of_an_order_that_is_not_there_is_a_conflict(store: Any) -> None:
    order = an_order(version=3)
    assert store.commit(Change(order, changed(order), None)) is Committed.CONFLICT
    assert store.order(order.order_id) is None


def test_the_versions_of_orders_are_their_own(store: Any) -> None:
    first, second = kept(store, an_order(1)), kept(store, an_order(2))
    assert store.commit(Change(first, changed(first), None)) is Committed.DONE
    assert store.commit(Change(second, changed(second), None)) is Committed.DONE


def test_of_eight_threads_exactly_one_writes_each_version(store: Any) -> None:
    rounds, threads = 12, 8
    start = kept(store, an_order())
    gate = threading.Barrier(threads)

    def race(name: int) -> list[Committed]:
        outcomes = []
        for version in range(1, rounds + 1):
            gate.wait()
            before = store.order(start.order_id)
            assert before is not None
            assert before.version == version
            gate.wait()
            outcomes.append(
                store.commit(Change(before, changed(before, reason=f"by {name}"), None))
            )
            gate.wait()
        return outcomes

    with ThreadPoolExecutor(threads) as pool:
        outcomes = list(pool.map(race, range(threads)))
    for round_outcomes in zip(*outcomes, strict=True):
        assert Counter(round_outcomes) == {Committed.DONE: 1, Committed.CONFLICT: threads - 1}
    final = store.order(start.order_id)
    assert final is not None
    assert final.version == rounds + 1
    winner = next(n for n in range(threads) if outcomes[n][-1] is Committed.DONE)
    assert final.reason == f"by {winner}"


def test_of_eight_threads_exactly_one_moves_a_position_to_each_version(store: Any) -> None:
    threads = 8
    orders = [kept(store, an_order(number)) for number in range(threads)]
    gate = threading.Barrier(threads)

    def race(order: Order) -> Committed:
        none = Position(ACCOUNT, SYMBOL)
        position = fold(none, [fill(order.order_id, "buy", "1", "100")])
        gate.wait()
        return store.commit(Change(order, changed(order), None, position, none))

    with ThreadPoolExecutor(threads) as pool:
        outcomes = list(pool.map(race, orders))
    assert Counter(outcomes) == {Committed.DONE: 1, Committed.CONFLICT: threads - 1}
    assert store.position(ACCOUNT, SYMBOL).amount == 1
    versions = sorted(found.version for found in store.orders())
    assert versions == [1] * (threads - 1) + [2]


def test_an_attempt_does_not_begin_while_the_account_is_held(bench: Bench) -> None:
    store = bench.store
    order = kept(store, an_order())
    store.hold(ACCOUNT, 200)
    begins = Change(order, changed(order), 5, epoch=store.epoch(), begins_attempt=True)
    assert store.commit(begins) is Committed.HELD
    assert store.order(order.order_id) == order
    assert store.due(10**15, 10, 1) == []
    bench.elapse(190_000)
    assert store.commit(begins) is Committed.HELD
    bench.elapse(10_000)
    assert store.commit(begins) is Committed.DONE


def test_a_hold_is_on_its_own_account_and_on_attempts_alone(store: Any) -> None:
    other, order = kept(store, an_order(1, account="other")), kept(store, an_order(2))
    store.hold("other", 60)
    epoch = store.epoch()
    begins = Change(order, changed(order), None, epoch=epoch, begins_attempt=True)
    assert store.commit(begins) is Committed.DONE
    assert store.commit(Change(other, changed(other), None)) is Committed.DONE


def test_a_stale_change_is_a_conflict_also_while_the_account_is_held(store: Any) -> None:
    order = kept(store, an_order())
    store.hold(ACCOUNT, 60)
    stale = replace(order, version=0)
    change = Change(stale, order, None, epoch=store.epoch())
    assert store.commit(change) is Committed.CONFLICT


def test_an_attempt_does_not_begin_in_another_epoch_than_was_reckoned_with(store: Any) -> None:
    order = kept(store, an_order())
    before = Epoch("00ff00ff", 0)
    assert store.commit(Change(order, changed(order), 5, epoch=before)) is Committed.RESTARTED
    assert store.order(order.order_id) == order
    change = Change(order, changed(order), 5, epoch=store.epoch())
    assert store.commit(change) is Committed.DONE


def test_a_server_that_never_restarted_has_no_epoch_before(store: Any) -> None:
    kept(store, an_order())
    assert store.epoch().since_ms == 0
    assert store.epoch() == store.epoch()


def test_an_order_and_its_position_are_written_together_or_not_at_all(store: Any) -> None:
    order = kept(store, an_order())
    whole = fill("1", "buy", "1", "100", [("BNB", "0.01")])
    none = store.position(ACCOUNT, SYMBOL)
    position = fold(none, [whole])
    after = changed(order, fills=(whole,), filled=Decimal(1), state=OrderState.FILLED)
    assert store.commit(Change(order, after, None, position, none)) is Committed.DONE
    assert store.position(ACCOUNT, SYMBOL) == position
    again = Change(after, changed(after, reason="again"), None, position, none)
    assert store.commit(again) is Committed.CONFLICT, "the position was moved before"
    assert store.order(order.order_id) == after


def test_a_position_that_another_writer_moved_first_is_a_conflict(store: Any) -> None:
    order = kept(store, an_order())
    first = fold(Position(ACCOUNT, SYMBOL), [fill("1", "buy", "1", "1")])
    second = fold(first, [fill("2", "buy", "1", "1")])
    assert store.commit(Change(order, changed(order), 5, second, first)) is Committed.CONFLICT
    assert store.order(order.order_id) == order
    assert store.position(ACCOUNT, SYMBOL) == Position(ACCOUNT, SYMBOL)


def test_a_position_comes_back_exactly(store: Any) -> None:
    order = kept(store, an_order())
    position = fold(
        Position(ACCOUNT, SYMBOL),
        [
            fill("1", "buy", "3", "33.34", [("BNB", "0.00001"), ("USDT", "-0.5")]),
            fill("2", "sell", "0.7", "33.33", [("BTC", "0.00002")]),
        ],
    )
    none = Position(ACCOUNT, SYMBOL)
    assert store.commit(Change(order, changed(order), None, position, none)) is Committed.DONE
    assert store.position(ACCOUNT, SYMBOL) == position
    assert store.positions() == [position]


def test_contents_of_the_same_version_that_are_others_are_a_conflict(store: Any) -> None:
    """A store that came back from an earlier time gives its versions out again."""
    order = kept(store, an_order())
    twin = replace(order, revision="forgotten")
    assert store.commit(Change(twin, changed(twin), None)) is Committed.CONFLICT
    none = Position(ACCOUNT, SYMBOL)
    held = replace(fold(none, [fill("1", "buy", "2", "1")]), revision="kept")
    lost = replace(fold(none, [fill("3", "buy", "4", "1")]), revision="forgotten")
    after = changed(order)
    assert store.commit(Change(order, after, None, held, none)) is Committed.DONE
    more = fold(lost, [fill("5", "buy", "1", "1")])
    assert store.commit(Change(after, changed(after), None, more, lost)) is Committed.CONFLICT
    assert store.position(ACCOUNT, SYMBOL) == held
    assert store.order(order.order_id) == after


def test_nothing_held_is_an_empty_position_of_version_0(store: Any) -> None:
    assert store.position(ACCOUNT, SYMBOL) == Position(ACCOUNT, SYMBOL)
    assert store.position(ACCOUNT, SYMBOL).version == 0
    assert store.positions() == []


def test_positions_are_listed_by_account_and_symbol(store: Any) -> None:
    for number, (account, symbol) in enumerate([("b", "X/Y"), ("a", "X/Y"), ("a", "B/Y")]):
        order = kept(store, an_order(number, account=account, symbol=symbol))
        none = Position(account, symbol)
        position = fold(none, [fill("1", "buy", "1", "1")])
        assert store.commit(Change(order, changed(order), None, position, none)) is Committed.DONE
    listed = [(position.account, position.symbol) for position in store.positions()]
    assert listed == [("a", "B/Y"), ("a", "X/Y"), ("b", "X/Y")]
    assert [position.symbol for position in store.positions("a")] == ["B/Y", "X/Y"]
    assert store.positions("c") == []


def test_orders_are_listed_oldest_first_and_by_state_and_account(store: Any) -> None:
    young, old, other = (
        kept(store, an_order(9)),
        kept(store, an_order(1, state=OrderState.OPEN)),
        kept(store, an_order(5, account="other")),
    )
    assert store.orders() == [old, other, young]
    assert store.orders(state=OrderState.OPEN) == [old]
    assert store.orders(account=ACCOUNT) == [old, young]
    assert store.orders(OrderState.RECEIVED, "other") == [other]
    assert store.orders(OrderState.FILLED) == []


def test_orders_are_listed_beyond_one_batch(store: Any) -> None:
    numbers = range(520)
    for number in numbers:
        kept(store, an_order(number))
    assert [order.signal_id for order in store.orders()] == [f"signal-{n}" for n in numbers]


def test_live_orders_are_those_that_may_still_change(store: Any) -> None:
    order = kept(store, an_order(1))
    kept(store, an_order(2, account="other"))
    kept(store, an_order(3, state=OrderState.REFUSED))
    assert store.live_orders(ACCOUNT) == [order]
    wanting = changed(order, state=OrderState.FILLED, filled=Decimal(1))
    store.commit(Change(order, wanting, None))
    assert store.live_orders(ACCOUNT) == [wanting], "its fills are not known yet"
    store.commit(Change(wanting, changed(wanting, fills=(fill("1", "buy", "1", "1"),)), None))
    assert store.live_orders(ACCOUNT) == []


def test_live_orders_are_listed_by_id(store: Any) -> None:
    for number in range(5):
        kept(store, an_order(number))
    listed = [order.order_id for order in store.live_orders(ACCOUNT)]
    assert listed == sorted(listed)
    assert len(listed) == 5


def test_orders_are_found_by_their_exchange_ids(store: Any) -> None:
    order = kept(store, an_order())
    store.commit(Change(order, changed(order, exchange_order_id="77"), None))
    found = store.order_ids_by_exchange_id(ACCOUNT, SYMBOL, ["77", "78", "77"])
    assert found == {"77": order.order_id}
    assert store.order_ids_by_exchange_id(ACCOUNT, "ETH/USDT", ["77"]) == {}
    assert store.order_ids_by_exchange_id("other", SYMBOL, ["77"]) == {}
    assert store.order_ids_by_exchange_id(ACCOUNT, SYMBOL, []) == {}


def test_an_exchange_id_stays_with_the_order_that_had_it_first(store: Any) -> None:
    first = kept(store, an_order(1, exchange_order_id="77"))
    kept(store, an_order(2, exchange_order_id="77"))
    assert store.order_ids_by_exchange_id(ACCOUNT, SYMBOL, ["77"]) == {"77": first.order_id}


def test_orders_are_due_from_their_time_on_the_longest_due_first(store: Any) -> None:
    late, early = kept(store, an_order(1), 2_000), kept(store, an_order(2), 1_000)
    kept(store, an_order(3))
    assert store.due(999, 10, 500) == []
    assert store.due(1_000, 10, 500) == [early.order_id]
    assert store.due(2_000, 10, 500) == [early.order_id, late.order_id]


def test_the_worker_that_takes_a_due_order_has_it_for_the_lease(store: Any) -> None:
    order = kept(store, an_order(), 1_000)
    assert store.due(1_000, 10, 500) == [order.order_id]
    assert store.due(1_499, 10, 500) == []
    assert store.due(1_500, 10, 500) == [order.order_id]


def test_an_order_put_off_by_a_clock_that_was_set_back_since_does_not_wait_for_it(
    store: Any,
) -> None:
    hour_ms = 3_600_000
    ahead, due = kept(store, an_order(1), hour_ms), kept(store, an_order(2), 1_000)
    soon = kept(store, an_order(3), DUE_AHEAD_MAX_MS)
    assert store.due(1_000, 1, 500) == [due.order_id]
    assert store.due(1_001, 10, 500) == [ahead.order_id]
    assert store.due(1_501, 10, 500) == [due.order_id, ahead.order_id]
    assert store.due(DUE_AHEAD_MAX_MS, 1, 500) == [due.order_id]
    assert soon.order_id in store.due(DUE_AHEAD_MAX_MS, 10, 500)


def test_no_more_due_orders_are_taken_than_asked_for(store: Any) -> None:
    ids = [kept(store, an_order(number), number).order_id for number in range(5)]
    assert store.due(100, 2, 1_000) == ids[:2]
    assert store.due(100, 2, 1_000) == ids[2:4]
    assert store.due(100, 2, 1_000) == ids[4:]


def test_of_eight_threads_each_due_order_is_taken_by_one(store: Any) -> None:
    ids = {kept(store, an_order(number), 1).order_id for number in range(40)}
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: store.due(10, 5, 60_000), range(10)))
    assert Counter(order_id for batch in taken for order_id in batch) == Counter(ids)


def test_a_change_sets_again_when_the_order_is_due(store: Any) -> None:
    order = kept(store, an_order(), 1_000)
    later = changed(order)
    store.commit(Change(order, later, 5_000))
    assert store.due(4_999, 10, 1) == []
    store.commit(Change(later, changed(later), None))
    assert store.due(10**15, 10, 1) == []


def test_a_due_order_can_be_postponed_and_one_that_is_not_due_stays_so(store: Any) -> None:
    order, ended = kept(store, an_order(1), 1_000), kept(store, an_order(2))
    store.postpone(order.order_id, 3_000)
    store.postpone(ended.order_id, 3_000)
    store.postpone("oo-nothing", 3_000)
    assert store.due(2_999, 10, 1) == []
    assert store.due(3_000, 10, 1) == [order.order_id]


def test_an_accounts_orders_are_brought_forward_one_after_the_other(store: Any) -> None:
    late, later = kept(store, an_order(1), 90_000), kept(store, an_order(2), 60_000)
    kept(store, an_order(3), 1_500)
    kept(store, replace(an_order(4), account="another"), 70_000)
    resting = kept(store, an_order(5))
    assert store.make_due(ACCOUNT, 1_000, 5_000, 10) == 2
    assert store.due(1_000, 10, 60_000) == [later.order_id]
    assert store.due(1_010, 10, 60_000) == [late.order_id]
    assert resting.order_id not in store.due(89_000, 10, 1)


def test_no_order_is_put_off_by_being_brought_forward(store: Any) -> None:
    orders = [kept(store, an_order(number), 5_001 + number) for number in range(1, 4)]
    assert store.make_due(ACCOUNT, 5_000, 5_000, 1_000) == 3
    assert store.due(5_004, 10, 1) == [order.order_id for order in orders]


def test_intents_wait_in_their_order_until_they_are_settled(bench: Bench) -> None:
    store = bench.store
    ids = [bench.add_intent("orders.execute", f"body {number}") for number in range(3)]
    taken = store.take_intents(10, 0)
    assert [intent.entry_id for intent in taken] == ids
    assert [intent.body for intent in taken] == ["body 0", "body 1", "body 2"]
    assert {intent.task for intent in taken} == {"orders.execute"}
    assert store.take_intents(10, 0) == taken
    store.settle_intent(ids[1])
    store.settle_intent("1-1")
    assert [intent.entry_id for intent in store.take_intents(10, 0)] == [ids[0], ids[2]]
    assert [intent.entry_id for intent in store.take_intents(1, 0)] == [ids[0]]


def test_young_intents_are_left_to_the_message_that_came_with_them(bench: Bench) -> None:
    bench.add_intent("orders.execute", "{}")
    assert bench.store.take_intents(10, older_than_ms=60_000) == []
    assert len(bench.store.take_intents(10, older_than_ms=0)) == 1


def test_the_first_write_of_an_order_settles_its_intent(bench: Bench) -> None:
    store = bench.store
    ids = [bench.add_intent("orders.execute", "{}") for _ in range(2)]
    order = kept(store, an_order(entry_id=ids[0]))
    assert [intent.entry_id for intent in store.take_intents(10, 0)] == [ids[1]]
    store.commit(Change(order, changed(order, entry_id=ids[1]), None))
    assert [intent.entry_id for intent in store.take_intents(10, 0)] == [ids[1]]


def test_a_conflict_settles_no_intent(bench: Bench) -> None:
    kept(bench.store, an_order())
    entry_id = bench.add_intent("orders.execute", "{}")
    again = an_order(entry_id=entry_id)
    change = Change(again, changed(again), None)
    assert bench.store.commit(change) is Committed.CONFLICT
    assert len(bench.store.take_intents(10, 0)) == 1


def test_a_refused_intent_is_kept_with_its_reason_newest_first(bench: Bench) -> None:
    store = bench.store
    entry_id = bench.add_intent("orders.execute", "{")
    moment = datetime(2030, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    first = RefusedIntent("orders.execute", "{", "body: '{' is not JSON ü\n", moment)
    second = RefusedIntent("", "", "", moment)
    store.refuse_intent(first, entry_id)
    store.refuse_intent(second, None)
    assert store.take_intents(10, 0) == []
    assert store.refused_intents(10) == [second, first]
    assert store.refused_intents(1) == [second]


def test_a_lease_is_one_owners_until_it_ends(bench: Bench) -> None:
    store = bench.store
    assert store.lease("sweep", "a", 100_000)
    assert not store.lease("sweep", "b", 100_000)
    assert store.lease("another", "b", 100_000)
    bench.elapse(80_000)
    assert not store.lease("sweep", "b", 100_000)
    assert store.lease("sweep", "a", 100_000)
    bench.elapse(80_000)
    assert not store.lease("sweep", "b", 100_000)
    bench.elapse(20_000)
    assert store.lease("sweep", "b", 100_000)


def test_a_lease_is_given_back_by_its_owner_alone(store: Any) -> None:
    assert store.lease("sweep", "a", 60_000)
    store.release("sweep", "b")
    assert not store.lease("sweep", "b", 60_000)
    store.release("sweep", "a")
    assert store.lease("sweep", "b", 60_000)
    store.release("sweep", "a")
    assert not store.lease("sweep", "a", 60_000)
    store.release("nothing", "a")


def test_of_eight_threads_one_gets_the_lease(store: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda name: store.lease("sweep", str(name), 60_000), range(16)))
    assert sum(got) == 1


def test_a_clock_offset_is_kept_by_account_and_host(store: Any) -> None:
    assert store.clock_offset(ACCOUNT, "here") is None
    store.set_clock_offset(ACCOUNT, "here", ClockOffset(-12, 3, START_MS))
    store.set_clock_offset(ACCOUNT, "there", ClockOffset(9, 1, START_MS))
    store.set_clock_offset(ACCOUNT, "here", ClockOffset(-13, 3, START_MS + 1))
    assert store.clock_offset(ACCOUNT, "here") == ClockOffset(-13, 3, START_MS + 1)
    assert store.clock_offset(ACCOUNT, "there") == ClockOffset(9, 1, START_MS)
    assert store.clock_offset("other", "here") is None


def beginning(order: Order) -> Change:
    """An attempt of the order begins."""
    return Change(order, changed(order, state=OrderState.SUBMITTING), None, begins_attempt=True)


@pytest.mark.parametrize("halted", [ACCOUNT, None])
def test_while_an_account_is_halted_no_attempt_begins_there(store: Any, halted: str | None) -> None:
    order = kept(store, an_order())
    store.halt(Halt(halted, "drift", EPOCH))
    assert store.commit(beginning(order)) is Committed.HALTED
    assert store.order(order.order_id) == order
    assert store.commit(Change(order, changed(order, reason="other"), None)) is Committed.DONE


def test_a_halt_of_one_account_is_not_one_of_another(store: Any) -> None:
    order = kept(store, an_order())
    store.halt(Halt("other", "drift", EPOCH))
    assert store.commit(beginning(order)) is Committed.DONE


def test_halts_are_listed_until_they_are_resumed(store: Any) -> None:
    store.halt(Halt(ACCOUNT, "drift", EPOCH))
    store.halt(Halt(None, "by hand", EPOCH))
    store.halt(Halt(ACCOUNT, "more drift", EPOCH))
    assert store.halts() == [Halt(None, "by hand", EPOCH), Halt(ACCOUNT, "more drift", EPOCH)]
    assert store.resume(None)
    assert not store.resume(None)
    assert store.halts() == [Halt(ACCOUNT, "more drift", EPOCH)]
    assert store.resume(ACCOUNT)
    assert store.halts() == []


def test_a_store_that_is_there_answers(store: Any) -> None:
    assert store.orders() == []


ORDER = an_order()
REFUSED = RefusedIntent("t", "b", "r", EPOCH)
CALLS: dict[str, Callable[[Any], object]] = {
    "commit": lambda s: s.commit(Change(ORDER, changed(ORDER), None)),
    "epoch": lambda s: s.epoch(),
    "begin_epoch": lambda s: s.begin_epoch(),
    "order": lambda s: s.order("oo1"),
    "orders": lambda s: s.orders(),
    "accounts": lambda s: s.accounts(),
    "live_orders": lambda s: s.live_orders(ACCOUNT),
    "order_ids_by_exchange_id": lambda s: s.order_ids_by_exchange_id(ACCOUNT, SYMBOL, ["1"]),
    "due": lambda s: s.due(0, 1, 1),
    "postpone": lambda s: s.postpone("oo1", 1),
    "make_due": lambda s: s.make_due(ACCOUNT, 1, 1, 1),
    "position": lambda s: s.position(ACCOUNT, SYMBOL),
    "positions": lambda s: s.positions(),
    "take_intents": lambda s: s.take_intents(1, 0),
    "settle_intent": lambda s: s.settle_intent("1-1"),
    "refuse_intent": lambda s: s.refuse_intent(REFUSED, None),
    "refused_intents": lambda s: s.refused_intents(1),
    "hold": lambda s: s.hold(ACCOUNT, 1),
    "end_hold": lambda s: s.end_hold(ACCOUNT),
    "clock_offset": lambda s: s.clock_offset(ACCOUNT, "here"),
    "set_clock_offset": lambda s: s.set_clock_offset(ACCOUNT, "here", ClockOffset(0, 0, 0)),
    "halt": lambda s: s.halt(Halt(ACCOUNT, "r", EPOCH)),
    "resume": lambda s: s.resume(ACCOUNT),
    "halts": lambda s: s.halts(),
    "lease": lambda s: s.lease("sweep", "a", 1),
    "release": lambda s: s.release("sweep", "a"),
}


@pytest.mark.parametrize("method", CALLS)
def test_a_server_that_is_not_there_is_a_store_unavailable(method: str) -> None:
    store = redis_store(connect("redis://127.0.0.1:1/0"), SystemClock())
    with pytest.raises(StoreUnavailable, match=r"^cannot reach Redis at "):
        CALLS[method](store)


def test_every_method_of_these_stores_has_its_failure_here() -> None:
    narrow = (
        Orders,
        PositionStore,
        EpochStore,
        IntentStore,
        AccountHoldStore,
        HaltStore,
        LeaseStore,
        ClockStore,
    )
    methods = {name for store in narrow for name in dir(store) if not name.startswith("_")}
    assert {*CALLS} == methods | {"refused_intents"}


def test_every_key_is_named_for_the_project(valkey_url: str) -> None:
    bench = on_a_server(valkey_url)
    for call in CALLS.values():
        call(bench.store)
    client: Any = connect(valkey_url)
    found = sorted(client.scan_iter())
    assert len(found) >= 7
    assert all(key.startswith("oneorder:") for key in found)


def test_every_account_that_ever_had_a_live_order_is_known(store: Any) -> None:
    assert store.accounts() == []
    for number, account in enumerate(("second", "first", "second")):
        order = replace(ORDER, order_id=f"oo{number}", account=account)
        store.commit(Change(order, changed(order), None))
    assert store.accounts() == ["first", "second"]
