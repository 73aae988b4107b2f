"""What ArbitrageStore promises, of memory and of a real server alike."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution.arbitrage.model import Arbitrage, ArbitrageState, Leg, LegRole, Result
from execution.arbitrage.store import ArbitrageChange, ArbitrageStore, NewLeg
from execution.model.errors import StoreUnavailable
from execution.model.order import Attempt, Order, OrderState
from execution.operations.missing_accounts import missing_accounts
from execution.orders.store import Change, Committed, Epoch, Halt
from execution.store.access import keys
from execution.store.access.connection import connect
from execution.store.access.due_times import DUE_AHEAD_MAX_MS
from execution.store.redis.arbitrages import RedisArbitrages
from execution.store.stores import Stores
from tests.support.clock import EPOCH, START_MS
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, Rig
from tests.support.stores_kit import AWAY, PARAMS, an_order, stores_of
from tests.support.whole_stores import MemoryStore

OTHER = "bybit-main"
DUE_MS = START_MS + 500
EXACT = Decimal("12345678901234567890.123456789012345678")


@pytest.fixture(params=PARAMS)
def stores(request: pytest.FixtureRequest) -> Stores:
    return stores_of(request.param, request)


def an_arbitrage(number: int = 1, **changes: Any) -> Arbitrage:
    now = EPOCH + timedelta(milliseconds=START_MS) + timedelta(seconds=number)
    one = Arbitrage(
        arbitrage_id=f"oa{number}",
        signal_id=f"signal-{number}",
        symbol=SYMBOL,
        buy_account=ACCOUNT,
        sell_account=OTHER,
        amount=Decimal(1),
        min_profit_bps=Decimal(10),
        max_loss_bps=Decimal(50),
        created_at=now,
        updated_at=now,
    )
    return replace(one, **changes)


def after(before: Arbitrage, **changes: Any) -> Arbitrage:
    version = before.version + 1
    return replace(before, version=version, revision=f"change {version}", **changes)


def kept(stores: Stores, before: Arbitrage, due_ms: int | None = DUE_MS, **changes: Any) -> Any:
    """The next version, in the store."""
    one = after(before, **changes)
    assert stores.arbitrages.commit(ArbitrageChange(before, one, due_ms)) is Committed.DONE
    return one


def a_leg(number: int, account: str = ACCOUNT, *, begins: bool = True) -> NewLeg:
    order = an_order(number, account=account, version=1, revision=f"first {number}")
    if begins:
        attempt = Attempt(1, START_MS, START_MS + 5_000, START_MS + 7_000)
        order = replace(order, state=OrderState.SUBMITTING, attempts=(attempt,))
    return NewLeg(order, DUE_MS + number, begins_attempt=begins)


def both_legs() -> tuple[NewLeg, ...]:
    return a_leg(1, ACCOUNT), a_leg(2, OTHER)


def opening(*legs: NewLeg, **more: Any) -> ArbitrageChange:
    before = an_arbitrage()
    named = tuple(Leg(LegRole.BUY, leg.order.account, leg.order.order_id) for leg in legs)
    opened = after(before, state=ArbitrageState.OPEN, legs=named)
    return ArbitrageChange(before, opened, DUE_MS, legs, **more)


def stored(stores: Stores) -> tuple[list[Arbitrage], list[Order]]:
    return stores.arbitrages.arbitrages(), stores.orders.orders()


WHOLE = Arbitrage(
    arbitrage_id="oawhole",
    signal_id="signal",
    symbol=SYMBOL,
    buy_account=ACCOUNT,
    sell_account=OTHER,
    amount=EXACT,
    min_profit_bps=Decimal("10.5"),
    max_loss_bps=Decimal(50),
    created_at=datetime(2030, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
    updated_at=datetime(2030, 1, 2, 3, 4, 6, tzinfo=UTC),
    expires_at=datetime(2030, 1, 2, 3, 5, tzinfo=UTC),
    strategy="spread",
    entry_id="1800000000000-0",
    state=ArbitrageState.IMBALANCED,
    reason="prices moved",
    expected_profit=Decimal("1E-18"),
    legs=(Leg(LegRole.BUY, ACCOUNT, "oo1"), Leg(LegRole.UNWIND, OTHER, "oo2")),
    result=Result(EXACT, Decimal("0.1"), Decimal("-7.25"), {"BNB": EXACT}, 12, ("oo2",)),
    is_announced=True,
    version=1,
    revision="first",
)


def test_every_field_comes_back_as_it_was(stores: Stores) -> None:
    for each in fields(Arbitrage):
        if each.default is not MISSING:
            assert getattr(WHOLE, each.name) != each.default, f"{each.name} is not told apart"
    before = replace(WHOLE, version=0, revision="")
    change = ArbitrageChange(before, WHOLE, None)
    assert stores.arbitrages.commit(change) is Committed.DONE
    assert stores.arbitrages.arbitrage("oawhole") == WHOLE


def test_what_was_never_written_is_not_there(stores: Stores) -> None:
    assert stores.arbitrages.arbitrage("oanobody") is None
    assert stores.arbitrages.arbitrages() == []


def test_a_change_needs_what_it_was_made_of(stores: Stores) -> None:
    commit, first = stores.arbitrages.commit, an_arbitrage()
    one = kept(stores, first)
    two = kept(stores, one, state=ArbitrageState.OPEN)
    for before in (first, one, replace(two, revision="of another time"), replace(two, version=3)):
        assert commit(ArbitrageChange(before, after(before), None)) is Committed.CONFLICT
    assert stores.arbitrages.arbitrage("oa1") == two


def test_a_change_of_what_is_not_there_is_refused(stores: Stores) -> None:
    one = after(an_arbitrage())
    change = ArbitrageChange(one, after(one), None)
    assert stores.arbitrages.commit(change) is Committed.CONFLICT


def test_of_two_first_writes_at_once_one_is_made(stores: Stores) -> None:
    def write(number: int) -> Committed:
        one = replace(after(an_arbitrage()), revision=f"by {number}")
        return stores.arbitrages.commit(ArbitrageChange(an_arbitrage(), one, DUE_MS))

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(write, range(8)))
    assert sorted(answer.value for answer in answers) == ["conflict"] * 7 + ["done"]


def test_orders_are_journaled_in_the_same_write(stores: Stores) -> None:
    change = opening(*both_legs())
    assert stores.arbitrages.commit(change) is Committed.DONE
    one, two = (leg.order for leg in change.legs)
    assert stored(stores) == ([change.after], [one, two])
    assert stores.orders.live_orders(ACCOUNT) == [one]
    assert stores.orders.live_orders(OTHER) == [two]
    assert stores.orders.orders(OrderState.SUBMITTING, OTHER) == [two]
    assert stores.orders.due(DUE_MS + 1, 10, 1_000) == [one.order_id]
    assert stores.orders.due(DUE_MS + 2, 10, 1_000) == [two.order_id]
    assert stores.archive.unarchived() == [one.order_id, two.order_id]


def test_orders_that_were_journaled_go_on_as_any_other_does(stores: Stores) -> None:
    leg = a_leg(1)
    stores.arbitrages.commit(opening(leg))
    done = replace(leg.order, state=OrderState.REJECTED, version=2, revision="second")
    assert stores.orders.commit(Change(leg.order, done, None)) is Committed.DONE
    assert stores.orders.live_orders(ACCOUNT) == []
    assert stores.orders.due(DUE_MS * 2, 10, 1_000) == []


@pytest.mark.parametrize("taken", [1, 2])
def test_an_order_that_there_is_already_keeps_everything_from_being_written(
    stores: Stores, taken: int
) -> None:
    order = an_order(taken, version=1, revision="of somebody else")
    stores.orders.commit(Change(replace(order, version=0), order, None))
    assert stores.arbitrages.commit(opening(*both_legs())) is Committed.CONFLICT
    assert stored(stores) == ([], [order])
    assert stores.arbitrages.due(DUE_MS * 2, 10, 1) == []


def test_an_order_whose_record_is_lost_is_not_taken_for_a_new_one(
    stores: Stores, request: Any
) -> None:
    order = an_order(1, version=1, revision="first")
    stores.orders.commit(Change(replace(order, version=0), order, None))
    if isinstance(stores.orders, MemoryStore):
        del stores.orders.tables.orders[order.order_id]
    else:
        connect(request.getfixturevalue("valkey_url")).delete(keys.order(order.order_id))
    assert stores.arbitrages.commit(opening(*both_legs())) is Committed.CONFLICT
    assert stored(stores) == ([], [])


@pytest.mark.parametrize("account", [None, ACCOUNT, OTHER])
def test_on_a_halted_account_no_attempt_begins(stores: Stores, account: str | None) -> None:
    stores.halts.halt(Halt(account, "drift", EPOCH))
    assert stores.arbitrages.commit(opening(*both_legs())) is Committed.HALTED
    assert stored(stores) == ([], [])
    stores.halts.resume(account)
    assert stores.arbitrages.commit(opening(*both_legs())) is Committed.DONE


@pytest.mark.parametrize("account", [ACCOUNT, OTHER])
def test_on_an_account_on_hold_no_attempt_begins(stores: Stores, account: str) -> None:
    stores.holds.hold(account, 60)
    assert stores.arbitrages.commit(opening(*both_legs())) is Committed.HELD
    assert stored(stores) == ([], [])


def test_a_halt_elsewhere_is_no_halt_here(stores: Stores) -> None:
    stores.halts.halt(Halt("third", "drift", EPOCH))
    stores.holds.hold("third", 60)
    assert stores.arbitrages.commit(opening(*both_legs())) is Committed.DONE


def test_what_begins_no_attempt_is_written_also_where_nothing_may_be_sent(stores: Stores) -> None:
    stores.halts.halt(Halt(None, "by hand", EPOCH))
    stores.holds.hold(ACCOUNT, 60)
    change = opening(a_leg(1, begins=False))
    assert stores.arbitrages.commit(change) is Committed.DONE
    assert stores.orders.order(change.legs[0].order.order_id) == change.legs[0].order


def test_in_its_own_epoch_a_change_is_made_and_in_another_it_is_not(stores: Stores) -> None:
    now = stores.epochs.epoch()
    another = opening(*both_legs(), epoch=Epoch("0" * len(now.run_id), 0))
    assert stores.arbitrages.commit(another) is Committed.RESTARTED
    assert stored(stores) == ([], [])
    assert stores.arbitrages.commit(opening(*both_legs(), epoch=now)) is Committed.DONE


def test_the_first_write_settles_the_intent(stores: Stores, request: Any) -> None:
    if isinstance(stores.orders, MemoryStore):
        entry_id = stores.orders.add_intent("arbitrage.execute", "{}")
    else:
        client: Any = connect(request.getfixturevalue("valkey_url"))
        entry_id = client.xadd(keys.SIGNALS, {"task": "arbitrage.execute", "body": "{}"})
    assert len(stores.intents.take_intents(10, -60_000)) == 1
    kept(stores, an_arbitrage(entry_id=entry_id))
    assert stores.intents.take_intents(10, -60_000) == []


def test_an_entry_id_that_names_nothing_is_nothing(stores: Stores) -> None:
    assert kept(stores, an_arbitrage(entry_id="rubbish")).entry_id == "rubbish"


def test_what_is_due_is_leased_and_comes_again_after_the_lease(stores: Stores) -> None:
    kept(stores, an_arbitrage(1), DUE_MS + 1)
    kept(stores, an_arbitrage(2), DUE_MS)
    kept(stores, an_arbitrage(3), None)
    due = stores.arbitrages.due
    assert due(DUE_MS - 1, 10, 1_000) == []
    assert due(DUE_MS + 1, 1, 1_000) == ["oa2"]
    assert due(DUE_MS + 1, 10, 1_000) == ["oa1"]
    assert due(DUE_MS + 1_000, 10, 1_000) == []
    assert due(DUE_MS + 1_001, 10, 1_000) == ["oa1", "oa2"]


def test_one_put_off_by_a_clock_that_was_set_back_since_does_not_wait_for_it(
    stores: Stores,
) -> None:
    kept(stores, an_arbitrage(1), DUE_MS)
    assert stores.arbitrages.due(DUE_MS - DUE_AHEAD_MAX_MS, 10, 1_000) == []
    assert stores.arbitrages.due(DUE_MS - DUE_AHEAD_MAX_MS - 1, 10, 1_000) == ["oa1"]


def test_a_write_sets_again_when_it_is_due(stores: Stores) -> None:
    one = kept(stores, an_arbitrage())
    two = kept(stores, one, DUE_MS + 9)
    assert stores.arbitrages.due(DUE_MS + 8, 10, 1) == []
    kept(stores, two, None)
    assert stores.arbitrages.due(DUE_MS + 9, 10, 1) == []


def test_what_is_to_be_looked_at_can_be_put_off(stores: Stores) -> None:
    kept(stores, an_arbitrage())
    stores.arbitrages.postpone("oa1", DUE_MS + 5)
    assert stores.arbitrages.due(DUE_MS + 4, 10, 1) == []
    assert stores.arbitrages.due(DUE_MS + 5, 10, 1) == ["oa1"]


def test_what_rests_is_not_put_off_to_any_time(stores: Stores) -> None:
    kept(stores, an_arbitrage())
    stores.arbitrages.rest("oa1")
    stores.arbitrages.postpone("oa1", DUE_MS)
    stores.arbitrages.rest("oanobody")
    assert stores.arbitrages.due(DUE_MS * 2, 10, 1) == []


def test_all_are_listed_the_oldest_first_and_by_state(stores: Stores) -> None:
    two = kept(stores, an_arbitrage(2))
    one = kept(stores, an_arbitrage(1))
    three = kept(stores, an_arbitrage(3), state=ArbitrageState.CLOSED)
    assert stores.arbitrages.arbitrages() == [one, two, three]
    assert stores.arbitrages.arbitrages(ArbitrageState.RECEIVED) == [one, two]
    assert stores.arbitrages.arbitrages(ArbitrageState.CLOSED) == [three]


def test_a_rollback_takes_back_arbitrages_with_their_orders() -> None:
    rig = Rig()
    stores = rig.stores()
    one = kept(stores, an_arbitrage(2))
    earlier = rig.store.copied()
    stores.arbitrages.commit(opening(*both_legs()))
    kept(stores, one, None)
    rig.store.roll_back(earlier)
    assert stored(stores) == ([one], [])
    assert stores.arbitrages.due(DUE_MS, 10, 1) == ["oa2"]


def test_what_has_ended_is_remembered_for_so_long_and_what_begins_again_for_ever(
    valkey_url: str,
) -> None:
    client: Any = connect(valkey_url)
    client.flushall()
    store = RedisArbitrages(client, remember_s=60)
    before, one = an_arbitrage(), after(an_arbitrage(), state=ArbitrageState.CLOSED)
    store.commit(ArbitrageChange(before, one, None))
    assert 0 < client.ttl(keys.arbitrage("oa1")) <= 60
    again = after(one, state=ArbitrageState.BALANCING)
    store.commit(ArbitrageChange(one, again, None))
    assert client.ttl(keys.arbitrage("oa1")) == -1
    client.delete(keys.arbitrage("oa1"))
    assert store.arbitrages() == []
    assert client.zcard(keys.ARBITRAGES) == 0


def test_those_that_have_not_ended_are_found_also_on_accounts_that_are_not_configured(
    stores: Stores,
) -> None:
    leg = a_leg(1, OTHER)
    assert stores.arbitrages.commit(opening(leg)) is Committed.DONE
    kept(stores, an_arbitrage(2), state=ArbitrageState.CLOSED)
    kept(stores, an_arbitrage(3), None, state=ArbitrageState.REFUSED)
    (unfinished,) = stores.arbitrages.unfinished()
    assert not unfinished.has_ended
    (found,) = missing_accounts(stores.orders, stores.arbitrages, [ACCOUNT])
    assert (found.account, found.orders) == (OTHER, (leg.order,))
    assert found.arbitrages == (unfinished,)
    assert leg.order.order_id in found.sentence
    assert unfinished.arbitrage_id in found.sentence
    assert missing_accounts(stores.orders, stores.arbitrages, [ACCOUNT, OTHER]) == []


def test_a_server_with_the_contents_of_an_earlier_time_takes_no_arbitrage(
    request: pytest.FixtureRequest,
) -> None:
    """The process knows of more commits than the server has."""
    stores = stores_of("redis", request)
    kept(stores, an_arbitrage(3))
    epoch = stores.epochs.epoch(fresh=True)
    kept(stores, an_arbitrage(2))
    connect(request.getfixturevalue("valkey_url")).set(keys.COMMITS, 1)
    change = opening(*both_legs(), epoch=epoch)
    assert stores.arbitrages.commit(change) is Committed.RESTARTED
    assert stores.epochs.epoch(fresh=True) != epoch


CALLS: list[Callable[[ArbitrageStore], object]] = [
    lambda store: store.commit(opening(*both_legs())),
    lambda store: store.arbitrage("oa1"),
    lambda store: store.arbitrages(),
    lambda store: store.unfinished(),
    lambda store: store.due(DUE_MS, 1, 1),
    lambda store: store.rest("oa1"),
    lambda store: store.postpone("oa1", 1),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_does_not_answer_is_unavailable(
    call: Callable[[ArbitrageStore], object],
) -> None:
    with pytest.raises(StoreUnavailable):
        call(RedisArbitrages(connect(AWAY), 60))


def test_no_leg_begins_at_an_address_that_is_held(stores: Stores) -> None:
    stores.address_holds.hold_address("https://held.test:443", 60, "HTTP 429")
    change = opening(*both_legs())
    free, held = change.legs
    legs = (replace(free, address="https://free.test:443"), held)
    at_held = replace(change, legs=(legs[0], replace(held, address="https://held.test:443")))
    assert stores.arbitrages.commit(at_held) is Committed.HELD
    assert stored(stores) == ([], [])
    assert stores.arbitrages.commit(replace(change, legs=legs)) is Committed.DONE
