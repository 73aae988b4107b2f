"""What must hold when all is over: every good signal filled once, and nothing else happened."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from redis import Redis

from execution.model.order import OrderState
from execution.store.access import keys
from oneorder.identifiers import order_id_of
from tests.fuzz.doors import QUEUES, EntriesDoor, SettingsDoor, fault_of_sentence, wait_until
from tests.fuzz.good import GoodSignals
from tests.fuzz.paper_requests import ACCOUNT
from tests.fuzz.settings_texts import KEYS
from workers.sandbox.audit import compare
from workers.sandbox.local_stack import PAPER_KEY, LocalStack

PATIENCE_S = 240
REDIS_BYTES_MAX = 64 * 1024 * 1024
REAL_STARTS = 4


def settle(stack: LocalStack, good: GoodSignals) -> Iterator[str]:
    """Wait until nothing waits any more and what is good is filled; say what does not come."""
    client: Any = Redis.from_url(stack.redis_url)
    store = stack.store()
    wanted = {order_id_of(signal_id) for signal_id in good.signal_ids}

    def missing() -> set[str]:
        orders = store.orders(state=OrderState.FILLED)
        return wanted - {order.order_id for order in orders}

    if not wait_until(lambda: not missing(), PATIENCE_S):
        ids = [signal_id for signal_id in good.signal_ids if order_id_of(signal_id) in missing()]
        yield f"{len(ids)} good signals are not filled: {ids[:10]}"
    for what, most, length in (
        # Beat's own ticks come and go.
        ("messages", 2, lambda: sum(client.llen(queue) for queue in QUEUES)),
        ("entries", 0, lambda: client.xlen(keys.SIGNALS)),
        ("entries that stepped aside", 0, lambda: client.hlen(keys.WAITING)),
    ):
        if not wait_until(lambda most=most, length=length: length() <= most, PATIENCE_S):
            yield f"{length()} {what} still wait"
    client.close()


def effects(stack: LocalStack, good: GoodSignals) -> Iterator[str]:
    """Whatever is there and was not asked for by a good signal, and each that did not hold."""
    stores = stack.stores()
    wanted = {order_id_of(signal_id) for signal_id in good.signal_ids}
    orders = stores.orders.orders()
    for order in orders:
        if order.order_id not in wanted:
            yield f"an order record: {order!r:.300}"
    yield from (f"an arbitrage: {each!r:.300}" for each in stores.arbitrages.arbitrages())
    yield from (f"a halt: {halt}" for halt in stores.halts.halts())
    for account in stack.dialects:
        found = stack.ledger(account)
        yield from _foreign(account, found, {order.client_order_id for order in orders})
        ours = [order for order in orders if order.account == account]
        truth = {
            **found,
            "orders": [row for row in found["orders"] if row["account"] == PAPER_KEY],
            "trades": [row for row in found["trades"] if row["account"] == PAPER_KEY],
        }
        positions = stores.positions.positions(account)
        for check in compare(ours, positions, truth):
            if not check.agrees:
                yield f"{account}: {check}"


def _foreign(account: str, found: Any, known: set[str]) -> Iterator[str]:
    times = Counter(row["clientOrderId"] for row in found["orders"])
    for row in found["orders"]:
        if row["clientOrderId"] not in known or row["account"] == ACCOUNT:
            yield f"{account}: an order at the exchange: {row!r:.300}"
    yield from (f"{account}: {name} is there {n} times" for name, n in times.items() if n > 1)
    faults = found.get("faults")
    if faults:
        yield f"{account}: faults {faults!r:.300}"


def refusals(stack: LocalStack, entries: EntriesDoor) -> tuple[int, int, list[str]]:
    """How many entries and how many messages were refused, and which entries left no trace."""
    seen: set[str] = set()
    messages = 0
    for name in stack.processes:
        for line in stack.log(name).splitlines():
            if '"signal_refused"' in line:
                entry_id = json.loads(line).get("entry_id")
                messages += entry_id is None
                seen |= {entry_id} - {None}
    lost = [f"{name} {entries.given[name]}" for name in sorted(entries.given.keys() - seen)]
    entries.tally.refused = len(entries.given.keys() & seen)
    return entries.tally.refused, messages, lost


def bounds(stack: LocalStack) -> Iterator[str]:
    """What must stay within its bound, however much came in."""
    client: Any = Redis.from_url(stack.redis_url)
    memory = client.info("memory")["used_memory"]
    kept = client.xlen(keys.REFUSED)
    # The stream is cut a node at a time.
    if kept > keys.REFUSED_MAX + 1_000:
        yield f"{kept:,} refused signals are kept"
    if memory > REDIS_BYTES_MAX:
        yield f"Redis holds {memory:,} bytes"
    client.close()


def tracebacks(stack: LocalStack) -> Iterator[tuple[str, int, str]]:
    """Every process whose log has any, how many, and the first of them."""
    for name in stack.processes:
        text = stack.log(name)
        first = text.find("Traceback")
        if first >= 0 or "internal error" in text:
            shown = text[max(0, first - 500) : first + 2_500]
            yield name, text.count("Traceback") or 1, shown


def real_starts(stack: LocalStack, door: SettingsDoor) -> None:
    """Start doctor and a worker with settings that were refused: one sentence, exit 1."""
    folder = stack.directory / "starts"
    folder.mkdir()
    environment = {
        name: value for name, value in stack.environment.items() if not name.startswith("ONEORDER_")
    }
    path = folder / "oneorder.toml"
    for number, given in enumerate(door.refused[:: max(1, len(door.refused) // REAL_STARTS)]):
        path.write_bytes(given.file)
        command = ["workers.cli", "doctor"]
        if number % 2:
            command = ["celery", "-A", "workers", "worker", "-l", "WARNING"]
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder,
            env={**environment, **KEYS, **given.environment, "ONEORDER_CONFIG": str(path)},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )
        # Celery warns of root before.
        head, _, sentence = done.stderr.removesuffix("\n").rpartition("oneorder: ")
        fault = "Traceback" in head or fault_of_sentence(sentence)
        if done.returncode != 1 or fault:
            door.tally.fault(
                f"{command} with {given!r:.500}: {done.returncode} {done.stderr[-1500:]}"
            )
