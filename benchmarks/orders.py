"""Orders a second, time from publish to arrival, and Redis traffic: ours beside the naive task.

Both run as real workers on the same Valkey and the same paper exchange, with the same pool and
number of threads, and take turns within one run, so that other load on the machine affects both
alike. Quote the ratios.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Annotated, Any

import typer
from celery import Celery
from redis import Redis
from rich.console import Console
from rich.table import Table

from oneorder import OrderSignal, Publisher, publish_order
from oneorder.identifiers import order_id_of
from oneorder.settings import SignalSettings
from workers.sandbox.local_stack import LocalStack

THREADS = 8
PACE_S = 1 / 40
Publish = Callable[[str], str]


@dataclass
class Figures:
    """The results of one of the two, one number a round."""

    orders_per_s: list[float] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)
    commands_per_order: list[float] = field(default_factory=list)
    reads_per_order: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Contender:
    name: str
    worker: str
    publish: Publish
    figures: Figures


def main(
    rounds: Annotated[int, typer.Option(min=1)] = 5,
    orders: Annotated[int, typer.Option(min=10, help="Orders in each round.")] = 300,
    paced: Annotated[int, typer.Option(min=10, help="Orders at 40 a second, each round.")] = 80,
) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, _running(Path(folder)) as (stack, contenders):
        server = Redis.from_url(stack.redis_url)
        for contender in contenders:
            _warm_up(stack, contender)
        for number in range(rounds):
            for contender in contenders if number % 2 else reversed(contenders):
                _burst(stack, server, contender, f"b{number}", orders)
                _paced(stack, contender, f"p{number}", paced)
        Console(width=110).print(_table(contenders, rounds, orders, paced))


@contextmanager
def _running(folder: Path) -> Iterator[tuple[LocalStack, list[Contender]]]:
    with LocalStack(folder, {"worker_threads": THREADS, "log_level": "WARNING"}) as stack:
        stack.start_redis()
        stack.start_paper("--weight-per-minute", "0")
        stack.environment |= {
            "NAIVE_BROKER_URL": stack.redis_url,
            "NAIVE_PAPER_URL": stack.paper_url,
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        stack.start_worker("ours")
        naive = [sys.executable, "-m", "celery", "-A", "benchmarks.naive", "worker"]
        options = ["-l", "WARNING", "-P", "threads", "-c", str(THREADS), "-n", "naive@localhost"]
        stack.start("naive", [*naive, *options])
        publisher = Publisher(SignalSettings(redis_url=stack.redis_url))
        app = Celery("naive-publisher", broker=stack.redis_url, set_as_current=False)
        yield (
            stack,
            [
                Contender("ours", "ours", lambda key: _publish_ours(publisher, key), Figures()),
                Contender("naive", "naive", lambda key: _publish_naive(app, key), Figures()),
            ],
        )
        publisher.close()
        app.close()


def _publish_ours(publisher: Publisher, key: str) -> str:
    signal = OrderSignal.model_validate(
        {
            "signal_id": key,
            "account": "binance-main",
            "symbol": "BTC/USDT",
            "side": "buy",
            "type": "limit",
            "amount": "0.001",
            "price": "45000",
        }
    )
    publish_order(signal, publisher)
    return order_id_of(key)


def _publish_naive(app: Celery, key: str) -> str:
    arguments = (key, "BTC/USDT", "buy", "0.001", "45000")
    app.send_task("naive.create_order", arguments, queue="naive", ignore_result=True)
    return key


def _warm_up(stack: LocalStack, contender: Contender) -> None:
    wanted = {contender.publish(f"warm-{contender.name}-{number}") for number in range(50)}
    _wait_for(stack, wanted)


def _burst(stack: LocalStack, server: Any, contender: Contender, label: str, count: int) -> None:
    """Fill the queue while the worker is stopped, then measure how long it takes to empty it."""
    _quiet(server)
    stack.kill(contender.worker, SIGSTOP)
    published = _counts(server)
    wanted = {contender.publish(f"{label}-{contender.name}-{number}") for number in range(count)}
    stack.kill(contender.worker, SIGCONT)
    began_ms = time.time() * 1000
    accepted = _wait_for(stack, wanted)
    took_s = (max(row["acceptedAt"] for row in accepted) - began_ms) / 1000
    _quiet(server)
    counts = _counts(server)
    figures = contender.figures
    figures.orders_per_s.append(count / took_s)
    figures.commands_per_order.append((counts[0] - published[0]) / count)
    figures.reads_per_order.append((counts[1] - published[1]) / count)


def _paced(stack: LocalStack, contender: Contender, label: str, count: int) -> None:
    """Publish at a steady pace and measure how long each order takes to the exchange."""
    published_ms = {}
    for number in range(count):
        before_ms = time.time() * 1000
        client_id = contender.publish(f"{label}-{contender.name}-{number}")
        published_ms[client_id] = before_ms
        time.sleep(PACE_S)
    for row in _wait_for(stack, set(published_ms)):
        contender.figures.latency_ms.append(row["receivedAt"] - published_ms[row["clientOrderId"]])


def _wait_for(stack: LocalStack, wanted: set[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []

    def arrived() -> bool:
        rows[:] = [row for row in stack.ledger()["orders"] if row["clientOrderId"] in wanted]
        return len(rows) == len(wanted)

    stack.wait_for("the orders to arrive", arrived, patience_s=120)
    return rows


def _quiet(server: Any) -> None:
    """Wait for the Redis commands that follow the last order."""
    time.sleep(0.5)
    server.ping()


def _counts(server: Any) -> tuple[int, int]:
    """Commands that the server ran, and how often it read from a socket: the round trips."""
    stats = server.info("stats")
    return int(stats["total_commands_processed"]), int(stats["total_reads_processed"])


def _medians(*series: list[float]) -> list[float]:
    return [statistics.median(numbers) for numbers in series]


def _table(contenders: list[Contender], rounds: int, orders: int, paced: int) -> Table:
    ours, naive = (contender.figures for contender in contenders)
    table = Table(
        title=f"Medians of {rounds} rounds: {orders} orders at once, {paced} at 40 a second; "
        f"one worker with {THREADS} threads each",
        title_justify="left",
    )
    for column in ("", "ours", "naive", "ours / naive"):
        table.add_column(column, justify="left" if not column else "right")
    p99 = [statistics.quantiles(f.latency_ms, n=100)[98] for f in (ours, naive)]
    rows = [
        ("orders per second", _medians(ours.orders_per_s, naive.orders_per_s)),
        ("publish to arrival, ms", _medians(ours.latency_ms, naive.latency_ms)),
        ("the same, 99th percentile", p99),
        ("Redis commands per order", _medians(ours.commands_per_order, naive.commands_per_order)),
        ("Redis round trips per order", _medians(ours.reads_per_order, naive.reads_per_order)),
    ]
    for name, (mine, theirs) in rows:
        table.add_row(name, f"{mine:.1f}", f"{theirs:.1f}", f"{mine / theirs:.2f}")
    return table


if __name__ == "__main__":
    typer.run(main)
