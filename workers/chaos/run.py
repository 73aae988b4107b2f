"""One run of chaos: set up, publish and disturb, let it settle, compare with the ledger."""

import random
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from execution.identifiers import order_id_of
from execution.orders import Order, OrderState
from signals.settings import SignalSettings
from workers.audit import Check, compare
from workers.chaos.disorder import Disorder, Rhythm
from workers.chaos.faults import BINANCE, draw_faults
from workers.chaos.producer import Producers, draw_signal
from workers.local_stack import LocalStack

WORKERS = 3
ACCOUNT = "binance-main"
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
# Beyond the window, the bound and lag of Binance, and a sweep.
PAUSE_FOR_S = 15.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done to the system, and what became of the signals."""

    seed: int
    signals: int
    disturbances: Mapping[str, int]
    states: Mapping[str, int]
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    differences: list[Check] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.doubled or self.lost or self.unknown or self.differences)


def run_chaos(orders: int, seed: int, minutes: float, rhythm: Rhythm) -> Outcome:
    """Publish `orders` signals within `minutes` of disorder; say what became of each.

    Raises NotReady, with a log, if a process could not be started.
    """
    with (
        tempfile.TemporaryDirectory(prefix="oneorder-chaos-") as folder,
        LocalStack(Path(folder), SETTINGS, ACCOUNT, timeout_s=TIMEOUT_S) as stack,
    ):
        workers = start_everything(stack, seed)
        producers = _producers(stack, orders, seed, minutes)
        disorder = Disorder(
            stack,
            workers,
            random.Random(seed),  # noqa: S311  # Nothing here needs to be unpredictable.
            rhythm,
            {ACCOUNT: BINANCE},
            draw=partial(draw_faults, timeout_s=TIMEOUT_S, window_ms=SETTINGS["recv_window_ms"]),
            pause_for_s=PAUSE_FOR_S,
        )
        deadline = time.monotonic() + minutes * 60
        with producers:
            producers.start()
            disorder.reign(lambda: producers.are_done() and time.monotonic() > deadline)
            producers.join()
        injected = stack.paper("GET", "/paper/faults")["injected"]
        _settle(stack, orders)
        return _judge(stack, orders, seed, disorder.counts + producers.counts, injected)


def start_everything(stack: LocalStack, seed: int) -> list[str]:
    """Start all processes of the stack; return the names of the workers."""
    workers = [f"worker-{number}" for number in range(1, WORKERS + 1)]
    stack.start_redis()
    for account in stack.dialects:
        options = ("--seed", str(seed), "--weight-per-minute", "0", *BALANCES)
        stack.start_paper(*options, account=account)
    for name in workers:
        stack.start_worker(name)
    stack.start_beat()
    for name in workers:
        stack.wait_for_worker(name)
    return workers


def _producers(stack: LocalStack, orders: int, seed: int, minutes: float) -> Producers:
    dice = random.Random(seed)  # noqa: S311
    signals = [draw_signal(number, dice, stack.account) for number in range(orders)]
    return Producers(signals, SignalSettings(redis_url=stack.redis_url), seed, minutes * 54)


def _settle(stack: LocalStack, orders: int) -> None:
    """Wait until nothing moves any more, or patience is at an end."""
    for symbol in ("BTCUSDT", "ETHUSDT"):
        stack.paper("POST", "/paper/book", {"symbol": symbol, "bids": [], "asks": []})
    store = stack.store()
    deadline = time.monotonic() + SETTLE_PATIENCE_S
    while time.monotonic() < deadline:
        found = store.orders()
        if len(found) == orders and all(_is_settled(order) for order in found):
            checks = compare(found, store.positions(), stack.ledger())
            if all(check.agrees for check in checks):
                return
        time.sleep(1)


def _is_settled(order: Order) -> bool:
    waiting = (OrderState.RECEIVED, OrderState.SUBMITTING)
    return order.state not in waiting and not order.fills_missing


def _judge(
    stack: LocalStack,
    orders: int,
    seed: int,
    done: Mapping[str, int],
    injected: Mapping[str, int],
) -> Outcome:
    store = stack.store()
    found = {order.order_id: order for order in store.orders()}
    ledger = stack.ledger()
    times = Counter(row["clientOrderId"] for row in ledger["orders"])
    wanted = {f"chaos-{number}": order_id_of(f"chaos-{number}") for number in range(orders)}
    return Outcome(
        seed=seed,
        signals=orders,
        disturbances={**done, **{f"HTTP {kind}": times for kind, times in injected.items()}},
        states=dict(Counter(order.state.value for order in found.values())),
        doubled=[client_id for client_id, count in times.items() if count > 1],
        lost=[
            signal_id
            for signal_id, order_id in wanted.items()
            if order_id not in found or (_must_stand(found[order_id]) and not times[order_id])
        ],
        unknown=[order_id for order_id, order in found.items() if not _is_settled(order)],
        differences=[
            check
            for check in compare(found.values(), store.positions(), ledger)
            if not check.agrees
        ],
    )


def _must_stand(order: Order) -> bool:
    return order.state not in (OrderState.REJECTED, OrderState.REFUSED)
