"""The tasks, each a thin door: it may run twice, late or never, and nothing is lost or doubled.

Celery's autoretry, with growing pauses and jitter, is the quick path; the sweep covers the rest.
"""

from functools import partial
from typing import Any
from uuid import uuid4

import structlog
from kombu.exceptions import OperationalError

from execution.journal import UnknownOrder
from execution.ledger.port import LedgerUnavailable
from execution.orders import Order, OrderState
from execution.ports import ExchangeUnavailable, StoreUnavailable
from execution.reconciliation import AlreadyRunning
from execution.together import together
from signals.broker import ARBITRAGE, CANCEL, EXECUTE
from workers.bootstrap import Services, holders, reconcile_account, services
from workers.celery_app import app

# The sweep leaves an intent this long to the message that was sent with it.
INTENT_GRACE_MS = 1_000
INTENTS_A_SWEEP = 500
ORDERS_A_SWEEP = 200
# Whoever is woken for an order has this long before somebody else is woken for it too.
WAKE_LEASE_MS = 5_000
# A sweep takes well under a second; one that was killed must not hold up the next for long.
SWEEP_LEASE_MS = 5_000
ARCHIVE_LEASE_MS = 30_000
# With this many messages waiting, workers have enough to do; more wake-ups would only pile up.
BACKLOG_MAX = 500


class Unsettled(Exception):
    """The order is neither open nor ended yet; look again soon."""


RETRYABLE = (Unsettled, UnknownOrder, ExchangeUnavailable, StoreUnavailable)
_QUICK_PATH: dict[str, Any] = {
    "autoretry_for": RETRYABLE,
    "retry_backoff": 1,
    "retry_backoff_max": 8,
    "retry_jitter": True,
    "max_retries": 4,
    "throws": RETRYABLE,
}


def _settled(order: Order | None) -> None:
    if order is None or (order.state is OrderState.RECEIVED and not order.attempts):
        # It waits for its account, with a time at which the sweep comes back to it.
        return
    if order.state in (OrderState.RECEIVED, OrderState.SUBMITTING):
        raise Unsettled(f"order {order.order_id} is {order.state}")


@app.task(name=EXECUTE, **_QUICK_PATH)
def execute(*args: Any, entry_id: str | None = None, **extra: Any) -> None:
    """Carry out one order signal: the first argument, a JSON object."""
    intake = services().intake
    if len(args) != 1 or extra:
        intake.refuse(EXECUTE, [*args, extra], "message: takes one argument, the body", entry_id)
        return
    _settled(intake.execute(args[0], entry_id))


@app.task(name=CANCEL, **_QUICK_PATH)
def cancel(*args: Any, entry_id: str | None = None, **extra: Any) -> None:
    """Cancel the order that the first argument, a JSON object, names."""
    intake = services().intake
    if len(args) != 1 or extra:
        intake.refuse(CANCEL, [*args, extra], "message: takes one argument, the body", entry_id)
        return
    intake.cancel(args[0], entry_id)


@app.task(name=ARBITRAGE, **_QUICK_PATH)
def arbitrage(*args: Any, entry_id: str | None = None, **extra: Any) -> None:
    """Carry out one arbitrage signal: the first argument, a JSON object."""
    intake = services().intake
    if len(args) != 1 or extra:
        intake.refuse(ARBITRAGE, [*args, extra], "message: takes one argument, the body", entry_id)
        return
    intake.arbitrage(args[0], entry_id)


@app.task(name="arbitrage.advance", throws=RETRYABLE)
def advance_arbitrage(arbitrage_id: str) -> None:
    """Move an arbitrage on that the sweep found due."""
    services().executor.advance_by_id(arbitrage_id)


@app.task(name="orders.advance", throws=RETRYABLE)
def advance(order_id: str) -> None:
    """Move an order on that the sweep found due."""
    services().manager.advance_by_id(order_id)


