"""One slow account does not take all threads; a busy one takes turns."""

import threading
import time
from collections.abc import Callable

import pytest

from execution.arbitrage.model import ArbitrageState
from execution.exchanges.bulkhead import SLOW_MS, Bulkhead, bulkhead_of
from execution.model.errors import Crowded
from execution.model.order import OrderState
from execution.orders.manager import OrderManager
from tests.support.arbitrage_kit import BUY, SELL, Floor
from tests.support.exchange import is_lost
from tests.support.fakes import ACCOUNT, Rig
from tests.support.whole_stores import order_stores


class Occupied:
    """Threads that stay inside an account's place until they are let go."""

    def __init__(self, bulkhead: Bulkhead, account: str, count: int) -> None:
        self._go = threading.Event()
        self._bulkhead = bulkhead
        self._inside = threading.Semaphore(0)
        self._threads = [threading.Thread(target=self._stay, args=(account,)) for _ in range(count)]
        for thread in self._threads:
            thread.start()
        for _ in self._threads:
            assert self._inside.acquire(timeout=5)

    def _stay(self, account: str) -> None:
        with self._bulkhead.place(account):
            self._inside.release()
            self._go.wait(10)

    def leave(self) -> None:
        self._go.set()
        for thread in self._threads:
            thread.join()


def a_clock(*times: list[int]) -> Callable[[], int]:
    [now] = times
    return lambda: now[0]


def test_an_account_whose_work_stands_still_is_refused_and_another_is_not() -> None:
    now = [0]
    bulkhead = Bulkhead(2, a_clock(now))
    occupied = Occupied(bulkhead, ACCOUNT, 2)
    now[0] = SLOW_MS + 1
    with pytest.raises(Crowded, match="slow to answer"), bulkhead.place(ACCOUNT):
        pass
    with bulkhead.place("another"):
        pass
    occupied.leave()
    with bulkhead.place(ACCOUNT):
        pass


@pytest.mark.parametrize("account", [BUY, SELL])
def test_an_arbitrage_waits_while_work_on_either_account_stands_still(account: str) -> None:
    now = [0]
    floor = Floor(bulkhead=Bulkhead(1, a_clock(now)))
    occupied = Occupied(floor.bulkhead, account, 1)
    now[0] = SLOW_MS + 1
    waits = floor.submit()
    assert waits.state is ArbitrageState.RECEIVED
    assert floor.buy.calls == floor.sell.calls == []
    assert floor.arbitrages.due(floor.clock.now_ms() + 1_000, 10, 1) == []
    occupied.leave()
    floor.clock.advance(6_000)
    (due,) = floor.arbitrages.due(floor.clock.now_ms(), 10, 1)
    done = floor.worker.executor.advance_by_id(due)
    assert done is not None
    assert done.state is ArbitrageState.CLOSED


def test_a_busy_account_waits_for_its_turn() -> None:
    bulkhead = Bulkhead(1, a_clock([0]))
    occupied = Occupied(bulkhead, ACCOUNT, 1)
    threading.Timer(0.1, occupied.leave).start()
    with bulkhead.place(ACCOUNT):
        pass


def test_no_more_than_the_limit_are_inside_at_once() -> None:
    bulkhead = Bulkhead(3)
    inside, most, lock = [0], [0], threading.Lock()

    def work() -> None:
        for _ in range(20):
            with bulkhead.place(ACCOUNT):
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                time.sleep(0.001)
                with lock:
                    inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [3]


def test_a_thread_inside_may_go_on_to_another_order_of_the_account() -> None:
    bulkhead = Bulkhead(1)
    with bulkhead.place(ACCOUNT), bulkhead.place(ACCOUNT):
        pass
    with bulkhead.place(ACCOUNT):
        pass


@pytest.mark.parametrize(
    ("threads", "accounts", "places"), [(8, 3, 4), (1, 3, 1), (8, 1, 8), (8, 0, 8), (3, 2, 1)]
)
def test_with_several_accounts_each_has_half_of_the_threads(
    threads: int, accounts: int, places: int
) -> None:
    bulkhead = bulkhead_of(threads, accounts)
    occupied = Occupied(bulkhead, ACCOUNT, places)
    occupied.leave()


def test_an_order_that_finds_no_place_has_its_record_and_is_sent_later() -> None:
    rig = Rig()
    now = [0]
    bulkhead = Bulkhead(1, a_clock(now))
    manager = OrderManager(
        order_stores(rig.store), rig.journal, lambda _: rig.exchange, rig.path, bulkhead
    )
    occupied = Occupied(bulkhead, ACCOUNT, 1)
    now[0] = SLOW_MS + 1
    left = manager.submit(rig.order())
    assert left.state is OrderState.RECEIVED
    assert left.version == 1
    assert manager.submit(rig.order()) == left
    assert manager.advance(left) == left
    assert rig.exchange.requests == []
    occupied.leave()
    rig.clock.advance(6_001)
    assert rig.store.due(rig.clock.now_ms(), 10, 1) == [left.order_id]
    assert manager.advance(left).state is OrderState.OPEN


def test_an_order_under_way_that_finds_no_place_is_looked_at_again() -> None:
    rig = Rig()
    now = [0]
    bulkhead = Bulkhead(1, a_clock(now))
    manager = OrderManager(
        order_stores(rig.store), rig.journal, lambda _: rig.exchange, rig.path, bulkhead
    )
    rig.exchange.script.append(is_lost)
    unknown = manager.submit(rig.order())
    assert unknown.state is OrderState.SUBMITTING
    occupied = Occupied(bulkhead, ACCOUNT, 1)
    now[0] = SLOW_MS + 1
    assert manager.advance(unknown) == unknown
    occupied.leave()
    assert rig.store.due(rig.clock.now_ms() + 6_000, 10, 1) == [unknown.order_id]
