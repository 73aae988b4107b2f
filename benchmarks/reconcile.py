"""The cost of reconciling an account with a long history, beside a short one.

Four accounts at one paper exchange, each with a Valkey and a ledger of its own: a short and a long
history of archived orders, which are still in Redis or have left it. In each round every account
gets the same number of new fills on resting orders, is reconciled, and is reconciled again with
nothing new. They take turns within one run, so that other load on the machine affects all alike.
Quote the ratios: each is the median of long over short of one round.
"""

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from redis import Redis
from rich.console import Console
from rich.table import Table

from execution.exchanges.account import Account
from execution.ledger.sql.ledger import open_ledger
from execution.model.clock import SystemClock
from execution.model.events import Event
from execution.model.order import Attempt, Fee, Fill, Order, OrderState, OrderType, Side, Verdict
from execution.model.position import Position, fold
from execution.orders.factory import new_order
from execution.reconciliation.run import Reconciliation
from workers.bootstrap import Services, compose, reconcile_account
from workers.configuration.settings import Settings
from workers.observers.logs import configure_logging
from workers.sandbox.local_stack import LocalStack

ACCOUNT, SYMBOL, MARKET = "binance-main", "BTC/USDT", "BTCUSDT"
AMOUNT, FAR_BID, FAR_ASK = "0.001", "49000", "51000"
PRICE = {Side.BUY: "49990", Side.SELL: "50010"}
BATCH = 500
REMEMBER_S = 30 * 86_400


@dataclass(frozen=True)
class House:
    """One account with its stores."""

    size: int
    stays: bool
    stack: LocalStack
    parts: Services
    redis: Any
    # By action, then by measurement: one number a round.
    figures: defaultdict[str, defaultdict[str, list[float]]]


def main(
    rounds: Annotated[int, typer.Option(min=1)] = 30,
    fills: Annotated[int, typer.Option(min=1, help="New fills in each round.")] = 10,
    short: Annotated[int, typer.Option(min=1, help="Archived orders.")] = 1_000,
    long: Annotated[int, typer.Option(min=1, help="Archived orders.")] = 100_000,
) -> None:
    """Measure and print."""
    configure_logging(level="WARNING")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        houses = _houses(Path(folder), running, (short, long))
        exchange = houses[0].stack
        for number in range(-2, rounds):
            if number == 0:
                # Two runs have recorded the opening balances; all later runs do the same work.
                for house in houses:
                    house.figures.clear()
            for house in houses[:: 1 if number % 2 else -1]:
                _round(house, exchange, number, fills)
        for label in houses[0].figures:
            Console(width=120).print(_table(houses, label, rounds))


def _houses(folder: Path, running: ExitStack, sizes: tuple[int, int]) -> list[House]:
    places = [(size, stays) for stays in (True, False) for size in sizes]
    stacks = [
        running.enter_context(LocalStack(folder / f"{number}")) for number in range(len(places))
    ]
    keys = [word for number in range(len(places)) for word in ("--account", f"key-{number}:paper")]
    stacks[0].start_paper("--weight-per-minute", "0", *keys)
    houses = []
    for number, (size, stays) in enumerate(places):
        stack = stacks[number]
        stack.start_redis()
        account = Account(
            ACCOUNT, "binance", f"key-{number}", "paper", base_url=stacks[0].paper_url
        )
        settings = Settings(redis_url=stack.redis_url, accounts={})
        ledger = open_ledger(stack.ledger_url)
        parts = compose(settings, {ACCOUNT: account}, stack.stores(), ledger, _unwatched)
        redis = Redis.from_url(stack.redis_url)
        house = House(size, stays, stack, parts, redis, _no_figures())
        _fill(house)
        houses.append(house)
    return houses


def _no_figures() -> defaultdict[str, defaultdict[str, list[float]]]:
    return defaultdict(lambda: defaultdict(list))


def _unwatched(order: Order, event: Event, before: OrderState | None) -> None:
    pass


def _fill(house: House) -> None:
    """Write the account's history as the archive and the repair would have left it."""
    parts, stores = house.parts, house.parts.stores
    # The history need not survive a power cut; the data of the measurements shall.
    house.redis.config_set("appendfsync", "no")
    # The first check of a server counts as a repair; there is nothing to check yet.
    parts.repairer.run([ACCOUNT])
    position = Position(ACCOUNT, SYMBOL)
    for batch in _batches(house.size):
        parts.ledger.write(batch)
        position = fold(position, [fill for order in batch for fill in order.fills])
        if house.stays:
            for order in batch:
                stores.archive.restore(order, parts.archive.leave_ms(order))
        else:
            stores.repair.remember([order.order_id for order in batch], REMEMBER_S)
    stores.repair.replace_position(Position(ACCOUNT, SYMBOL), replace(position, revision="first"))
    assert parts.repairer.run([ACCOUNT]) is None, "the repair found something to do"
    assert all(check.agrees for check in parts.rebuilder.checks.all())
    assert len(stores.orders.orders()) == (house.size if house.stays else 0)
    house.redis.config_set("appendfsync", "always")
    # After so many changes the server would soon rewrite its file during the rounds.
    house.redis.save()
    house.stack.wait_for("the append-only file", lambda: not _is_rewriting(house), 120)


