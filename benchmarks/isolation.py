"""What is left of two accounts' rate while a third one's exchange takes connections and is silent.

One real worker with beat, three accounts with a paper exchange each. In each round the worker gets
the same orders for all three twice: while all exchanges answer, and while that of the third one is
stopped, so that its kernel takes every connection and nothing ever answers. Quote the ratio of
what it does for the other two. Where the machine is busy with other things, compare the worker's
own CPU time for each of their orders, too.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from execution.identifiers import order_id_of
from signals import OrderSignal, Publisher, publish_order
from signals.settings import SignalSettings
from workers.local_stack import LocalStack

THREADS = 8
GOOD = ("good-1", "good-2")
DEAD = "dead"
RATIO_MIN = 0.9
Figures = dict[str, list[float]]


def main(
    rounds: Annotated[int, typer.Option(min=1)] = 4,
    orders: Annotated[int, typer.Option(min=10, help="On each account, each time.")] = 200,
    check: Annotated[bool, typer.Option(help="Fail below 0.9 of the rate.")] = False,
) -> None:
    """Measure and print."""
    rates: Figures = {"alive": [], "dead": []}
    cpu_ms: Figures = {"alive": [], "dead": []}
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalStack(
            Path(folder),
            {"worker_threads": THREADS, "log_level": "WARNING"},
            account=GOOD[0],
            further={GOOD[1]: "binance", DEAD: "binance"},
        ) as stack,
    ):
        publisher = _start(stack)
        for number in range(rounds):
            _burst(stack, publisher, f"a{number}", orders, rates["alive"], cpu_ms["alive"])
            _wait_for(stack, f"a{number}", orders, (DEAD,))
            stack.kill(f"paper {DEAD}", SIGSTOP)
            _burst(stack, publisher, f"b{number}", orders, rates["dead"], cpu_ms["dead"])
            stack.kill(f"paper {DEAD}", SIGCONT)
            _wait_for(stack, f"b{number}", orders, (DEAD,))
        publisher.close()
    ratio = statistics.median(rates["dead"]) / statistics.median(rates["alive"])
    Console(width=110).print(_table(rates, cpu_ms, orders))
    if check and ratio < RATIO_MIN:
        raise typer.Exit(1)


def _start(stack: LocalStack) -> Publisher:
    stack.start_redis()
    for account in (*GOOD, DEAD):
        stack.start_paper("--weight-per-minute", "0", account=account)
    stack.start_worker()
    stack.start_beat()
    publisher = Publisher(SignalSettings(redis_url=stack.redis_url))
    # Markets are loaded, and threads have their connections, before anything is measured.
    for number in range(40):
        for account in (*GOOD, DEAD):
            _publish(publisher, f"warm-{account}-{number}", account)
    _wait_for(stack, "warm", 40, (*GOOD, DEAD))
    return publisher


def _burst(
    stack: LocalStack,
    publisher: Publisher,
    label: str,
    count: int,
    rates: list[float],
    cpu_ms: list[float],
) -> None:
    """Fill the queue while the worker stands still, then see how long the good orders take."""
    stack.kill("worker-1", SIGSTOP)
    for number in range(count):
        for account in (*GOOD, DEAD):
            _publish(publisher, f"{label}-{account}-{number}", account)
    stack.kill("worker-1", SIGCONT)
    began_ms, used_ms = time.time() * 1_000, _cpu_ms(stack)
    last_ms = max(_wait_for(stack, label, count, GOOD))
    cpu_ms.append((_cpu_ms(stack) - used_ms) / (len(GOOD) * count))
    rates.append(len(GOOD) * count / (last_ms - began_ms) * 1_000)


def _cpu_ms(stack: LocalStack) -> float:
    """What the worker has used so far (Linux only)."""
    text = Path(f"/proc/{stack.processes['worker-1'].pid}/stat").read_text()
    ticks = text.rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) * 1_000 / os.sysconf("SC_CLK_TCK")


def _publish(publisher: Publisher, signal_id: str, account: str) -> None:
    fields = {
        "signal_id": signal_id,
        "account": account,
        "symbol": "BTC/USDT",
        "side": "buy",
        "type": "limit",
        "amount": "0.001",
        "price": "45000",
    }
    publish_order(OrderSignal.model_validate(fields), publisher)


def _wait_for(stack: LocalStack, label: str, count: int, accounts: tuple[str, ...]) -> list[float]:
    """When each of the orders arrived."""
    arrived: list[float] = []
    for account in accounts:
        wanted = {order_id_of(f"{label}-{account}-{number}") for number in range(count)}
        found: list[float] = []

        def all_there(account: str = account, wanted: set[str] = wanted) -> bool:
            rows = stack.ledger(account)["orders"]
            found[:] = [row["acceptedAt"] for row in rows if row["clientOrderId"] in wanted]  # noqa: B023
            return len(found) == len(wanted)  # noqa: B023

        stack.wait_for(f"the orders of {account} to arrive", all_there, patience_s=180)
        arrived += found
    return arrived


def _table(rates: Figures, cpu_ms: Figures, orders: int) -> Table:
    table = Table(
        title=f"Medians of {len(rates['alive'])} rounds: {orders} orders on each account; one "
        f"worker with {THREADS} threads",
        title_justify="left",
    )
    for column in ("", "third alive", "third dead", "dead / alive"):
        table.add_column(column, justify="left" if not column else "right")
    for name, figures in (
        ("good orders per second", rates),
        ("the worker's CPU for a good order, ms", cpu_ms),
    ):
        alive, dead = (statistics.median(figures[key]) for key in ("alive", "dead"))
        table.add_row(name, f"{alive:.1f}", f"{dead:.1f}", f"{dead / alive:.2f}")
    return table


if __name__ == "__main__":
    typer.run(main)
