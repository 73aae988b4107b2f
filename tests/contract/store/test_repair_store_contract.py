"""What repair.RepairStore promises, of memory and of a real server alike."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from execution.model.errors import StoreUnavailable
from execution.model.order import OrderState
from execution.model.position import Position, fold
from execution.orders.store import Change, Committed
from execution.repair.store import RepairStore
from execution.store.access.connection import connect
from execution.store.redis.repair import RedisRepair
from execution.store.stores import Stores
from tests.support.clock import START_MS, FakeClock
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, fill
from tests.support.stores_kit import (
    AWAY,
    PARAMS,
    an_ended_order,
    an_order,
    changed,
    kept,
    moved,
    stores_of,
)

FIRST, SECOND = fill("1", "buy", "1", "99"), fill("2", "buy", "2", "98")


@pytest.fixture(params=PARAMS)
def stores(request: pytest.FixtureRequest) -> Stores:
    return stores_of(request.param, request)


def looked_over(stores: Stores) -> Stores:
    """From now on, what is lost shows."""
    stores.repair.lost([ACCOUNT])
    stores.repair.reindex()
    stores.repair.set_verified_epoch("run")
    return stores


def folded(*fills: object, version: int, revision: str = "anew") -> Position:
    position = fold(Position(ACCOUNT, SYMBOL), fills)
    return replace(position, version=version, revision=revision)


def test_which_run_was_found_whole_is_remembered_until_it_is_taken_back(stores: Stores) -> None:
    assert stores.repair.verified_epoch() is None
    stores.repair.set_verified_epoch("a run")
    assert stores.repair.verified_epoch() == "a run"
    stores.repair.set_verified_epoch("another")
    assert stores.repair.verified_epoch() == "another"
    stores.repair.set_verified_epoch(None)
    assert stores.repair.verified_epoch() is None


def test_in_a_store_that_was_looked_over_nothing_is_lost(stores: Stores) -> None:
    looked_over(stores)
    assert stores.repair.lost([ACCOUNT]) == []


def test_what_orders_and_positions_do_in_the_course_of_trading_is_no_loss(stores: Stores) -> None:
    looked_over(stores)
    order = moved(stores, kept(stores, an_order(), due_ms=1), (FIRST,))
    assert stores.repair.lost([ACCOUNT]) == []
    order = moved(stores, replace(order, state=OrderState.FILLED), (SECOND,))
    stores.archive.mark_archived([(order, START_MS - 1)])
    assert stores.archive.leaving(START_MS, 10) == [order.order_id]
    stores.archive.evict(order, 60)
    assert stores.orders.live_orders(ACCOUNT) == []
    assert stores.repair.lost([ACCOUNT]) == []


def test_the_marks_of_a_store_that_was_looked_over_are_never_read_as_orders(
    stores: Stores,
) -> None:
    looked_over(stores)
    now_ms = 10**15
    assert stores.orders.orders() == []
    assert stores.orders.orders(account=ACCOUNT) == []
    assert stores.orders.live_orders(ACCOUNT) == []
    assert stores.orders.due(now_ms, 100, 1) == []
    assert stores.orders.make_due(ACCOUNT, now_ms, now_ms, 1) == 0
    assert stores.orders.due(now_ms, 100, 1) == []
    assert stores.positions.positions() == []
    assert stores.orders.order_ids_by_exchange_id(ACCOUNT, SYMBOL, ["-", ""]) == {}
    assert stores.archive.unarchived() == []
    assert stores.archive.leaving(now_ms, 100) == []
    assert stores.repair.reindex() == 0
    order = kept(stores, an_order(), due_ms=1)
    assert stores.orders.orders() == stores.orders.live_orders(ACCOUNT) == [order]
    assert stores.orders.due(now_ms, 100, 1) == stores.archive.unarchived() == [order.order_id]


def test_every_record_is_to_be_archived_again_after_it_was_listed_again(stores: Stores) -> None:
    orders = [kept(stores, an_order(1)), kept(stores, an_ended_order(2))]
    for order in orders:
        stores.archive.mark_archived([(order, None)])
    assert stores.repair.reindex() == 2
    assert stores.archive.unarchived() == [order.order_id for order in orders]
    assert stores.orders.live_orders(ACCOUNT) == [orders[0]]


def test_what_is_left_of_an_order_that_has_left_is_not_listed_again(stores: Stores) -> None:
    order = kept(stores, an_ended_order())
    stores.archive.mark_archived([(order, 1)])
    stores.archive.evict(order, 60)
    assert stores.repair.reindex() == 0
    assert stores.archive.unarchived() == []
    assert stores.orders.orders() == []


def test_a_store_knows_of_orders_that_left_that_they_were_there(stores: Stores) -> None:
    stays, left = kept(stores, an_order(1)), kept(stores, an_ended_order(2))
    stores.archive.mark_archived([(left, 1)])
    stores.archive.evict(left, 60)
    asked = [stays.order_id, left.order_id, "oonothing"]
    assert stores.repair.without_record(asked) == {"oonothing"}
    assert stores.repair.without_record([]) == set()


def test_an_order_that_is_noted_to_have_been_there_is_not_made_again(stores: Stores) -> None:
    order = an_order()
    stores.repair.remember([order.order_id], 60)
    assert stores.repair.without_record([order.order_id]) == set()
    assert stores.orders.order(order.order_id) is None
    after = replace(order, version=1)
    change = Change(order, after, 1, is_from_signal=True)
    assert stores.orders.commit(change) is Committed.CONFLICT


def test_an_order_that_is_noted_to_have_been_there_can_be_called_back(stores: Stores) -> None:
    order = replace(an_ended_order(), version=7, revision="abc")
    stores.repair.remember([order.order_id], 60)
    stores.archive.restore(order, START_MS)
    assert stores.orders.order(order.order_id) == order
    assert changed(stores, order, reason="goes on").version == 8


def test_a_record_that_was_made_meanwhile_is_not_turned_into_a_note(stores: Stores) -> None:
    """A signal may come again while a repair is at work."""
    order = kept(stores, an_order())
    stores.repair.remember([order.order_id], 60)
    assert stores.orders.order(order.order_id) == order
    assert changed(stores, order, reason="it still can be changed").version == 2


def test_a_position_is_replaced_only_as_it_was_when_it_was_folded(stores: Stores) -> None:
    order = moved(stores, kept(stores, an_order()), (FIRST,))
    before = stores.positions.position(ACCOUNT, SYMBOL)
    moved(stores, order, (SECOND,))
    assert not stores.repair.replace_position(before, folded(FIRST, version=9))
    assert stores.positions.position(ACCOUNT, SYMBOL).amount == 3
    before = stores.positions.position(ACCOUNT, SYMBOL)
    anew = folded(FIRST, SECOND, version=before.version + 1)
    assert stores.repair.replace_position(before, anew)
    assert stores.positions.position(ACCOUNT, SYMBOL) == anew


def test_a_position_of_the_same_version_in_another_revision_is_another_one(stores: Stores) -> None:
    moved(stores, kept(stores, an_order()), (FIRST,))
    before = replace(stores.positions.position(ACCOUNT, SYMBOL), revision="of the lost hour")
    assert not stores.repair.replace_position(before, folded(SECOND, version=9))


def test_a_position_that_is_not_there_is_put_there_and_not_missed(stores: Stores) -> None:
    looked_over(stores)
    nothing, anew = Position(ACCOUNT, SYMBOL), folded(FIRST, SECOND, version=2)
    assert stores.repair.replace_position(nothing, anew)
    assert stores.positions.positions(ACCOUNT) == [anew]
    assert stores.repair.lost([ACCOUNT]) == []
    assert not stores.repair.replace_position(nothing, folded(FIRST, version=1))


def test_fills_move_a_position_on_from_where_it_was_put(stores: Stores) -> None:
    stores.repair.replace_position(Position(ACCOUNT, SYMBOL), folded(FIRST, version=5))
    order = moved(stores, kept(stores, an_order()), (SECOND,))
    position = stores.positions.position(ACCOUNT, SYMBOL)
    assert (position.amount, position.version, order.fills[0].sequence) == (3, 6, 6)


POSITION = Position(ACCOUNT, SYMBOL)
CALLS: dict[str, Callable[[RepairStore], object]] = {
    "verified_epoch": lambda s: s.verified_epoch(),
    "set_verified_epoch": lambda s: s.set_verified_epoch("run"),
    "lost": lambda s: s.lost([ACCOUNT]),
    "reindex": lambda s: s.reindex(),
    "without_record": lambda s: s.without_record(["oo1"]),
    "remember": lambda s: s.remember(["oo1"], 60),
    "replace_position": lambda s: s.replace_position(POSITION, folded(FIRST, version=1)),
}


@pytest.mark.parametrize("method", CALLS)
def test_a_server_that_is_not_there_is_a_store_unavailable(method: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"^cannot reach Redis at "):
        CALLS[method](RedisRepair(connect(AWAY), FakeClock()))


def test_every_method_of_the_port_has_its_failure_here() -> None:
    assert set(CALLS) == {name for name in vars(RepairStore) if not name.startswith("_")}


def test_every_key_is_named_for_the_project(valkey_url: str) -> None:
    client = connect(valkey_url)
    client.flushall()
    repair = RedisRepair(client, FakeClock())
    repair.lost([ACCOUNT])
    for call in CALLS.values():
        call(repair)
    found = sorted(client.scan_iter())
    assert len(found) >= 9
    assert all(key.startswith("oneorder:") for key in found)
