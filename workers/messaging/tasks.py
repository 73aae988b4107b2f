"""The tasks, all of them thin: each may run twice, late or never, and nothing is lost or doubled.

Celery's autoretry, with exponential backoff and jitter, is the quick path; the sweep covers the
rest.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import structlog
from kombu.exceptions import OperationalError

from execution.exchanges.parallel import run_parallel
from execution.model.errors import (
    AlreadyRunning,
    Crowded,
    ExchangeUnavailable,
    LedgerUnavailable,
    StoreUnavailable,
    UnknownOrder,
)
from execution.model.order import Order, OrderState
from execution.operations.missing_accounts import announce_missing
from oneorder import broker
from workers.bootstrap import (
    Services,
    announce_missing_account,
    mark_sources,
    reconcile_account,
    services,
)
from workers.intake.deferrals import LeftToOthers
from workers.intake.roster import Need, NotOurs
from workers.intake.sweeping import WAKE_LEASE_MS, Sweeper, Wakes
from workers.messaging.celery_app import app
from workers.messaging.envelopes import HOPS_MAX

log = structlog.get_logger("oneorder")
T = TypeVar("T")

ARCHIVE_LEASE_MS = 30_000
# With this many messages waiting, the workers are busy: the lease of anything woken beyond that
# would expire before it is taken, and it would be woken again.
BACKLOG_MAX = 200


class Unsettled(Exception):
    """The order is neither open nor ended yet; the task retries soon."""


RETRYABLE = (Unsettled, UnknownOrder, ExchangeUnavailable, StoreUnavailable)
_QUICK_PATH: dict[str, Any] = {
    "autoretry_for": RETRYABLE,
    "retry_backoff": 1,
    "retry_backoff_max": 8,
    "retry_jitter": True,
    "max_retries": 4,
    # When the broker is unreachable, the retry cannot be sent; the sweep does not need it.
    "throws": (*RETRYABLE, OperationalError),
}


def _settled(order: Order | None) -> None:
    if order is None or (order.state is OrderState.RECEIVED and not order.attempts):
        # It waits for its account, and the sweep comes back to it when it is due.
        return
    if order.state in (OrderState.RECEIVED, OrderState.SUBMITTING):
        raise Unsettled(f"order {order.order_id} is {order.state}")


@app.task(name=broker.EXECUTE, **_QUICK_PATH)
def execute(*args: Any, entry_id: Any = None, v: Any = None, **extra: Any) -> None:
    """Execute one order signal: the first argument, a JSON object."""
    _settled(_carried_out(broker.EXECUTE, services().intake.execute, args, entry_id, v, extra))


@app.task(name=broker.CANCEL, **_QUICK_PATH)
def cancel(*args: Any, entry_id: Any = None, v: Any = None, **extra: Any) -> None:
    """Cancel the order that the signal names; the signal is a JSON object in the first argument."""
    _carried_out(broker.CANCEL, services().intake.cancel, args, entry_id, v, extra)


@app.task(name=broker.ARBITRAGE, **_QUICK_PATH)
def arbitrage(*args: Any, entry_id: Any = None, v: Any = None, **extra: Any) -> None:
    """Execute one arbitrage signal: the first argument, a JSON object."""
    _carried_out(broker.ARBITRAGE, services().intake.arbitrage, args, entry_id, v, extra)


def _carried_out(
    task: str,
    take: Callable[[object, object, object], T | None],
    args: tuple[Any, ...],
    entry_id: object,
    version: object,
    extra: dict[str, Any],
) -> T | None:
    """The result of the message; None for one that is refused, or left to another worker."""
    intake = services().intake
    if len(args) != 1 or extra:
        reason = "message: takes one argument, the body"
        intake.refuse_message(task, [*args, extra], reason, entry_id, version)
        return None
    try:
        return take(args[0], entry_id, version)
    except LeftToOthers as left:
        _pass_on(take_signal, left.entry_id, 0)
        return None


@app.task(name=broker.TAKE, throws=RETRYABLE)
def take_signal(entry_id: str, hops: int = 0) -> None:
    """Execute a signal that another worker could not, by its entry id, or pass it on."""
    try:
        services().intake.take(entry_id)
    except LeftToOthers as left:
        _pass_on(take_signal, left.entry_id, hops)


@app.task(name=broker.ADVANCE_ARBITRAGE, throws=RETRYABLE)
def advance_arbitrage(arbitrage_id: str, hops: int = 0) -> None:
    """Advance a due arbitrage, by its id."""
    parts = services()
    known = parts.executor.load(arbitrage_id)
    if known is None:
        return
    need = Need((known.buy_account, known.sell_account))
    if _is_ours(need, known.updated_at, partial(_pass_on, advance_arbitrage, arbitrage_id, hops)):
        parts.executor.advance(known)


@app.task(name=broker.ADVANCE, throws=RETRYABLE)
def advance(order_id: str, hops: int = 0) -> None:
    """Advance a due order, by its id."""
    parts = services()
    order = parts.manager.load(order_id)
    need = Need((order.account,))
    if _is_ours(need, order.updated_at, partial(_pass_on, advance, order_id, hops)):
        parts.manager.advance(order)


def _is_ours(need: Need, changed_at: datetime, pass_on: Callable[[], None]) -> bool:
    """Whether this worker is to advance a record that needs these accounts. It is passed on if
    another live worker has them. If none has, it is not advanced for as long as a signal would
    wait, and then advanced here: an order that was never sent is refused, any other one waits."""
    parts = services()
    try:
        parts.roster.check(need)
    except NotOurs as lack:
        if parts.roster.others(need):
            pass_on()
            return False
        _, is_over = parts.rules.no_taker(lack, changed_at, parts.roster.missing_since_ms(need))
        return is_over
    return True


def _pass_on(task: Any, subject: Any, hops: int) -> None:
    """Send the message on until it reaches a worker that has the accounts. If it does not, the
    sweep sends another one later."""
    if hops < HOPS_MAX:
        _wake(task, subject, hops=hops + 1)


@app.task(name=broker.SWEEP, throws=(StoreUnavailable,))
def sweep() -> None:
    """Wake a worker for every order that is due, and record intents that no worker took."""
    parts = services()
    wakes = Wakes(
        order=partial(_wake, advance),
        arbitrage=partial(_wake, advance_arbitrage),
        intent=partial(_wake, take_signal),
        wanted=lambda: BACKLOG_MAX - _backlog(),
    )
    Sweeper(parts.stores, parts.clock, parts.intake, wakes).run(uuid4().hex)


def _wake(task: Any, subject: Any, **options: Any) -> None:
    try:
        task.apply_async((subject,), options, retry=False, expires=WAKE_LEASE_MS // 1000)
    except OperationalError as error:
        # The lease expires and it is due again.
        log.warning("wake_failed", task=task.name, subject=subject, error=str(error))


def _backlog() -> int:
    """How many messages wait in the orders queue; BACKLOG_MAX while the broker is unreachable, as
    no message can be sent then."""
    with app.connection_for_read() as connection:
        away: tuple[type[BaseException], ...] = (OperationalError, *connection.connection_errors)
        try:
            channel: Any = connection.channel()
            return int(channel.queue_declare(queue="orders", durable=True).message_count)
        except away as error:
            log.warning("backlog_unknown", error=str(error))
            return BACKLOG_MAX


@app.task(name=broker.RECONCILE, throws=(StoreUnavailable,))
def reconcile(body: dict[str, str] | None = None, hops: int = 0) -> None:
    """Reconcile one account, or all of them, with the exchange."""
    parts = services()
    wanted = (body or {}).get("account")
    if wanted is not None and parts.roster.unknown([wanted]):
        if parts.roster.others(Need((wanted,))):
            _pass_on(reconcile, body, hops)
        else:
            log.warning(
                "reconciliation_skipped", account=wanted, error="no live worker knows the account"
            )
        return
    # An unreachable account neither prevents nor delays the reconciliation of the others.
    names = parts.accounts if wanted is None else [wanted]
    run_parallel(*(partial(_reconcile, parts, name) for name in names))


def _reconcile(parts: Services, name: str) -> None:
    try:
        with parts.bulkhead.place(name):
            reconcile_account(parts, name)
    except Crowded as error:
        log.warning("reconciliation_skipped", account=name, error=str(error))
    except (AlreadyRunning, ExchangeUnavailable):
        # Another run is under way, or this one has been announced with its error.
        return


@app.task(name=broker.CHECK_ACCOUNTS, throws=(StoreUnavailable,))
def check_accounts() -> None:
    """Alert, once a day, of each account that is not configured and has orders or arbitrages under
    way."""
    parts = services()
    stores = parts.stores
    announce_missing(
        stores.orders,
        stores.arbitrages,
        stores.leases,
        parts.accounts,
        announce_missing_account,
    )


@app.task(name=broker.MARK, throws=(StoreUnavailable,))
def mark() -> None:
    """Price holdings, compute the totals, and add points to the equity series."""
    parts = services()
    for sentence in parts.valuer.mark(mark_sources(parts)):
        log.warning("mark_failed", error=sentence)
    totals = parts.valuer.value(parts.accounts)
    if parts.stores.leases.lease("snapshot", uuid4().hex, parts.settings.snapshot_every_s * 1_000):
        parts.valuer.take_snapshots(totals)


@app.task(name=broker.ARCHIVE, throws=(StoreUnavailable,))
def archive() -> None:
    """Write what is new to the ledger, and remove old settled orders from Redis."""
    parts = services()
    owner = uuid4().hex
    if not parts.stores.leases.lease("archive", owner, ARCHIVE_LEASE_MS):
        return
    try:
        parts.archive.run()
    except LedgerUnavailable as error:
        # The changes stay queued; the next tick tries again.
        log.warning("archive_failed", error=str(error))
    finally:
        parts.stores.leases.release("archive", owner)


@app.task(name=broker.MEASURE_CLOCKS, throws=(StoreUnavailable,))
def measure_clocks() -> None:
    """Measure every exchange's clock, for all workers."""
    parts = services()
    run_parallel(*(partial(_measure_clock, parts, name) for name in parts.accounts))


def _measure_clock(parts: Services, name: str) -> None:
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
