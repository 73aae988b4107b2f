"""One run of chaos with arbitrages: two exchanges, each failing in its own way, and the audit."""

import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from execution.arbitrage.model import Arbitrage, ArbitrageState
from execution.model.decimals import to_text, total
from oneorder.identifiers import arbitrage_id_of
from oneorder.settings import SignalSettings
from workers.sandbox.arbitrage_audit import compare_arbitrages
from workers.sandbox.audit import Check, Ledger
from workers.sandbox.chaos.disorder import Disorder, SaveIntervals
from workers.sandbox.chaos.faults import BINANCE, BOOKS, BYBIT, Routes, draw_leg_faults
from workers.sandbox.chaos.producer import Producers
from workers.sandbox.chaos.run import TIMEOUT_S, start_everything
from workers.sandbox.chaos.spreads import Spreads, draw_arbitrages
from workers.sandbox.chaos.store_disorder import PAUSE_S
from workers.sandbox.local_stack import LocalStack

ACCOUNTS = ("binance-main", "bybit-main")
WINDOW_MS = 2_000
SETTINGS: Mapping[str, Any] = {
    "recv_window_ms": WINDOW_MS,
    "reconcile_every_s": 2,
    "worker_threads": 8,
    "attempts_max": 1_000,
    # A narrow cap and little patience, so that some are left imbalanced, and say so.
    "arbitrage": {
        "min_profit_bps": "5",
        "max_loss_bps": "20",
        "leg_ttl_ms": 1_000,
        "patience_s": 5,
    },
}
# Beyond the fence and the margin of Bybit, which are the longer ones.
PAUSE_FOR_S = 16.5
MOVE_EVERY_S = 0.4
SETTLE_PATIENCE_S = 180


@dataclass(frozen=True, slots=True)
class Left:
    """An arbitrage that ended with more bought than sold, or less: in base, negative for less."""

    arbitrage_id: str
    symbol: str
    imbalance: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class ArbitrageOutcome:
    """What was done to the system, and what became of the signals.

    `reasons` count what arbitrages were refused for, `traded` those that traded at all, `fixed`
    those that took more than two orders. `net_profit` is in quote and the sum of all records',
    which the differences compare with the ledgers. What is `imbalanced` is no fault by itself: it
    is what could not be worked off within the cap.
    """

    seed: int
    signals: int
    disturbances: Mapping[str, int]
    states: Mapping[str, int]
    reasons: Mapping[str, int]
    traded: int
    fixed: int
    orders: int
    net_profit: str
    imbalanced: list[Left] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    differences: list[Check] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.doubled or self.lost or self.unfinished or self.differences)


def run_arbitrage_chaos(
    arbitrages: int, seed: int, minutes: float, rhythm: SaveIntervals, folder: Path
) -> ArbitrageOutcome:
    """Publish `arbitrages` signals within `minutes` of disorder; say what became of each.

    Everything that the processes write is in `folder`.

    Raises NotReady, with a log, if a process could not be started.
    """
    first, second = ACCOUNTS
    with LocalStack(
        folder, SETTINGS, first, timeout_s=TIMEOUT_S, further={second: "bybit"}
    ) as stack:
        workers = start_everything(stack, seed)
        # Publishing ends a little before the disorder does.
        seconds = minutes * 54
        signals = draw_arbitrages(arbitrages, seed, seconds, ACCOUNTS)
        producers = Producers(signals, SignalSettings(redis_url=stack.redis_url), seed, seconds)
        spreads = Spreads(stack, seed)
        dice = random.Random(seed)  # noqa: S311  # Nothing here needs to be unpredictable.

        def kill_redis() -> None:
            stack.restart_redis(dice.uniform(*PAUSE_S))
            disorder.counts["Valkey killed"] += 1

        disorder = Disorder(
            stack,
            workers,
            dice,
            rhythm,
            dict(
                zip(ACCOUNTS, (_routes("binance", BINANCE), _routes("bybit", BYBIT)), strict=True)
            ),
            draw=partial(draw_leg_faults, timeout_s=TIMEOUT_S, window_ms=WINDOW_MS),
            pause_for_s=PAUSE_FOR_S,
            habits=[(MOVE_EVERY_S, spreads.move), (rhythm.redis_kill_s, kill_redis)],
        )
        deadline = time.monotonic() + minutes * 60
        spreads.move()
        with producers:
            producers.start()
            disorder.reign(lambda: producers.are_done() and time.monotonic() > deadline)
            producers.join()
        injected = _injected(stack)
        _settle(stack, spreads, arbitrages)
        return _judge(stack, arbitrages, seed, {**disorder.counts, **producers.counts, **injected})


def _routes(dialect: str, routes: Routes) -> Routes:
    return replace(routes, reads=(*routes.reads, *BOOKS[dialect]))


def _injected(stack: LocalStack) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for account in ACCOUNTS:
        injected = stack.paper("GET", "/paper/faults", account=account)["injected"]
        counts.update({f"HTTP {kind}": times for kind, times in injected.items()})
    return dict(counts)


def _ledgers(stack: LocalStack) -> dict[str, Ledger]:
    return {account: stack.ledger(account) for account in ACCOUNTS}


def _differences(stack: LocalStack, found: list[Arbitrage]) -> list[Check]:
    checks = compare_arbitrages(found, stack.store().orders(), _ledgers(stack))
    return [check for check in checks if not check.agrees]


def _settle(stack: LocalStack, spreads: Spreads, arbitrages: int) -> None:
    """Wait until all have ended and nothing differs, or patience is at an end."""
    store = stack.stores().arbitrages
    deadline = time.monotonic() + SETTLE_PATIENCE_S
    while time.monotonic() < deadline:
        spreads.close()
        found = store.arbitrages()
        have_ended = len(found) == arbitrages and all(one.has_ended for one in found)
        if have_ended and not _differences(stack, found):
            return
        time.sleep(1)


def _judge(
    stack: LocalStack, arbitrages: int, seed: int, done: Mapping[str, int]
) -> ArbitrageOutcome:
    found = stack.stores().arbitrages.arbitrages()
    known = {one.arbitrage_id for one in found}
    rows = [
        (account, row["clientOrderId"])
        for account, ledger in _ledgers(stack).items()
        for row in ledger["orders"]
    ]
    wanted = [f"chaos-{number}" for number in range(arbitrages)]
    return ArbitrageOutcome(
        seed=seed,
        signals=arbitrages,
        disturbances=done,
        states=dict(Counter(one.state.value for one in found)),
        reasons=dict(
            Counter(
                str(one.reason).partition(":")[0]
                for one in found
                if one.state is ArbitrageState.REFUSED
            )
        ),
        fixed=sum(bool(one.hedges) for one in found),
        traded=sum(bool(one.bought or one.sold) for one in found),
        orders=len(rows),
        net_profit=to_text(round(total(one.net_profit for one in found), 8)),
        imbalanced=[
            Left(one.arbitrage_id, one.symbol, to_text(one.imbalance), one.reason)
            for one in found
            if one.state is ArbitrageState.IMBALANCED
        ],
        doubled=[f"{client_id} at {account}" for (account, client_id), count
                 in Counter(rows).items() if count > 1],
        lost=[one for one in wanted if arbitrage_id_of(one) not in known],
        unfinished=[one.arbitrage_id for one in found if not one.has_ended],
        differences=_differences(stack, found),
    )  # fmt: skip