def _is_rewriting(house: House) -> bool:
    info = house.redis.info("persistence")
    return bool(info["aof_rewrite_in_progress"] or info["aof_rewrite_scheduled"])


def _batches(count: int) -> Iterator[list[Order]]:
    start = datetime.now(UTC) - timedelta(hours=12)
    for first in range(0, count, BATCH):
        yield [_archived(number, start) for number in range(first, min(first + BATCH, count))]


def _archived(number: int, start: datetime) -> Order:
    """A filled order: buys and sells alternate, with ids that the exchange does not give to new
    ones."""
    side = Side.SELL if number % 2 else Side.BUY
    now = start + timedelta(milliseconds=100 * number)
    amount, price = Decimal(AMOUNT), Decimal(PRICE[side])
    exchange_id = str(10**12 + number)
    stamp_ms = int(now.timestamp() * 1000)
    order = new_order(
        signal_id=f"archived-{number}",
        account=ACCOUNT,
        symbol=SYMBOL,
        side=side,
        type=OrderType.LIMIT,
        amount=amount,
        price=price,
        now=now,
    )
    return replace(
        order,
        state=OrderState.FILLED,
        exchange_order_id=exchange_id,
        filled=amount,
        average=price,
        attempts=(Attempt(1, stamp_ms, stamp_ms + 5000, stamp_ms + 6000, Verdict.ACCEPTED),),
        fills=(
            Fill(
                exchange_id, side, price, amount, (Fee("BNB", Decimal("0.00008")),), now, number + 1
            ),
        ),
        version=3,
        revision=f"{number:016x}",
    )


def _round(house: House, exchange: LocalStack, number: int, fills: int) -> None:
    """Let orders fill without our knowledge, and measure the reconciliation that finds the
    fills."""
    side = Side.SELL if number % 2 else Side.BUY
    _trade(house, exchange, side, [f"round-{number}-{each}" for each in range(fills)])
    run = _reconcile(house, "with new fills")
    assert (run.fills_applied, len(run.orders_settled)) == (fills, fills), run
    assert _reconcile(house, "with nothing new").trades_read == 0
    house.parts.archive.run()


def _trade(house: House, exchange: LocalStack, side: Side, signal_ids: list[str]) -> None:
    """Place resting orders through the manager, then move the market to them."""
    _set_book(exchange, FAR_BID, FAR_ASK)
    for signal_id in signal_ids:
        order = new_order(
            signal_id=signal_id,
            account=ACCOUNT,
            symbol=SYMBOL,
            side=side,
            type=OrderType.LIMIT,
            amount=Decimal(AMOUNT),
            price=Decimal(PRICE[side]),
            now=SystemClock().now(),
        )
        assert house.parts.manager.submit(order).state is OrderState.OPEN
    if side is Side.BUY:
        _set_book(exchange, FAR_BID, PRICE[side])
    else:
        _set_book(exchange, PRICE[side], FAR_ASK)


def _set_book(exchange: LocalStack, bid: str, ask: str) -> None:
    body = {"symbol": MARKET, "bids": [[bid, "10"]], "asks": [[ask, "10"]]}
    exchange.paper("POST", "/paper/book", body)


def _reconcile(house: House, label: str) -> Reconciliation:
    """Reconcile, and record the cost."""
    before = _counts(house)
    began = time.perf_counter()
    run = reconcile_account(house.parts, ACCOUNT)
    took_ms = (time.perf_counter() - began) * 1000
    after = _counts(house)
    assert not run.needs_attention, run
    assert not run.drift, run
    assert run.error is None, run
    noted = {
        "took, ms": took_ms,
        "exchange calls": sum(run.calls.values()),
        **{f"  {kind}": count for kind, count in sorted(run.calls.items())},
        "trades read": run.trades_read,
        "fills applied": run.fills_applied,
        # Reading the counters is itself a command and a round trip.
        "Redis commands": after[0] - before[0] - 1,
        "Redis round trips": after[1] - before[1] - 1,
    }
    for name, number in noted.items():
        house.figures[label][name].append(number)
    return run


def _counts(house: House) -> tuple[int, int]:
    """Commands that the server ran, and how often it read from a socket: the round trips."""
    stats = house.redis.info("stats")
    return int(stats["total_commands_processed"]), int(stats["total_reads_processed"])


def _table(houses: list[House], label: str, rounds: int) -> Table:
    table = Table(title=f"Reconciled {label}: medians of {rounds} rounds", title_justify="left")
    table.add_column("archived orders")
    for house in houses:
        where = "in Redis" if house.stays else "have left it"
        table.add_column(f"{house.size:,} {where}", justify="right")
        if house.size == houses[1].size:
            table.add_column("ratio", justify="right")
    for name in houses[0].figures[label]:
        series = [house.figures[label][name] for house in houses]
        table.add_row(name, *_cells(*series[:2]), *_cells(*series[2:]))
    return table


def _cells(short: list[float], long: list[float]) -> tuple[str, str, str]:
    ratios = [theirs / ours for ours, theirs in zip(short, long, strict=True) if ours]
    return (
        f"{statistics.median(short):.1f}",
        f"{statistics.median(long):.1f}",
        f"{statistics.median(ratios):.2f}" if ratios else "",
    )


if __name__ == "__main__":
    typer.run(main)
