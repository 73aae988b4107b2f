"""How much of two accounts' rate and speed remains while a third one's exchange is silent.

One real worker with beat, three accounts with a paper exchange each. Each pair of phases does the
same twice: while all exchanges answer, and while that of the third account is stopped, so that its
kernel accepts connections and nothing answers; the order alternates from pair to pair. A phase
begins with a steady stream of signals for all three accounts, well below the worker's capacity, and
ends with a burst that it processes as fast as it can. In a silent phase the stream begins as the
exchange stops, so it includes the time before that is detected.

Quote the medians of the pairs' ratios. Other load on the machine affects rates and delays; it
affects the worker's own CPU time, which the kernel counts (Linux only), least.
"""

import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from oneorder import OrderSignal, Publisher, publish_order
from oneorder.identifiers import order_id_of
from oneorder.settings import SignalSettings
from workers.sandbox.local_stack import LocalStack

THREADS = 8
GOOD = ("good-1", "good-2")
DEAD = "dead"
RATIO_MIN = 0.9
LOOK_EVERY_S = 0.5
PATIENCE_S = 180


@dataclass(frozen=True)
class Phase:
    """The measurements of the two good accounts' orders in one phase."""

    stream_rate: float
    delay_ms: float
    delay_p95_ms: float
    cpu_ms: float
    burst_rate: float


ROWS = {
    "stream: good orders per second": "stream_rate",
    "stream: from signal to acceptance, median ms": "delay_ms",
    "stream: the same, 95 % within, ms": "delay_p95_ms",
    "stream: the worker's CPU for a good order, ms": "cpu_ms",
    "burst: good orders per second": "burst_rate",
}
CHECKED = ("stream_rate", "burst_rate")


def main(
    pairs: Annotated[int, typer.Option(min=1)] = 5,
    seconds: Annotated[int, typer.Option(min=2, help="Duration of each stream.")] = 15,
    rate: Annotated[int, typer.Option(min=1, help="Signals a second, on each account.")] = 5,
    orders: Annotated[int, typer.Option(min=10, help="Burst size, on each account.")] = 100,
    check: Annotated[bool, typer.Option(help="Fail below 0.9 of the rates.")] = False,
) -> None:
    """Measure and print."""
    alive: list[Phase] = []
    silent: list[Phase] = []
    returns: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalStack(
            Path(folder),
            {"worker_threads": THREADS, "log_level": "WARNING"},
            account=GOOD[0],
            further={GOOD[1]: "binance", DEAD: "binance"},
        ) as stack,
    ):
        bench = Bench(stack, seconds, rate, orders)
        bench.start()
        for number in range(pairs):
            for is_silent in (False, True) if number % 2 else (True, False):
                label = f"{number}-{'silent' if is_silent else 'alive'}"
                if is_silent:
                    stack.kill(f"paper {DEAD}", SIGSTOP)
                    silent.append(bench.phase(label))
                    stack.kill(f"paper {DEAD}", SIGCONT)
                    returns.append(bench.first_after_return(label))
                else:
                    alive.append(bench.phase(label))
                bench.finish(label)
        bench.publisher.close()
    ratios = {
        name: [getattr(b, name) / getattr(a, name) for a, b in zip(alive, silent, strict=True)]
        for name in ROWS.values()
    }
    title = (
        f"Medians of {pairs} pairs. Stream: {rate} signals a second on each account for {seconds} "
        f"s; burst: {orders} on each account; one worker with {THREADS} threads. The silent "
        f"exchange's first order came {statistics.median(returns):.1f} s after its return."
    )
    Console(width=110).print(_table(title, alive, silent, ratios))
    if check and min(statistics.median(ratios[name]) for name in CHECKED) < RATIO_MIN:
        raise typer.Exit(1)


