"""One fuzz run: real processes, all doors at once, good signals among them, and the verdict."""

import tempfile
import threading
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from execution.text.cutting import cut
from tests.fuzz import judge
from tests.fuzz.doors import (
    EntriesDoor,
    EntryPoint,
    MessagesDoor,
    SettingsDoor,
    all_doors,
    give_all,
)
from tests.fuzz.good import GoodSignals
from tests.fuzz.odd import FAULT_BYTES_MAX, FAULTS_SHOWN, Tally
from tests.fuzz.paper_requests import ACCOUNT
from workers.sandbox.local_stack import LocalStack

ACCOUNTS = ("--account", "paper:paper", "--account", f"{ACCOUNT}:{ACCOUNT}")
SETTINGS = {
    "reconcile_every_s": 2,
    "signal_wait_max_s": 3,
    # However busy this machine is, what is good must be filled.
    "limits": {"signal_max_age_s": 0},
}
WORKERS = ("worker-1", "worker-2")


def run(inputs: int, seconds: float, seed: int, console: Console, logs: Path | None) -> bool:
    """Give so many inputs within so many seconds; whether everything held. The processes' logs
    stay in the folder `logs`, where one is named."""
    with (
        tempfile.TemporaryDirectory(prefix="oneorder-fuzz-") as folder,
        LocalStack(logs or Path(folder), SETTINGS, further={"bybit-main": "bybit"}) as stack,
    ):
        _start(stack, seed)
        pids = {name: process.pid for name, process in stack.processes.items()}
        good = GoodSignals(stack)
        doors = list(all_doors(stack, seed))
        try:
            took_s = _give(doors, good, inputs, seconds)
            tallies = _judged(stack, [door for door, _ in doors], good, pids)
        finally:
            good.close()
            for door, _ in doors:
                door.close()
    console.print(_table(tallies))
    given = sum(tally.inputs for tally in tallies)
    console.print(
        f"seed {seed}: {given:,} inputs in {took_s:.0f} s, {len(good.signal_ids):,} good signals"
    )
    _show_faults(tallies, console)
    return all(tally.is_clean for tally in tallies)


def _start(stack: LocalStack, seed: int) -> None:
    stack.start_redis()
    for account in stack.dialects:
        stack.start_paper(
            "--seed", str(seed), "--weight-per-minute", "0", "--orders-per-10s", "0", *ACCOUNTS,
            account=account,
        )  # fmt: skip
    for name in WORKERS:
        stack.start_worker(name)
    stack.start_beat()
    for name in WORKERS:
        stack.wait_for_worker(name)


def _give(
    doors: list[tuple[EntryPoint, int]], good: GoodSignals, inputs: int, seconds: float
) -> float:
    """Let every door have its share; how long it took, in s."""
    over, done = threading.Event(), threading.Event()
    began = time.monotonic()
    publisher = threading.Thread(target=good.publish_all, args=(done,), daemon=True)
    givers = [
        threading.Thread(
            target=give_all, args=(door, max(1, inputs * share // 1_000), over), daemon=True
        )
        for door, share in doors
    ]
    for thread in (publisher, *givers):
        thread.start()
    for giver in givers:
        giver.join(max(0, began + seconds - time.monotonic()))
    over.set()
    for giver in givers:
        giver.join()
    done.set()
    publisher.join()
    return time.monotonic() - began


def _judged(
    stack: LocalStack, doors: list[EntryPoint], good: GoodSignals, pids: dict[str, int]
) -> list[Tally]:
    whole = Tally("good signals", faults=list(good.faults))
    for sentence in judge.settle(stack, good):
        whole.fault(sentence)
    for door in doors:
        if isinstance(door, EntriesDoor):
            _, messages, lost = judge.refusals(stack, door)
            if lost:
                door.tally.fault(f"{len(lost)} entries were not refused and are gone: {lost[:5]}")
        if isinstance(door, SettingsDoor):
            judge.real_starts(stack, door)
    for door in doors:
        if isinstance(door, MessagesDoor):
            door.tally.refused = messages
    for sentence in judge.effects(stack, good):
        whole.effects += 1
        whole.fault(sentence)
    for sentence in judge.bounds(stack):
        whole.fault(sentence)
    return [*(door.tally for door in doors), whole, _processes(stack, pids)]


def _processes(stack: LocalStack, pids: dict[str, int]) -> Tally:
    """What became of the processes, and what their logs say."""
    tally = Tally("processes' logs")
    for name, process in stack.processes.items():
        if process.poll() is not None or process.pid != pids[name]:
            tally.fault(f"{name} has ended with {process.poll()}: {stack.log(name)[-1500:]}")
    for name, count, first in judge.tracebacks(stack):
        tally.tracebacks += count - 1
        tally.fault(f"{name}: Traceback {count} times, first: {first}")
    return tally


def _table(tallies: list[Tally]) -> Table:
    table = Table("door", "inputs", "refused", "effects", "tracebacks", "other faults")
    for tally in tallies:
        other = max(0, len(tally.faults) - tally.effects - tally.tracebacks)
        cells = (tally.inputs, tally.refused, tally.effects, tally.tracebacks, other)
        table.add_row(tally.door, *(f"{cell:,}" for cell in cells))
    return table


def _show_faults(tallies: list[Tally], console: Console) -> None:
    for tally in tallies:
        for sentence in tally.faults[:FAULTS_SHOWN]:
            shown = cut(f"{tally.door}: {sentence}", FAULT_BYTES_MAX)
            console.print(Text(shown))
        if len(tally.faults) > FAULTS_SHOWN:
            console.print(f"{tally.door}: and {len(tally.faults) - FAULTS_SHOWN} more")
