"""What a server lost is noticed, and put right by a repair: indexes, records, positions, all."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakes import ACCOUNT, SYMBOL
from stores_kit import KEEP_S, ServerDesk

from execution.model.events import Reported
from execution.model.order import Order, OrderState, Side
from execution.model.position import Position
from execution.orders.store import Change, Committed
from execution.store.access import keys
from execution.store.redis.repair import RedisRepair

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
def desk(valkey_url: str) -> ServerDesk:
    return ServerDesk(valkey_url).looked_over()


def seen(desk: ServerDesk) -> dict[str, Any]:
    """Everything that the indexes are there for. Whether an order is due, or waits for the ledger,
    may be asked once too often, so these two are not among it."""
    store = desk.store
    ids = [standing.exchange_order_id for standing in desk.exchange.standing]
    return {
        "orders": store.orders(),
        "live": store.live_orders(ACCOUNT),
        "ids": store.order_ids_by_exchange_id(ACCOUNT, SYMBOL, ids),
        "positions": store.positions(),
    }


def substance(position: Position) -> tuple[object, ...]:
    return (position.amount, position.cost, position.realised_pnl, position.turnover, position.fees)


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_that_was_deleted_is_noticed_and_made_again(desk: ServerDesk, name: str) -> None:
    desk.filled(1)
    resting = desk.resting(2)
    desk.archive.run()
    before = seen(desk)
    desk.redis.delete(INDEXES[name])
    assert desk.parts.repair.lost([ACCOUNT]) == [f"index {INDEXES[name]}"]
    repair = desk.repair()
    assert repair is not None
    assert (repair.orders_restored, repair.positions_rebuilt) == (0, [])
    assert seen(desk) == before
    assert resting.order_id in desk.store.due(desk.clock.now_ms(), 10, 1)
    assert desk.repair() is None


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_that_was_deleted_and_written_to_again_is_noticed_too(
    desk: ServerDesk, name: str
) -> None:
    first = desk.filled(1)
    desk.archive.run()
    desk.redis.delete(INDEXES[name])
    second = desk.resting(2)
    desk.archive.run()
    assert f"index {INDEXES[name]}" in desk.parts.repair.lost([ACCOUNT])
    desk.repair()
    assert seen(desk)["orders"] == [first, second]
    assert desk.store.live_orders(ACCOUNT) == [second]
    assert desk.repair() is None


def test_orders_leave_at_their_time_although_the_list_of_them_was_deleted(
    desk: ServerDesk,
) -> None:
    order = desk.filled()
    desk.archive.run()
    desk.redis.delete(keys.LEAVING)
    desk.repair()
    desk.gone(order)


def test_the_record_of_a_live_order_is_noticed_and_put_back(desk: ServerDesk) -> None:
    order = desk.resting()
    desk.archive.run()
    before = seen(desk)
    desk.redis.delete(keys.order(order.order_id))
    assert desk.parts.repair.lost([ACCOUNT]) == [f"the record of live order {order.order_id}"]
    repair = desk.repair()
    assert repair is not None
    assert repair.orders_restored == 1
    assert seen(desk) == before
    assert order.order_id in desk.store.due(desk.clock.now_ms(), 10, 1)
    assert desk.repair() is None


def test_a_record_that_is_written_anew_after_its_loss_has_everything_looked_over(
    desk: ServerDesk,
) -> None:
    """Its fills are told once more, and are on the position already."""
    order = desk.filled()
    desk.redis.delete(keys.order(order.order_id))
    report = desk.exchange.lookup(order)
    assert report is not None
    forgotten = replace(order, version=0, revision="", fills=())
    desk.journal.record(forgotten, Reported(replace(report, fills=order.fills)))
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 2
    assert desk.repair() is not None
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 1
    assert desk.repair() is None


def traded(desk: ServerDesk) -> Position:
    """A position with a history: bought, sold at a profit, bought again."""
    desk.filled(1, "99")
    desk.filled(2, "101", Side.SELL)
    desk.filled(3, "98")
    position: Position = desk.store.position(ACCOUNT, SYMBOL)
    assert (position.amount, position.cost, position.realised_pnl) == (1, 98, 2)
    return position


def test_a_position_that_was_deleted_is_noticed_and_comes_back_equal(desk: ServerDesk) -> None:
    before = traded(desk)
    desk.redis.delete(POSITION)
    assert desk.parts.repair.lost([ACCOUNT]) == [f"position {POSITION}"]
    repair = desk.repair()
    assert repair is not None
    assert repair.positions_rebuilt == [f"{ACCOUNT} {SYMBOL}"]
    after = desk.store.position(ACCOUNT, SYMBOL)
    assert substance(after) == substance(before)
    assert after.version >= before.version
    assert desk.repair() is None


def test_a_position_that_came_back_from_an_earlier_time_is_noticed_and_put_right(
    desk: ServerDesk,
) -> None:
    desk.filled(1, "99")
    an_hour_ago = desk.redis.hgetall(POSITION)
    desk.filled(2, "98")
    before = desk.store.position(ACCOUNT, SYMBOL)
    desk.redis.hset(POSITION, mapping=an_hour_ago)
    assert desk.parts.repair.lost([ACCOUNT]) == [f"position {POSITION}"]
    desk.repair()
    after = desk.store.position(ACCOUNT, SYMBOL)
    assert (substance(after), after.version) == (substance(before), before.version)
    assert after.revision != before.revision
    assert desk.repair() is None


def test_a_position_that_was_deleted_is_noticed_although_a_fill_made_it_anew(
    desk: ServerDesk,
) -> None:
    traded(desk)
    desk.redis.delete(POSITION)
    desk.filled(4, "97")
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 1
    assert desk.repair() is not None
    position = desk.store.position(ACCOUNT, SYMBOL)
    # The new fill took the place of the first one, so that what is realised may be another share.
    assert (position.amount, position.cost - position.realised_pnl) == (2, 193)
    assert desk.repair() is None


def test_a_position_of_an_earlier_time_is_noticed_although_a_fill_moved_it_on(
    desk: ServerDesk,
) -> None:
    desk.filled(1, "99")
    an_hour_ago = desk.redis.hgetall(POSITION)
    desk.filled(2, "98")
    desk.redis.hset(POSITION, mapping=an_hour_ago)
    desk.filled(3, "97")
    assert desk.repair() is not None
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 3
    assert desk.repair() is None


@pytest.mark.parametrize("key", [keys.POSITIONS, keys.POSITION_VERSIONS])
def test_the_list_of_positions_is_noticed_and_made_again(desk: ServerDesk, key: str) -> None:
    before = traded(desk)
    desk.redis.delete(key)
    lost = [f"position index {key}", f"position {POSITION}"]
    assert desk.parts.repair.lost([ACCOUNT]) == lost
    desk.repair()
    assert desk.store.positions() == [before]
    assert desk.repair() is None


def test_a_position_of_before_the_versions_were_kept_is_taken_as_it_is(desk: ServerDesk) -> None:
    """An earlier release wrote no versions; the first look makes them."""
    before = traded(desk)
    desk.redis.delete(keys.POSITION_VERSIONS, keys.MENDED)
    desk.repair()
    assert desk.store.positions() == [before]
    desk.redis.delete(POSITION)
    assert desk.parts.repair.lost([ACCOUNT]) == [f"position {POSITION}"]


def test_trading_goes_on_from_a_position_that_was_put_right(desk: ServerDesk) -> None:
    traded(desk)
    desk.redis.delete(POSITION)
    desk.repair()
    desk.filled(4, "97")
    position = desk.store.position(ACCOUNT, SYMBOL)
    assert (position.amount, position.cost) == (2, 195)
    (check,) = desk.repairer.check_positions()
    assert check.agrees


def flushed(desk: ServerDesk) -> tuple[Order, Order, Order, Position]:
    """A server that lost all: an order that has left, one that ended, one that stands."""
    left = desk.gone(desk.filled(1, "99"))
    ended, standing = desk.filled(2, "98"), desk.resting(3)
    desk.archive.run()
    position = desk.store.position(ACCOUNT, SYMBOL)
    desk.redis.flushall()
    return left, ended, standing, position


def test_after_everything_was_lost_orders_and_positions_come_back(desk: ServerDesk) -> None:
    left, ended, standing, position = flushed(desk)
    repair = desk.repair()
    assert repair is not None
    assert repair.orders_restored == 2
    assert sorted(desk.store.orders(), key=lambda o: o.signal_id) == [ended, standing]
    assert desk.store.live_orders(ACCOUNT) == [standing]
    assert desk.store.order(left.order_id) is None
    assert substance(desk.store.position(ACCOUNT, SYMBOL)) == substance(position)
    assert desk.repair() is None


def test_after_everything_was_lost_no_signal_makes_a_second_order(desk: ServerDesk) -> None:
    left, ended, standing, _ = flushed(desk)
    desk.repair()
    for order in (left, ended, standing):
        again = desk.manager.submit(desk.order(signal_id=order.signal_id))
        assert (again.order_id, again.state) == (order.order_id, order.state)
    assert desk.accepted == 3


def test_of_orders_that_had_left_no_more_than_that_comes_back(desk: ServerDesk) -> None:
    left, *_ = flushed(desk)
    desk.repair()
    key = keys.order(left.order_id)
    assert set(desk.redis.hgetall(key)) == {"version", "revision"}
    assert 0 < desk.redis.ttl(key) <= 86_400


def test_a_signal_that_comes_before_the_repair_makes_no_second_order(desk: ServerDesk) -> None:
    """The server is the same run, and everything that it knew is gone."""
    _, ended, *_ = flushed(desk)
    again = desk.manager.submit(desk.order(signal_id=ended.signal_id))
    desk.sweep()
    assert desk.stored(again).state is OrderState.FILLED
    assert desk.accepted == 3


def test_another_process_that_knew_the_server_before_does_not_double_either(
    desk: ServerDesk,
) -> None:
    _, ended, *_ = flushed(desk)
    desk.resting(4)
    desk.connect_anew()
    desk.manager.submit(desk.order(signal_id=ended.signal_id))
    desk.sweep()
    assert desk.accepted == 4


def test_a_fill_in_the_midst_of_a_look_is_no_loss(desk: ServerDesk) -> None:
    """Both versions are read at one moment, whatever happens before and after it."""
    traded(desk)
    hooked = Interrupting(desk.redis, lambda: desk.filled(9, "97"))
    assert RedisRepair(hooked, desk.clock).lost([ACCOUNT]) == []
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


def test_an_order_that_ends_while_it_is_listed_anew_is_not_listed_as_live(
    desk: ServerDesk,
) -> None:
    order = desk.resting()
    record = desk.redis.hgetall(keys.order(order.order_id))

    def ends() -> None:
        desk.exchange.trade(order.client_order_id, "99", "1")
        desk.manager.advance(desk.store.order(order.order_id))
        desk.reconcile()

    assert record["state"] == "open"
    watching = InterruptingTransaction(desk.redis, ends)
    RedisRepair(watching, desk.clock).reindex()
    assert watching.done
    assert desk.store.order(order.order_id).state is OrderState.FILLED
    assert desk.store.live_orders(ACCOUNT) == []
    desk.gone(order)


class InterruptingTransaction(Interrupting):
    """The same for what is read at the beginning of a transaction."""

    def transaction(self, function: Callable[[Any], Any], *watched: str, **options: Any) -> Any:
        def interrupted(pipe: Any) -> Any:
            result = function(pipe)
            self._then(None)
            return result

        return self._client.transaction(interrupted, *watched, **options)


def test_an_order_that_was_settled_long_ago_leaves_after_it_was_put_back(desk: ServerDesk) -> None:
    _, ended, *_ = flushed(desk)
    desk.repair()
    desk.clock.advance(KEEP_S * 1_000)
    desk.archive.run()
    assert desk.store.order(ended.order_id) is None


def test_an_account_that_is_new_in_the_settings_has_lost_nothing(desk: ServerDesk) -> None:
    desk.filled(1)
    other = replace(desk.order(signal_id="other"), account="second", version=1, revision="first")
    before = replace(other, version=0, revision="")
    change = Change(before, other, due_ms=None, is_from_signal=True)
    assert desk.repairer.run([ACCOUNT, "second"]) is None
    epoch = desk.store.epoch(fresh=True)
    assert desk.store.commit(change) is Committed.DONE
    assert desk.parts.repair.lost([ACCOUNT, "second", "third"]) == []
    assert desk.repairer.run([ACCOUNT, "second", "third"]) is None
    assert desk.store.epoch(fresh=True) == epoch


@pytest.mark.parametrize("key", [keys.live("second"), keys.exchange_ids("second")])
def test_what_an_account_loses_is_noticed_from_its_first_order_on(
    desk: ServerDesk, key: str
) -> None:
    other = replace(desk.order(signal_id="other"), account="second", version=1, revision="first")
    before = replace(other, version=0, revision="")
    assert desk.store.commit(Change(before, other, None)) is Committed.DONE
    desk.redis.delete(key)
    assert desk.parts.repair.lost([ACCOUNT, "second"]) == [f"index {key}"]
