"""A complete run on this machine: from signals to orders, fills and positions."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from execution.ledger.sql.ledger import open_ledger
from execution.model.clock import SystemClock
from execution.model.decimals import to_text
from execution.model.order import Order, OrderState
from execution.store.stores import Orders, Stores
from execution.text.redaction import redact
from oneorder import (
    CancelRequest,
    InvalidSignal,
    OrderSignal,
    Publisher,
    publish_cancel,
    publish_order,
)
from oneorder.identifiers import order_id_of
from oneorder.settings import SignalSettings
from oneorder.signals import parse_as
from workers.reports.export import write_files
from workers.reports.report import build_report
from workers.sandbox.audit import Check, compare
from workers.sandbox.demo_signals import DemoSignal, demo_signals
from workers.sandbox.errors import NotReady
from workers.sandbox.local_stack import LocalStack
from workers.views import tables
from workers.views import trading as views
from workers.views.plain_text import names, plain

PATIENCE_S = 45
WORKERS = 2
# All schedules run every second, to keep the demo short.
_OFTEN = {"reconcile_every_s": 1, "mark_every_s": 1, "archive_every_s": 1, "snapshot_every_s": 1}
_ORDER_COLUMNS = names("signal_id symbol side type amount price state filled average reason")
_POSITION_COLUMNS = names("symbol amount entry_price mark_price realised_pnl unrealised_pnl fees")


def run_demo(count: int, seed: int, report: Path, console: Console) -> int:
    """Run it and print the results; returns 0 only if every order ended as expected and the ledger
    agrees.

    The report of the run is written to `report`.
    """
    with (
        tempfile.TemporaryDirectory(prefix="oneorder-demo-") as folder,
        LocalStack(Path(folder), settings=_OFTEN) as stack,
    ):
        try:
            _start(stack, seed, console)
            failed = _trade(stack, count, seed, console)
            _report(stack, report, console)
        except NotReady as error:
            console.print(plain(redact(str(error))), style="red", markup=False, highlight=False)
            return 1
        return failed


def _start(stack: LocalStack, seed: int, console: Console) -> None:
    with console.status("starting Valkey, a paper exchange, two workers and beat"):
        stack.start_redis()
        stack.start_paper("--seed", str(seed))
        names = [f"worker-{number}" for number in range(1, WORKERS + 1)]
        for name in names:
            stack.start_worker(name)
        stack.start_beat()
        for name in names:
            stack.wait_for_worker(name)
    console.print(
        f"Valkey on port {stack.redis_port}, paper exchange on port {stack.paper_port}, "
        f"{WORKERS} workers and beat are running."
    )


def _trade(stack: LocalStack, count: int, seed: int, console: Console) -> int:
    batch = demo_signals(count, seed, stack.account)
    publisher = Publisher(SignalSettings(redis_url=stack.redis_url))
    refused = _publish(batch, publisher, stack)
    expected = {
        order_id_of(s.fields["signal_id"]): s.ends_as for s in batch if s.ends_as is not None
    }
    stores = stack.stores()
    store = stores.orders
    _cancel_after_open(batch, publisher, store, stack)
    settled = _wait(expected, store, stack, console)
    publisher.close()
    orders = store.orders()
    console.print(tables.table("Orders", map(views.order_view, orders), _ORDER_COLUMNS))
    console.print(tables.table("Refused before publishing", refused, ("signal_id", "reason")))
    stack.wait_for("a price for every position", lambda: _all_marked(stack.account, stores))
    checks = [*_ending_checks(expected, orders), *_ledger_checks(stack, stores)]
    now_ms = time.time_ns() // 1_000_000
    rows = views.position_views(stores, stores.positions.positions(stack.account), now_ms)
    console.print(tables.table("Positions", rows, _POSITION_COLUMNS))
    return _verdict(batch, refused, orders, checks, settled, console)


def _publish(
    batch: Iterable[DemoSignal], publisher: Publisher, stack: LocalStack
) -> list[dict[str, Any]]:
    """Publish the valid signals with the market price; returns the refused ones with the
    reasons."""
    refused = []
    for demo_signal in batch:
        price = _market_price(stack, demo_signal.fields["symbol"])
        fields = {**demo_signal.fields, "reference_price": price}
        try:
            publish_order(parse_as(OrderSignal, fields), publisher)
        except InvalidSignal as error:
            refused.append({"signal_id": demo_signal.fields["signal_id"], "reason": str(error)})
    return refused


def _market_price(stack: LocalStack, symbol: str) -> str:
    """The mid of the exchange's best bid and ask."""
    name = symbol.replace("/", "")
    ticker = stack.paper("GET", f"/api/v3/ticker/bookTicker?symbol={name}")
    return to_text((Decimal(ticker["bidPrice"]) + Decimal(ticker["askPrice"])) / 2)