class Bench:
    """Sends signals and measures when they became orders."""

    def __init__(self, stack: LocalStack, seconds: int, rate: int, orders: int) -> None:
        self._stack = stack
        self._seconds = seconds
        self._rate = rate
        self._orders = orders
        self._sent: dict[str, float] = {}
        stack.start_redis()
        self.publisher = Publisher(SignalSettings(redis_url=stack.redis_url))

    def start(self) -> None:
        """Start all processes; markets are loaded and threads connected before the first
        measurement."""
        for account in (*GOOD, DEAD):
            self._stack.start_paper("--weight-per-minute", "0", account=account)
        self._stack.start_worker()
        self._stack.start_beat()
        for number in range(40):
            self._publish_each(f"warm-{number}")
        for account in (*GOOD, DEAD):
            self._arrivals(account, {f"warm-{number}" for number in range(40)})

    def phase(self, label: str) -> Phase:
        """Run a stream and a burst."""
        used_ms, streamed = self._cpu_ms(), set()
        began_s = time.time()
        for number in range(self._seconds * self._rate):
            time.sleep(max(0.0, began_s + number / self._rate - time.time()))
            streamed.add(f"{label}-stream-{number}")
            self._publish_each(f"{label}-stream-{number}")
        arrived = [each for account in GOOD for each in self._arrivals(account, streamed).items()]
        used_ms = self._cpu_ms() - used_ms
        delays_ms = sorted(at_ms - self._sent[name] * 1_000 for name, at_ms in arrived)
        lasted_s = max(at_ms for _, at_ms in arrived) / 1_000 - began_s
        return Phase(
            stream_rate=len(arrived) / lasted_s,
            delay_ms=statistics.median(delays_ms),
            delay_p95_ms=delays_ms[len(delays_ms) * 95 // 100],
            cpu_ms=used_ms / len(arrived),
            burst_rate=self._burst(label),
        )

    def _burst(self, label: str) -> float:
        """Fill the queue while the worker is stopped, then measure how long the good orders
        take."""
        self._stack.kill("worker-1", SIGSTOP)
        names = {f"{label}-burst-{number}" for number in range(self._orders)}
        for name in sorted(names):
            self._publish_each(name)
        began_s = time.time()
        self._stack.kill("worker-1", SIGCONT)
        last_ms = max(max(self._arrivals(account, names).values()) for account in GOOD)
        return len(GOOD) * self._orders / (last_ms / 1_000 - began_s)

    def first_after_return(self, label: str) -> float:
        """The seconds until the exchange that was silent received the first order of the phase."""
        began_ms = time.time() * 1_000
        accepted_ms: list[int] = []

        def is_there() -> bool:
            accepted_ms[:] = self._accepted(DEAD, self._names(label)).values()
            return bool(accepted_ms)

        self._stack.wait_for("the first order after the return", is_there, PATIENCE_S)
        return (min(accepted_ms) - began_ms) / 1_000

    def finish(self, label: str) -> None:
        """Let the third account's orders arrive, so that each phase begins with empty queues."""
        self._arrivals(DEAD, self._names(label))

    def _names(self, label: str) -> set[str]:
        streamed = {f"{label}-stream-{n}" for n in range(self._seconds * self._rate)}
        return streamed | {f"{label}-burst-{n}" for n in range(self._orders)}

    def _arrivals(self, account: str, names: set[str]) -> dict[str, int]:
        """When each of the account's orders was accepted, in ms since 1970. Waits until all are."""
        accepted_ms: dict[str, int] = {}

        def all_there() -> bool:
            time.sleep(LOOK_EVERY_S)
            accepted_ms.update(self._accepted(account, names))
            return len(accepted_ms) == len(names)

        self._stack.wait_for(f"the orders of {account} to arrive", all_there, PATIENCE_S)
        return accepted_ms

    def _accepted(self, account: str, names: set[str]) -> dict[str, int]:
        wanted = {order_id_of(f"{name}-{account}"): f"{name}" for name in names}
        rows = self._stack.ledger(account)["orders"]
        return {
            wanted[row["clientOrderId"]]: row["acceptedAt"]
            for row in rows
            if row["clientOrderId"] in wanted
        }

    def _cpu_ms(self) -> float:
        """CPU time of the worker so far."""
        text = Path(f"/proc/{self._stack.processes['worker-1'].pid}/stat").read_text()
        ticks = text.rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) * 1_000 / os.sysconf("SC_CLK_TCK")

    def _publish_each(self, name: str) -> None:
        """Publish a signal on each account, that of the silent one first, ahead of the others."""
        self._sent[name] = time.time()
        for account in (DEAD, *GOOD):
            fields = {
                "signal_id": f"{name}-{account}",
                "account": account,
                "symbol": "BTC/USDT",
                "side": "buy",
                "type": "limit",
                "amount": "0.001",
                "price": "45000",
            }
            publish_order(OrderSignal.model_validate(fields), self.publisher)


def _table(
    title: str, alive: list[Phase], silent: list[Phase], ratios: dict[str, list[float]]
) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in ("third answers", "third silent", "silent / answers", "of the pairs"):
        table.add_column(column, justify="right")
    for text, name in ROWS.items():
        table.add_row(
            text,
            *(
                f"{statistics.median(getattr(p, name) for p in each):.1f}"
                for each in (alive, silent)
            ),
            f"{statistics.median(ratios[name]):.2f}",
            f"{min(ratios[name]):.2f} to {max(ratios[name]):.2f}",
        )
    return table


if __name__ == "__main__":
    typer.run(main)
