"""What a server lost is noticed, and put right by a repair: indexes, records, positions, all."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from execution.model.events import Reported
from execution.model.order import Order, OrderState, Side
from execution.model.position import Position
from execution.orders.store import Change, Committed
from execution.store.access import keys
from execution.store.redis.repair import RedisRepair
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT
from tests.support.stores_kit import KEEP_S, ServerRig

POSITION = keys.position(ACCOUNT, SYMBOL)
INDEXES = {
    "orders": keys.ORDERS,
    "due": keys.DUE,
    "unarchived": keys.UNARCHIVED,
    "leaving": keys.LEAVING,
    "live": keys.live(ACCOUNT),
    "exchange_ids": keys.exchange_ids(ACCOUNT),
}


@pytest.fixture
def rig(valkey_url: str) -> ServerRig:
    return ServerRig(valkey_url).looked_over()


def seen(rig: ServerRig) -> dict[str, Any]:
    """Everything that the indexes are there for. Whether an order is due, or waits for the ledger,
    may be asked once too often, so these two are not among it."""
    store = rig.store
    ids = [standing.exchange_order_id for standing in rig.exchange.standing]
    return {
        "orders": store.orders(),
        "live": store.live_orders(ACCOUNT),
        "ids": store.order_ids_by_exchange_id(ACCOUNT, SYMBOL, ids),
        "positions": store.positions(),
    }


def substance(position: Position) -> tuple[object, ...]:
    return (position.amount, position.cost, position.realised_pnl, position.turnover, position.fees)


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_that_was_deleted_is_noticed_and_made_again(rig: ServerRig, name: str) -> None:
    rig.filled(1)
    resting = rig.resting(2)
    rig.archive.run()
    before = seen(rig)
    rig.redis.delete(INDEXES[name])
    assert rig.parts.repair.lost([ACCOUNT]) == [f"index {INDEXES[name]}"]
    repair = rig.repair()
    assert repair is not None
    assert (repair.orders_restored, repair.positions_rebuilt) == (0, [])
    assert seen(rig) == before
    assert resting.order_id in rig.store.due(rig.clock.now_ms(), 10, 1)
    assert rig.repair() is None


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_that_was_deleted_and_written_to_again_is_noticed_too(
    rig: ServerRig, name: str
) -> None:
    first = rig.filled(1)
    rig.archive.run()
    rig.redis.delete(INDEXES[name])
    second = rig.resting(2)
    rig.archive.run()
    assert f"index {INDEXES[name]}" in rig.parts.repair.lost([ACCOUNT])
    rig.repair()
    assert seen(rig)["orders"] == [first, second]
    assert rig.store.live_orders(ACCOUNT) == [second]
    assert rig.repair() is None


def test_orders_leave_at_their_time_although_the_list_of_them_was_deleted(
    rig: ServerRig,
) -> None:
    order = rig.filled()
    rig.archive.run()
    rig.redis.delete(keys.LEAVING)
    rig.repair()
    rig.gone(order)


def test_the_record_of_a_live_order_is_noticed_and_put_back(rig: ServerRig) -> None:
    order = rig.resting()
    rig.archive.run()
    before = seen(rig)
    rig.redis.delete(keys.order(order.order_id))
    assert rig.parts.repair.lost([ACCOUNT]) == [f"the record of live order {order.order_id}"]
    repair = rig.repair()
    assert repair is not None
    assert repair.orders_restored == 1
    assert seen(rig) == before
    assert order.order_id in rig.store.due(rig.clock.now_ms(), 10, 1)
    assert rig.repair() is None


def test_a_record_that_is_written_again_after_its_loss_has_everything_checked(
    rig: ServerRig,
) -> None:
    """Its fills are told once more, and are on the position already."""
    order = rig.filled()
    rig.redis.delete(keys.order(order.order_id))
    report = rig.exchange.lookup(order)
    assert report is not None
    forgotten = replace(order, version=0, revision="", fills=())
    rig.journal.record(forgotten, Reported(replace(report, fills=order.fills)))
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 2
    assert rig.repair() is not None
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 1
    assert rig.repair() is None


def traded(rig: ServerRig) -> Position:
    """A position with a history: bought, sold at a profit, bought again."""
    rig.filled(1, "99")
    rig.filled(2, "101", Side.SELL)
    rig.filled(3, "98")
    position: Position = rig.store.position(ACCOUNT, SYMBOL)
    assert (position.amount, position.cost, position.realised_pnl) == (1, 98, 2)
    return position


def test_a_position_that_was_deleted_is_noticed_and_comes_back_equal(rig: ServerRig) -> None:
    before = traded(rig)
    rig.redis.delete(POSITION)
    assert rig.parts.repair.lost([ACCOUNT]) == [f"position {POSITION}"]
    repair = rig.repair()
    assert repair is not None
    assert repair.positions_rebuilt == [f"{ACCOUNT} {SYMBOL}"]
    after = rig.store.position(ACCOUNT, SYMBOL)
    assert substance(after) == substance(before)
    assert after.version >= before.version
    assert rig.repair() is None


def test_a_position_that_came_back_from_an_earlier_time_is_noticed_and_put_right(
    rig: ServerRig,
) -> None:
    rig.filled(1, "99")
    an_hour_ago = rig.redis.hgetall(POSITION)
    rig.filled(2, "98")
    before = rig.store.position(ACCOUNT, SYMBOL)
    rig.redis.hset(POSITION, mapping=an_hour_ago)
    assert rig.parts.repair.lost([ACCOUNT]) == [f"position {POSITION}"]
    rig.repair()
    after = rig.store.position(ACCOUNT, SYMBOL)
    assert (substance(after), after.version) == (substance(before), before.version)
    assert after.revision != before.revision
    assert rig.repair() is None


def test_a_position_that_was_deleted_is_noticed_although_a_fill_created_it_again(
    rig: ServerRig,
) -> None:
    traded(rig)
    rig.redis.delete(POSITION)
    rig.filled(4, "97")
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 1
    assert rig.repair() is not None
    position = rig.store.position(ACCOUNT, SYMBOL)
    # The new fill took the place of the first one, so that what is realised may be another share.
    assert (position.amount, position.cost - position.realised_pnl) == (2, 193)
    assert rig.repair() is None


def test_a_position_of_an_earlier_time_is_noticed_although_a_fill_moved_it_on(
    rig: ServerRig,
) -> None:
    rig.filled(1, "99")
    an_hour_ago = rig.redis.hgetall(POSITION)
    rig.filled(2, "98")
    rig.redis.hset(POSITION, mapping=an_hour_ago)
    rig.filled(3, "97")
    assert rig.repair() is not None
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 3
    assert rig.repair() is None


@pytest.mark.parametrize("key", [keys.POSITIONS, keys.POSITION_VERSIONS])
def test_the_list_of_positions_is_noticed_and_made_again(rig: ServerRig, key: str) -> None:
    before = traded(rig)
    rig.redis.delete(key)
    lost = [f"position index {key}", f"position {POSITION}"]
    assert rig.parts.repair.lost([ACCOUNT]) == lost
    rig.repair()
    assert rig.store.positions() == [before]
    assert rig.repair() is None


def test_a_position_of_before_the_versions_were_kept_is_taken_as_it_is(rig: ServerRig) -> None:
    """An earlier release wrote no versions; the first look makes them."""
    before = traded(rig)
    rig.redis.delete(keys.POSITION_VERSIONS, keys.VERIFIED)
    rig.repair()
    assert rig.store.positions() == [before]
    rig.redis.delete(POSITION)
    assert rig.parts.repair.lost([ACCOUNT]) == [f"position {POSITION}"]


def test_trading_goes_on_from_a_position_that_was_put_right(rig: ServerRig) -> None:
    traded(rig)
    rig.redis.delete(POSITION)
    rig.repair()
    rig.filled(4, "97")
    position = rig.store.position(ACCOUNT, SYMBOL)
    assert (position.amount, position.cost) == (2, 195)
    (check,) = rig.rebuilder.checks.all()
    assert check.agrees


def flushed(rig: ServerRig) -> tuple[Order, Order, Order, Position]:
    """A server that lost all: an order that has left, one that ended, one that stands."""
    left = rig.gone(rig.filled(1, "99"))
    ended, standing = rig.filled(2, "98"), rig.resting(3)
    rig.archive.run()
    position = rig.store.position(ACCOUNT, SYMBOL)
    rig.redis.flushall()
    return left, ended, standing, position


def test_after_everything_was_lost_orders_and_positions_come_back(rig: ServerRig) -> None:
    left, ended, standing, position = flushed(rig)
    repair = rig.repair()
    assert repair is not None
    assert repair.orders_restored == 2
    assert sorted(rig.store.orders(), key=lambda o: o.signal_id) == [ended, standing]
    assert rig.store.live_orders(ACCOUNT) == [standing]
    assert rig.store.order(left.order_id) is None
    assert substance(rig.store.position(ACCOUNT, SYMBOL)) == substance(position)
    assert rig.repair() is None


def test_after_everything_was_lost_no_signal_makes_a_second_order(rig: ServerRig) -> None:
    left, ended, standing, _ = flushed(rig)
    rig.repair()
    for order in (left, ended, standing):
        again = rig.manager.submit(rig.order(signal_id=order.signal_id))
        assert (again.order_id, again.state) == (order.order_id, order.state)
    assert rig.accepted == 3


def test_of_orders_that_had_left_no_more_than_that_comes_back(rig: ServerRig) -> None:
    left, *_ = flushed(rig)
    rig.repair()
    key = keys.order(left.order_id)
    assert set(rig.redis.hgetall(key)) == {"version", "revision"}
    assert 0 < rig.redis.ttl(key) <= 86_400


def test_a_signal_that_comes_before_the_repair_makes_no_second_order(rig: ServerRig) -> None:
    """The server is the same run, and everything that it knew is gone."""
    _, ended, *_ = flushed(rig)
    again = rig.manager.submit(rig.order(signal_id=ended.signal_id))
    rig.sweep()
    assert rig.stored(again).state is OrderState.FILLED
    assert rig.accepted == 3


def test_another_process_that_knew_the_server_before_does_not_double_either(
    rig: ServerRig,
) -> None:
    _, ended, *_ = flushed(rig)
    rig.resting(4)
    rig.connect_anew()
    rig.manager.submit(rig.order(signal_id=ended.signal_id))
    rig.sweep()
    assert rig.accepted == 4


def test_a_fill_during_a_check_is_no_loss(rig: ServerRig) -> None:
    """Both versions are read at one moment, whatever happens before and after it."""
    traded(rig)
    hooked = Interrupting(rig.redis, lambda: rig.filled(9, "97"))
    assert RedisRepair(hooked, rig.clock).lost([ACCOUNT]) == []
    assert hooked.done


class Interrupting:
    """A client during whose work something else happens, between any two of its questions."""

    def __init__(self, client: Any, meanwhile: Callable[[], object]) -> None:
        self._client = client
        self._meanwhile = meanwhile
        self.done = False

    def hkeys(self, key: str) -> Any:
        return self._then(self._client.hkeys(key))

    def hgetall(self, key: str) -> Any:
        return self._then(self._client.hgetall(key))

    def _then(self, answer: Any) -> Any:
        if not self.done:
            self.done = True
            self._meanwhile()
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_an_order_that_ends_while_it_is_listed_again_is_not_listed_as_live(
    rig: ServerRig,
) -> None:
    order = rig.resting()
    record = rig.redis.hgetall(keys.order(order.order_id))

    def ends() -> None:
        rig.exchange.trade(order.client_order_id, "99", "1")
        rig.manager.advance(rig.store.order(order.order_id))
        rig.reconcile()

    assert record["state"] == "open"
    watching = InterruptingTransaction(rig.redis, ends)
    RedisRepair(watching, rig.clock).reindex()
    assert watching.done
    assert rig.store.order(order.order_id).state is OrderState.FILLED
    assert rig.store.live_orders(ACCOUNT) == []
    rig.gone(order)


class InterruptingTransaction(Interrupting):
    """The same for what is read at the beginning of a transaction."""

    def transaction(self, function: Callable[[Any], Any], *watched: str, **options: Any) -> Any:
        def interrupted(pipe: Any) -> Any:
            result = function(pipe)
            self._then(None)
            return result

        return self._client.transaction(interrupted, *watched, **options)


def test_an_order_that_was_settled_long_ago_leaves_after_it_was_put_back(rig: ServerRig) -> None:
    _, ended, *_ = flushed(rig)
    rig.repair()
    rig.clock.advance(KEEP_S * 1_000)
    rig.archive.run()
    assert rig.store.order(ended.order_id) is None


def test_an_account_that_is_new_in_the_settings_has_lost_nothing(rig: ServerRig) -> None:
    rig.filled(1)
    other = replace(rig.order(signal_id="other"), account="second", version=1, revision="first")
    before = replace(other, version=0, revision="")
    change = Change(before, other, due_ms=None, is_from_signal=True)
    assert rig.repairer.run([ACCOUNT, "second"]) is None
    epoch = rig.store.epoch(fresh=True)
    assert rig.store.commit(change) is Committed.DONE
    assert rig.parts.repair.lost([ACCOUNT, "second", "third"]) == []
    assert rig.repairer.run([ACCOUNT, "second", "third"]) is None
    assert rig.store.epoch(fresh=True) == epoch


@pytest.mark.parametrize("key", [keys.live("second"), keys.exchange_ids("second")])
def test_what_an_account_loses_is_noticed_from_its_first_order_on(rig: ServerRig, key: str) -> None:
    other = replace(rig.order(signal_id="other"), account="second", version=1, revision="first")
    before = replace(other, version=0, revision="")
    assert rig.store.commit(Change(before, other, None)) is Committed.DONE
    rig.redis.delete(key)
    assert rig.parts.repair.lost([ACCOUNT, "second"]) == [f"index {key}"]


def test_after_a_server_was_emptied_attempts_are_looked_for_at_the_exchange_first(
    rig: ServerRig,
) -> None:
    """It is the same run, so that its run id alone says nothing."""
    order = rig.filled()
    rig.redis.flushall()
    again = rig.manager.submit(rig.order(signal_id="signal-1"))
    assert (rig.accepted, again.order_id) == (1, order.order_id)
    rig.sweep(for_ms=20_000)
    assert rig.stored(order).state is OrderState.FILLED


def test_a_record_that_a_repeated_signal_made_during_a_repair_can_still_be_changed(
    rig: ServerRig,
) -> None:
    """The repair noted meanwhile that the order was there, and turned its version into another."""
    order = rig.manager.receive(rig.order())
    rig.parts.repair.remember([order.order_id], 60)
    assert rig.redis.ttl(keys.order(order.order_id)) == -1
    assert rig.manager.cancel(order.order_id).state is OrderState.CANCELED


def test_a_record_that_came_back_to_life_is_listed_and_does_not_run_out(rig: ServerRig) -> None:
    """A worker held the order while it left, and writes what it heard late."""
    order = rig.resting()
    rig.exchange.end(rig.exchange.standing[0], OrderState.CANCELED)
    rig.reconcile()
    held = rig.gone(rig.stored(order))
    rig.exchange.trade(held.client_order_id, "99", "0.25")
    report = rig.exchange.lookup(held)
    assert report is not None
    late = rig.journal.record(held, Reported(report))
    assert late.filled == Decimal("0.25")
    assert rig.store.orders() == [late]
    assert rig.redis.ttl(keys.order(held.order_id)) == -1


def test_an_upgraded_store_is_looked_over_once_and_not_for_ever(rig: ServerRig) -> None:
    """An earlier release kept no versions of positions beside them."""
    rig.filled()
    rig.redis.delete(keys.POSITION_VERSIONS, keys.VERIFIED)
    rig.repair()
    assert rig.parts.repair.lost([ACCOUNT]) == []
    assert rig.parts.repair.verified_epoch() == rig.store.epoch().run_id
