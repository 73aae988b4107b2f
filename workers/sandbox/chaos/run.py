"""One chaos run: set up, publish and disturb, wait for the end, compare with the ledgers."""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from oneorder.settings import SignalSettings
from workers.sandbox.chaos.disorders.exchanges import BlackHole, ExchangeClocks
from workers.sandbox.chaos.disorders.faults import (
    BINANCE,
    BYBIT,
    RequestFaults,
    Routes,
    draw_faults,
)
from workers.sandbox.chaos.disorders.forwarder import Forwarder
from workers.sandbox.chaos.disorders.lost_keys import LostKeys
from workers.sandbox.chaos.disorders.poison import Poison
from workers.sandbox.chaos.disorders.processes import ProcessDisorder
from workers.sandbox.chaos.disorders.replication import RedisPair
from workers.sandbox.chaos.disorders.schedule import Schedule
from workers.sandbox.chaos.disorders.store import StoreDisorder
from workers.sandbox.chaos.outcome import Outcome, Snapshot, judge
from workers.sandbox.chaos.producer import Producers
from workers.sandbox.chaos.signals import ACCOUNT, ORDER_SYMBOLS, SECOND, Plan
from workers.sandbox.chaos.spreads import SYMBOLS, Spreads
from workers.sandbox.local_stack import LocalStack

WORKERS = 3
ROUTES: Mapping[str, Routes] = {ACCOUNT: BINANCE, SECOND: BYBIT}
# The time without any progress. A fence, a hold or an account's backoff is shorter.
SETTLE_PATIENCE_S = 120
# Balances larger than any run can use up.
BALANCES = {
    "USDT": 100_000_000,
    "BTC": 10_000,
    "ETH": 100_000,
    "SOL": 1_000_000,
    "XRP": 100_000_000,
}
TIMEOUT_S = 3
WINDOW_MS = 2_000
SETTINGS: Mapping[str, Any] = {
    "recv_window_ms": WINDOW_MS,
    "reconcile_every_s": 2,
    "worker_threads": 8,
    "attempts_max": 1_000,
    # A long outage must not refuse a signal: each one has to become an order.
    "limits": {"signal_max_age_s": 0},
    # A narrow cap and little patience, so that some arbitrages end imbalanced.
    "arbitrage": {
        "min_profit_bps": "5",
        "max_loss_bps": "20",
        "leg_ttl_ms": 1_000,
        "patience_s": 5,
    },
}
# Longer than the window, Bybit's bound and lag (the longest ones), and a sweep.
PAUSE_FOR_S = 16.5
TICK_S = 0.1


def run_chaos(plan: Plan, folder: Path) -> Outcome:
    """Publish the plan's signals during the disturbances; returns the outcome. All files of the
    processes are in `folder`.

    Raises NotReady, with a log, if a process could not be started.
    """
    with ExitStack() as entered:
        redis_address = entered.enter_context(Forwarder())
        second_address = entered.enter_context(Forwarder())
        stack = entered.enter_context(
            LocalStack(
                folder,
                SETTINGS,
                ACCOUNT,
                timeout_s=TIMEOUT_S,
                further={SECOND: "bybit"},
                redis_url=redis_address.url,
                exchange_urls={SECOND: second_address.http_url},
            )
        )
        second_address.target = stack.port_of(SECOND)
        servers = RedisPair(stack, redis_address)
        workers = _start_processes(stack, plan.seed)
        settings = SignalSettings(redis_url=stack.redis_url)
        producers = entered.enter_context(
            Producers(plan.signals(), settings, plan.seed, plan.publish_s)
        )
        spreads = Spreads(stack, plan.seed)
        spreads.move()
        disorder = _Disorder(stack, plan.seed, servers, second_address, workers, spreads)
        deadline = time.monotonic() + plan.minutes * 60
        producers.start()
        disorder.last_until(lambda: producers.are_done() and time.monotonic() > deadline)
        producers.join()
        done = disorder.counts + producers.counts
        return judge(plan, done, _settle(stack, plan, spreads), disorder.black_hole)


