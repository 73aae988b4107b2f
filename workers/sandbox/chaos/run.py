"""One run of chaos: set up, publish and disturb, let it settle, compare with the ledgers."""

import random
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from oneorder.settings import SignalSettings
from workers.sandbox.chaos.disorder import Disorder, Habit, SaveIntervals
from workers.sandbox.chaos.exchange_disorder import BlackHole, ExchangeClocks
from workers.sandbox.chaos.faults import BINANCE, BYBIT, Routes, draw_faults
from workers.sandbox.chaos.forwarder import Forwarder
from workers.sandbox.chaos.lost_keys import LostKeys
from workers.sandbox.chaos.outcome import Found, Outcome, judge
from workers.sandbox.chaos.poison import Poison
from workers.sandbox.chaos.producer import PRICES, Producers, draw_signal
from workers.sandbox.chaos.replication import RedisPair
from workers.sandbox.chaos.store_disorder import StoreDisorder
from workers.sandbox.local_stack import LocalStack

WORKERS = 3
ACCOUNT = "binance-main"
SECOND = "second-main"
ROUTES: Mapping[str, Routes] = {ACCOUNT: BINANCE, SECOND: BYBIT}
# So many of all signals are for the exchange that is a black hole half of the time.
SECOND_SHARE = 0.25
# Without any progress. A fence, a hold or a backed-off account takes less.
SETTLE_PATIENCE_S = 120
# The exchange keeps more of these than any run can use up.
BALANCES = ("--balance", "USDT=100000000", "--balance", "BTC=10000", "--balance", "ETH=100000")
SETTINGS: Mapping[str, Any] = {
    "recv_window_ms": 2_000,
    "reconcile_every_s": 2,
    "worker_threads": 4,
    "attempts_max": 1_000,
    # What is down for long must not end a signal: each one is to become an order.
    "limits": {"signal_max_age_s": 0},
}
TIMEOUT_S = 3
# Beyond the window, the bound and lag of Bybit, which are the longer ones, and a sweep.
PAUSE_FOR_S = 16.5
CLOCK_LOOK_S = 1


def run_chaos(
    orders: int, seed: int, minutes: float, rhythm: SaveIntervals, folder: Path
) -> Outcome:
    """Publish `orders` signals within `minutes` of disorder; say what became of each. Everything
    that the processes write is in `folder`.

    Raises NotReady, with a log, if a process could not be started.
    """
    with ExitStack() as entered:
        redis_door, second_door = (
            entered.enter_context(Forwarder()),
            entered.enter_context(Forwarder()),
        )
        stack = entered.enter_context(
            LocalStack(
                folder, SETTINGS, ACCOUNT, timeout_s=TIMEOUT_S, further={SECOND: "bybit"},
                redis_url=redis_door.url, exchange_urls={SECOND: second_door.http_url},
            )
        )  # fmt: skip
        second_door.target = stack.port_of(SECOND)
        servers = RedisPair(stack, redis_door)
        workers = start_processes(stack, seed)
        run = _Run(stack, seed, orders, servers, second_door)
        producers = entered.enter_context(run.producers(minutes))
        disorder = run.disorder(workers, rhythm)
        deadline = time.monotonic() + minutes * 60
        producers.start()
        disorder.reign(lambda: producers.are_done() and time.monotonic() > deadline)
        run.black_hole.end()
        producers.join()
        done = disorder.counts + producers.counts + run.counts()
        return judge(seed, orders, done, run.settle(), run.black_hole)


class _Run:
    """A running stack, and all that is done to it."""

    def __init__(
        self,
        stack: LocalStack,
        seed: int,
        orders: int,
        servers: RedisPair,
        second_door: Forwarder,
    ) -> None:
        self._stack = stack
        self._seed = seed
        self._orders = orders
        self._dice = random.Random(seed)  # noqa: S311  # Nothing here needs to be unpredictable.
        self._poison = Poison(stack.redis_url, seed, ACCOUNT)
        lost = LostKeys(stack.redis_url, seed, list(ROUTES), sorted(PRICES))
        self._store = StoreDisorder(servers, lost, self._dice)
        self._clocks = ExchangeClocks(
            stack,
            self._dice,
            partial(draw_faults, timeout_s=TIMEOUT_S, window_ms=SETTINGS["recv_window_ms"]),
        )
        self.black_hole = BlackHole(second_door, lambda: len(stack.ledger(ACCOUNT)["orders"]))

    def producers(self, minutes: float) -> Producers:
        """Those that publish the signals, a little sooner than the disorder ends."""
        dice = random.Random(self._seed)  # noqa: S311
        signals = [
            draw_signal(number, dice, SECOND if dice.random() < SECOND_SHARE else ACCOUNT)
            for number in range(self._orders)
        ]
        settings = SignalSettings(redis_url=self._stack.redis_url)
        return Producers(signals, settings, self._seed, minutes * 54)

    def disorder(self, workers: list[str], rhythm: SaveIntervals) -> Disorder:
        habits: list[Habit] = [
            (rhythm.poison_s, self._poison.add),
            (rhythm.black_hole_s, self.black_hole.change),
            (rhythm.store_s, self._store.disturb),
            (rhythm.clock_step_s, self._clocks.announce),
            (CLOCK_LOOK_S, self._clocks.step_when_due),
        ]
        return Disorder(
            self._stack,
            workers,
            self._dice,
            rhythm,
            ROUTES,
            draw=self._clocks.draw,
            pause_for_s=PAUSE_FOR_S,
            habits=habits,
        )

    def counts(self) -> Counter[str]:
        """What was done besides the kills and pauses, by kind."""
        own = self._poison.counts + self._store.counts + self._clocks.counts
        injected: Counter[str] = Counter()
        for account in ROUTES:
            told = self._stack.paper("GET", "/paper/faults", account=account)["injected"]
            injected.update({f"HTTP {kind}": times for kind, times in told.items()})
        return own + self.black_hole.counts + injected

    def settle(self) -> Found:
        """Wait until all is as it must be, or nothing moves any more; return what is there."""
        for account in ROUTES:
            for symbol in PRICES:
                book = {"symbol": symbol.replace("/", ""), "bids": [], "asks": []}
                self._stack.paper("POST", "/paper/book", book, account=account)
        moved, deadline = -1, 0.0
        while True:
            found = self._found()
            if found.progress != moved:
                moved, deadline = found.progress, time.monotonic() + SETTLE_PATIENCE_S
            if found.is_settled(self._orders) or time.monotonic() > deadline:
                return found
            time.sleep(1)

    def _found(self) -> Found:
        stores = self._stack.stores()
        ledgers = {account: self._stack.ledger(account) for account in ROUTES}
        return Found(stores.orders.orders(), stores.positions.positions(), ledgers)


def start_everything(stack: LocalStack, seed: int) -> list[str]:
    """Start Valkey and all other processes of the stack; return the names of the workers."""
    stack.start_redis()
    return start_processes(stack, seed)


def start_processes(stack: LocalStack, seed: int) -> list[str]:
    """Start all processes but Valkey; return the names of the workers."""
    workers = [f"worker-{number}" for number in range(1, WORKERS + 1)]
    for account in stack.dialects:
        options = ("--seed", str(seed), "--weight-per-minute", "0", *BALANCES)
        stack.start_paper(*options, account=account)
    for name in workers:
        stack.start_worker(name)
    stack.start_beat()
    for name in workers:
        stack.wait_for_worker(name)
    return workers