@app.task(name="orders.sweep", throws=(StoreUnavailable,))
def sweep() -> None:
    """Record intents that nobody took, and wake a worker for every order that is due."""
    parts = services()
    owner = uuid4().hex
    if not parts.store.lease("sweep", owner, SWEEP_LEASE_MS):
        return
    try:
        for intent in parts.store.take_intents(INTENTS_A_SWEEP, INTENT_GRACE_MS):
            parts.intake.drain(intent)
        if _backlog() < BACKLOG_MAX:
            _wake_due(parts)
            _wake_due_arbitrages(parts)
    finally:
        parts.store.release("sweep", owner)


def _wake_due(parts: Services) -> None:
    for order_id in parts.store.due(parts.clock.now_ms(), ORDERS_A_SWEEP, WAKE_LEASE_MS):
        _wake(advance, order_id)


def _wake_due_arbitrages(parts: Services) -> None:
    store = parts.stores.arbitrages
    for arbitrage_id in store.due(parts.clock.now_ms(), ORDERS_A_SWEEP, WAKE_LEASE_MS):
        _wake(advance_arbitrage, arbitrage_id)


def _wake(task: Any, subject: str) -> None:
    try:
        task.apply_async((subject,), retry=False, expires=WAKE_LEASE_MS // 1000)
    except OperationalError as error:
        # The lease runs out and it is due again.
        log = structlog.get_logger("oneorder")
        log.warning("wake_failed", task=task.name, subject=subject, error=str(error))


def _backlog() -> int:
    """How many messages wait for a worker in the orders queue."""
    with app.connection_for_read() as connection:
        channel: Any = connection.channel()
        return int(channel.queue_declare(queue="orders", durable=True).message_count)


@app.task(name="positions.reconcile", throws=(StoreUnavailable,))
def reconcile(body: dict[str, str] | None = None) -> None:
    """Make one account, or all of them, agree with the exchange."""
    parts = services()
    wanted = (body or {}).get("account")
    # An account that is out of reach does not keep the others from being reconciled, or waiting.
    names = parts.accounts if wanted is None else [wanted]
    together(*(partial(_reconcile, parts, name) for name in names))


def _reconcile(parts: Services, name: str) -> None:
    try:
        with parts.bulkhead.place(name):
            reconcile_account(parts, name)
    except AlreadyRunning:
        return
    except ExchangeUnavailable as error:
        log = structlog.get_logger("oneorder")
        log.warning("not_reconciled", account=name, error=str(error))


@app.task(name="positions.mark", throws=(StoreUnavailable,))
def mark() -> None:
    """Price what is held, add it up, and now and then add a point to the series."""
    parts = services()
    log = structlog.get_logger("oneorder")
    for sentence in parts.valuer.mark(holders(parts)):
        log.warning("not_marked", error=sentence)
    totals = parts.valuer.value(parts.accounts)
    if parts.store.lease("snapshot", uuid4().hex, parts.settings.snapshot_every_s * 1_000):
        parts.valuer.take_snapshots(totals)


@app.task(name="ledger.archive", throws=(StoreUnavailable,))
def archive() -> None:
    """Write what is new to the ledger, and let go from Redis what is settled and old."""
    parts = services()
    owner = uuid4().hex
    if not parts.store.lease("archive", owner, ARCHIVE_LEASE_MS):
        return
    try:
        parts.archive.run()
    except LedgerUnavailable as error:
        # What is to be written waits; the next tick tries again.
        structlog.get_logger("oneorder").warning("not_archived", error=str(error))
    finally:
        parts.store.release("archive", owner)


@app.task(name="clocks.measure", throws=(StoreUnavailable,))
def measure_clocks() -> None:
    """Measure every exchange's clock, for all workers, all at the same time."""
    parts = services()
    together(*(partial(_measure_clock, parts, name) for name in parts.accounts))


def _measure_clock(parts: Services, name: str) -> None:
    log = structlog.get_logger("oneorder")
    try:
        with parts.bulkhead.place(name):
            offset = parts.clocks.measure(name, parts.connections.exchange(name))
    except ExchangeUnavailable as error:
        log.warning("clock_not_measured", account=name, error=str(error))
        return
    log.info(
        "clock_measured",
        account=name,
        offset_ms=offset.offset_ms,
        uncertainty_ms=offset.uncertainty_ms,
    )