def _cancel_after_open(
    batch: Iterable[DemoSignal], publisher: Publisher, store: Orders, stack: LocalStack
) -> None:
    chosen = [order_id_of(s.fields["signal_id"]) for s in batch if s.then_cancel]
    stack.wait_for("the order to cancel", lambda: all(map(store.order, chosen)))
    for order_id in chosen:
        publish_cancel(CancelRequest(order_id=order_id), publisher)


def _wait(
    expected: Mapping[str, OrderState], store: Orders, stack: LocalStack, console: Console
) -> bool:
    """Show progress until all orders are in their expected state or the time is up. A process that
    ends meanwhile is restarted."""
    deadline = time.monotonic() + PATIENCE_S
    with Progress(console=console) as progress:
        bar = progress.add_task("orders settled", total=len(expected))
        while True:
            states = {order.order_id: order.state for order in store.orders()}
            done = sum(states.get(order_id) is state for order_id, state in expected.items())
            progress.update(bar, completed=done)
            if done == len(expected) or time.monotonic() > deadline:
                return done == len(expected)
            stack.restart_ended()
            time.sleep(0.1)


def _all_marked(account: str, stores: Stores) -> bool:
    """Whether every position has a mark that is newer than the last fill that opened one."""
    marks = stores.valuations.marks(account)
    return all(position.symbol in marks for position in stores.positions.positions(account))


def _report(stack: LocalStack, path: Path, console: Console) -> None:
    """Write the report from the ledger, once the ledger is complete."""
    stack.wait_for("the ledger", lambda: not stack.stores().archive.unarchived())
    ledger = open_ledger(stack.ledger_url)
    now = SystemClock().now()
    found = build_report(ledger.orders(), ledger.snapshots(), since=None, now=now)
    write_files(found, html=path)
    console.print(f"The report of this run: {path.resolve()}", soft_wrap=True, markup=False)


def _ending_checks(expected: Mapping[str, OrderState], orders: Iterable[Order]) -> list[Check]:
    states = {order.order_id: order.state.value for order in orders}
    checks = [
        Check("ends as expected", order_id, states.get(order_id, "nothing"), state.value)
        for order_id, state in expected.items()
    ]
    return [*checks, Check("orders in all", "", str(len(states)), str(len(expected)))]


def _ledger_checks(stack: LocalStack, stores: Stores) -> list[Check]:
    positions = stores.positions.positions(stack.account)
    return compare(stores.orders.orders(), positions, stack.ledger())


def _verdict(
    batch: list[DemoSignal],
    refused: list[dict[str, Any]],
    orders: list[Order],
    checks: list[Check],
    settled: bool,
    console: Console,
) -> int:
    wrong = [check for check in checks if not check.agrees]
    compared, differing = (Counter(check.what for check in group) for group in (checks, wrong))
    rows = [
        {"check": what, "compared": times, "differences": differing[what]}
        for what, times in compared.items()
    ]
    console.print(
        tables.table("Against the exchange's ledger", rows, ("check", "compared", "differences"))
    )
    for check in wrong:
        console.print(plain(str(check)), style="red", markup=False)
    console.print(
        f"{len(batch)} signals published, one of them twice: {len(orders)} orders, "
        f"{len(refused)} refused before publishing, {len(wrong)} differences."
    )
    return 0 if settled and not wrong else 1