class _Disorder:
    """All disturbances of a running stack, with counts."""

    def __init__(
        self,
        stack: LocalStack,
        seed: int,
        servers: RedisPair,
        second_address: Forwarder,
        workers: list[str],
        spreads: Spreads,
    ) -> None:
        dice = random.Random(seed)  # noqa: S311  # Nothing here needs to be unpredictable.
        self._schedule = Schedule(dice)
        self._processes = ProcessDisorder(
            stack, workers, dice, self._schedule, pause_for_s=PAUSE_FOR_S
        )
        symbols = [listed.symbol for listed in (*ORDER_SYMBOLS, *SYMBOLS)]
        store = StoreDisorder(servers, LostKeys(stack.redis_url, seed, list(ROUTES), symbols), dice)
        draw = partial(draw_faults, timeout_s=TIMEOUT_S, window_ms=WINDOW_MS)
        clocks = ExchangeClocks(stack, dice, draw)
        self._faults = RequestFaults(stack, dice, ROUTES, clocks.draw)
        self.black_hole = BlackHole(second_address, lambda: _single_orders(stack))
        poison = Poison(stack.redis_url, seed, ACCOUNT)
        self._counted = (self._processes, self._faults, self.black_hole, store, clocks, poison)
        # The mean interval in seconds, and the action.
        for seconds, action in (
            (5, self._processes.kill_worker),
            (20, self._processes.kill_beat),
            (15, self._processes.pause_worker),
            (2, self._faults.change),
            (10, self.black_hole.change),
            (30, store.disturb),
            (40, clocks.announce),
            (1, clocks.step_when_due),
            (1, poison.add),
            (0.4, spreads.move),
        ):
            self._schedule.every(seconds, action)

    def last_until(self, is_over: Callable[[], bool]) -> None:
        """Disturb for the planned time; then let everything run undisturbed."""
        while not is_over():
            self._schedule.run_due()
            self._processes.restart_ended()
            time.sleep(TICK_S)
        self._faults.clear()
        self._processes.restore()
        self.black_hole.end()

    @property
    def counts(self) -> Counter[str]:
        """How often each disturbance was made."""
        return sum((part.counts for part in self._counted), Counter())


def _single_orders(stack: LocalStack) -> int:
    """How many orders, legs excluded, the first exchange has accepted."""
    names = {listed.name for listed in ORDER_SYMBOLS}
    return sum(row["symbol"] in names for row in stack.ledger(ACCOUNT)["orders"])


def _settle(stack: LocalStack, plan: Plan, spreads: Spreads) -> Snapshot:
    """Wait until everything has ended correctly, or there is no more progress; returns the
    records."""
    for account in ROUTES:
        for listed in ORDER_SYMBOLS:
            book: dict[str, Any] = {"symbol": listed.name, "bids": [], "asks": []}
            stack.paper("POST", "/paper/book", book, account=account)
    moved, deadline = -1, 0.0
    while True:
        snapshot = _snapshot(stack)
        if snapshot.have_begun(plan):
            spreads.close()
        else:
            spreads.move()
        if snapshot.progress != moved:
            moved, deadline = snapshot.progress, time.monotonic() + SETTLE_PATIENCE_S
        if snapshot.is_settled(plan) or time.monotonic() > deadline:
            return snapshot
        time.sleep(1)


def _snapshot(stack: LocalStack) -> Snapshot:
    stores = stack.stores()
    return Snapshot(
        stores.orders.orders(),
        stores.arbitrages.arbitrages(),
        stores.positions.positions(),
        {account: stack.ledger(account) for account in ROUTES},
    )


def _start_processes(stack: LocalStack, seed: int) -> list[str]:
    """Start all processes except Valkey; returns the names of the workers."""
    workers = [f"worker-{number}" for number in range(1, WORKERS + 1)]
    options = ["--seed", str(seed), "--weight-per-minute", "0"]
    for asset, amount in BALANCES.items():
        options += ["--balance", f"{asset}={amount}"]
    for account in stack.dialects:
        stack.start_paper(*options, account=account)
    for name in workers:
        stack.start_worker(name)
    stack.start_beat()
    for name in workers:
        stack.wait_for_worker(name)
    return workers
