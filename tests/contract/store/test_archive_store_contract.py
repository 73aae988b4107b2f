"""What archive.ArchiveStore promises, of memory and of a real server alike."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from execution.ledger.archive import ArchiveStore
from execution.ledger.checkpoints import Agreed
from execution.ledger.port import Checkpoint
from execution.model.errors import StoreUnavailable
from execution.model.order import OrderState
from execution.orders.store import Change, Committed
from execution.store.access import keys
from execution.store.access.connection import connect
from execution.store.redis.archive import RedisArchive
from execution.store.stores import Stores
from tests.support.clock import EPOCH, START_MS, FakeClock
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, fill
from tests.support.stores_kit import (
    AWAY,
    PARAMS,
    ServerRig,
    an_ended_order,
    an_order,
    changed,
    kept,
    moved,
    stores_of,
)

LONG_AGO, LATER = START_MS - 1, START_MS + 1_000


@pytest.fixture(params=PARAMS)
def stores(request: pytest.FixtureRequest) -> Stores:
    return stores_of(request.param, request)


@pytest.fixture
def rig(valkey_url: str) -> ServerRig:
    return ServerRig(valkey_url)


def test_every_change_puts_an_order_on_the_list(stores: Stores) -> None:
    first = kept(stores, an_order(1))
    assert stores.archive.unarchived() == [first.order_id]
    stores.archive.mark_archived([(first, None)])
    assert stores.archive.unarchived() == []
    changed(stores, first, reason="news")
    assert stores.archive.unarchived() == [first.order_id]


def test_the_oldest_order_is_first_on_the_list_whenever_it_was_written(stores: Stores) -> None:
    young, old = kept(stores, an_order(9)), kept(stores, an_order(1))
    assert stores.archive.unarchived() == [old.order_id, young.order_id]


def test_records_are_read_whole_and_those_that_are_not_there_are_left_out(stores: Stores) -> None:
    first, second = kept(stores, an_order(1)), kept(stores, an_ended_order(2))
    wanted = [second.order_id, "oonothing", first.order_id]
    assert stores.archive.records(wanted) == [second, first]
    assert stores.archive.records([]) == []


def test_an_order_that_changed_since_it_was_written_stays_on_the_list(stores: Stores) -> None:
    written = kept(stores, an_ended_order())
    changed(stores, written, reason="a late fill")
    stores.archive.mark_archived([(written, LONG_AGO)])
    assert stores.archive.unarchived() == [written.order_id]
    assert stores.archive.leaving(START_MS, 10) == []


def test_an_older_state_that_was_written_late_puts_the_order_on_the_list_again(
    stores: Stores,
) -> None:
    """Two archive at once, and the one with the older state was the last to write."""
    older = kept(stores, an_ended_order())
    newer = changed(stores, older, reason="a late fill")
    stores.archive.mark_archived([(newer, LATER)])
    assert stores.archive.unarchived() == []
    stores.archive.mark_archived([(older, LATER)])
    assert stores.archive.unarchived() == [older.order_id]


def test_an_order_that_is_not_there_is_put_on_no_list(stores: Stores) -> None:
    stores.archive.mark_archived([(replace(an_ended_order(), version=1), LONG_AGO)])
    assert stores.archive.unarchived() == []
    assert stores.archive.leaving(START_MS, 10) == []


def test_another_order_of_the_same_version_is_not_the_one_that_was_written(stores: Stores) -> None:
    """A store that came back from an earlier time gives a version again, to other contents."""
    there = kept(stores, an_ended_order())
    stores.archive.mark_archived([(replace(there, revision="of the lost hour"), LONG_AGO)])
    assert stores.archive.unarchived() == [there.order_id]
    assert stores.archive.leaving(START_MS, 10) == []


def test_orders_leave_at_their_time_the_earliest_first_and_each_is_taken_once(
    stores: Stores,
) -> None:
    orders = [kept(stores, an_ended_order(number)) for number in (1, 2, 3)]
    for order, leave_ms in zip(orders, (START_MS, LONG_AGO, LATER), strict=True):
        stores.archive.mark_archived([(order, leave_ms)])
    assert stores.archive.leaving(START_MS, 1) == [orders[1].order_id]
    assert stores.archive.leaving(START_MS, 10) == [orders[0].order_id]
    assert stores.archive.leaving(START_MS, 10) == []
    assert stores.archive.leaving(LATER, 10) == [orders[2].order_id]


def test_an_order_that_is_written_again_without_a_time_leaves_no_more(stores: Stores) -> None:
    order = kept(stores, an_ended_order())
    stores.archive.mark_archived([(order, LONG_AGO)])
    stores.archive.mark_archived([(order, None)])
    assert stores.archive.leaving(START_MS, 10) == []


def left(stores: Stores, number: int = 1) -> Any:
    """An ended order that was archived, and has left."""
    order = kept(stores, an_ended_order(number))
    stores.archive.mark_archived([(order, LONG_AGO)])
    stores.archive.evict(order, 60)
    return order


def test_an_order_that_left_is_in_no_list_of_the_store(stores: Stores) -> None:
    order, stays = left(stores), kept(stores, an_ended_order(2))
    assert stores.orders.order(order.order_id) is None
    assert stores.orders.orders() == [stays]
    assert stores.archive.records([order.order_id]) == []
    assert stores.archive.leaving(LATER, 10) == []
    ids = stores.orders.order_ids_by_exchange_id(ACCOUNT, SYMBOL, ["7001", "7002"])
    assert ids == {"7002": stays.order_id}


def test_a_signal_that_comes_again_finds_that_its_order_was_there(stores: Stores) -> None:
    order = left(stores)
    again = an_ended_order()
    change = Change(again, replace(again, version=1), 1, is_from_signal=True)
    assert stores.orders.commit(change) is Committed.CONFLICT
    assert stores.orders.order(order.order_id) is None


def test_an_order_that_left_is_not_adopted_as_if_there_had_been_none(stores: Stores) -> None:
    """Its earlier fills are on the position already."""
    left(stores)
    found = an_ended_order()
    change = Change(found, replace(found, version=1), None)
    assert stores.orders.commit(change) is Committed.CONFLICT


def test_a_worker_that_still_holds_an_order_that_left_cannot_change_it(stores: Stores) -> None:
    """It has to call it back first: half a record would be in none of the lists."""
    order = left(stores)
    late = replace(order, version=2, reason="a late fill")
    assert stores.orders.commit(Change(order, late, None)) is Committed.CONFLICT
    assert stores.archive.unarchived() == []


def test_an_order_that_changed_after_it_was_archived_does_not_leave(stores: Stores) -> None:
    order = kept(stores, an_ended_order())
    stores.archive.mark_archived([(order, LONG_AGO)])
    late = changed(stores, order, reason="a late fill")
    stores.archive.evict(order, 60)
    assert stores.orders.order(order.order_id) == late
    assert stores.archive.unarchived() == [order.order_id]


def test_a_live_order_does_not_leave(stores: Stores) -> None:
    order = kept(stores, an_order(), due_ms=1)
    stores.archive.mark_archived([(order, LONG_AGO)])
    stores.archive.evict(order, 60)
    assert stores.orders.live_orders(ACCOUNT) == [order]
    assert stores.orders.due(10, 10, 1) == [order.order_id]


def test_an_order_that_is_put_back_is_as_the_ledger_has_it(stores: Stores) -> None:
    order = left(stores)
    stores.archive.restore(order, LATER)
    assert stores.orders.order(order.order_id) == order
    assert stores.orders.orders() == [order]
    ids = stores.orders.order_ids_by_exchange_id(ACCOUNT, SYMBOL, ["7001"])
    assert ids == {"7001": order.order_id}
    assert stores.archive.unarchived() == []
    assert stores.orders.live_orders(ACCOUNT) == []
    assert stores.archive.leaving(START_MS, 10) == []
    assert stores.archive.leaving(LATER, 10) == [order.order_id]
    assert changed(stores, order, reason="and it goes on from there").version == 2


def test_a_live_order_that_is_put_back_is_live_and_due_at_once(stores: Stores) -> None:
    order = replace(an_order(), version=3, revision="abc", state=OrderState.OPEN)
    stores.archive.restore(order, None)
    assert stores.orders.live_orders(ACCOUNT) == [order]
    assert stores.orders.due(START_MS, 10, 1) == [order.order_id]
    assert stores.archive.leaving(LATER, 10) == []


def test_a_record_that_is_there_is_not_put_back(stores: Stores) -> None:
    there = changed(stores, kept(stores, an_order()), reason="newer")
    stores.archive.restore(replace(there, version=1, reason="older"), LATER)
    assert stores.orders.order(there.order_id) == there
    assert stores.archive.leaving(LATER, 10) == []


def test_an_order_that_is_put_back_moves_no_position(stores: Stores) -> None:
    order = moved(stores, kept(stores, an_ended_order()), (fill("1", "buy", "1", "99"),))
    before = stores.positions.position(ACCOUNT, SYMBOL)
    stores.archive.mark_archived([(order, LONG_AGO)])
    stores.archive.evict(order, 60)
    stores.archive.restore(order, LATER)
    assert stores.positions.position(ACCOUNT, SYMBOL) == before


def test_a_late_fill_of_an_order_that_was_put_back_is_written_like_any_other(
    stores: Stores,
) -> None:
    order = left(stores)
    stores.archive.restore(order, LATER)
    after = moved(stores, order, (fill("1", "buy", "1", "99"),))
    assert stores.orders.order(order.order_id) == after
    assert stores.archive.unarchived() == [order.order_id]


def test_an_order_that_left_or_came_back_starts_no_search_for_losses(stores: Stores) -> None:
    stores.repair.set_verified_epoch("run")
    order = left(stores)
    stores.archive.restore(order, LATER)
    assert stores.repair.verified_epoch() == "run"


def test_that_an_order_was_there_is_forgotten_in_time(rig: ServerRig) -> None:
    order = rig.gone(rig.filled())
    ttl_s = rig.redis.ttl(keys.order(order.order_id))
    assert 86_400 - 60 < ttl_s <= 86_400
    assert set(rig.redis.hgetall(keys.order(order.order_id))) == {"version", "revision"}


def test_what_is_put_back_stays(rig: ServerRig) -> None:
    order = rig.gone(rig.filled())
    assert rig.manager.submit(rig.order(signal_id="signal-1")) == order
    assert rig.redis.ttl(keys.order(order.order_id)) == -1
    assert rig.accepted == 1


def test_what_is_put_back_by_a_record_that_was_lost_has_everything_looked_over(
    rig: ServerRig,
) -> None:
    """The ledger may have it as it was before fills that are on the position."""
    rig.looked_over()
    order = rig.filled()
    rig.archive.run()
    rig.redis.delete(keys.order(order.order_id))
    assert rig.archive.recall(order.order_id) == order
    assert rig.parts.repair.verified_epoch() is None


ORDER = an_ended_order()
CALLS: dict[str, Callable[[ArchiveStore], object]] = {
    "unarchived": lambda s: s.unarchived(),
    "lists_unarchived": lambda s: s.lists_unarchived(),
    "records": lambda s: s.records(["oo1"]),
    "mark_archived": lambda s: s.mark_archived([(ORDER, 1)]),
    "leaving": lambda s: s.leaving(2, 1),
    "evict": lambda s: s.evict(ORDER, 60),
    "restore": lambda s: s.restore(ORDER, 1),
    "ledger_identity": lambda s: s.ledger_identity(),
    "set_ledger_identity": lambda s: s.set_ledger_identity("ledger"),
    "agreed": lambda s: s.agreed(),
    "set_agreed": lambda s: s.set_agreed(Agreed("ledger")),
}


@pytest.mark.parametrize("method", CALLS)
def test_a_server_that_is_not_there_is_a_store_unavailable(method: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"^cannot reach Redis at "):
        CALLS[method](RedisArchive(connect(AWAY), FakeClock()))


def test_every_method_of_the_port_has_its_failure_here() -> None:
    assert set(CALLS) == {name for name in vars(ArchiveStore) if not name.startswith("_")}


def test_every_key_is_named_for_the_project(rig: ServerRig) -> None:
    for call in CALLS.values():
        call(rig.parts.archive)
    found = sorted(rig.redis.scan_iter())
    assert len(found) >= 4
    assert all(key.startswith("oneorder:") for key in found)


def test_a_list_that_was_lost_is_distinguished_from_an_empty_one(rig: ServerRig) -> None:
    rig.looked_over()
    assert rig.parts.archive.lists_unarchived()
    rig.redis.delete(keys.UNARCHIVED)
    rig.filled()
    assert not rig.parts.archive.lists_unarchived()


def test_what_store_and_ledger_agreed_on_comes_back(stores: Stores) -> None:
    assert stores.archive.agreed() is None
    agreed = Agreed("ledger", Checkpoint(1, "a", EPOCH), Checkpoint(2, "b", EPOCH), "state")
    stores.archive.set_agreed(agreed)
    assert stores.archive.agreed() == agreed
