"""Checks of the ledger, and of orders that need manual intervention."""

from collections.abc import Callable, Collection, Iterator

from execution.ledger.port import Ledger
from execution.model.order import Order, OrderState
from execution.store.stores import Stores
from execution.text.cutting import some
from workers.doctor.findings import Finding, duration, fail, ok, warn, warn_of

# The archive runs every few seconds.
BACKLOG_WARN_MS = 60_000
BACKLOG_FAIL_MS = 300_000
# How many of the unarchived orders are checked.
RECENT_MAX = 1_000


def check_ledger(ledger: Ledger) -> Iterator[Finding]:
    """That it answers, and that it can be written to."""
    yield ok("ledger", f"identity {ledger.identity()}")
    ledger.probe()
    yield ok("ledger write", "written")


def check_history(
    stores: Stores, ledger: Ledger, complaint: Callable[[], str | None]
) -> Iterator[Finding]:
    """That it is the ledger that Redis was archived to, and how far behind it is. `complaint` says
    why positions are not compared with it, None where they are."""
    identity = f"identity {ledger.identity()}"
    distrusted = complaint()
    if distrusted is None:
        yield ok("ledger identity", f"{identity}, which everything was written to")
    else:
        yield fail(
            "ledger identity",
            f"{identity}; {distrusted}",
            "let ledger_url name the former ledger, or restore it; "
            "else oneorder rebuild --apply --force",
        )
    backlog = stores.health.backlog()
    age_ms = backlog.oldest_unarchived_ms
    detail = f"{backlog.unarchived} orders not written yet"
    if age_ms is None or age_ms <= BACKLOG_WARN_MS:
        yield ok("ledger backlog", detail)
    else:
        detail += f", for up to {duration(age_ms)}"
        make = fail if age_ms > BACKLOG_FAIL_MS else warn
        yield make("ledger backlog", detail, "see schedule ledger.archive, and the workers' log")


def check_orders(stores: Stores, ledger: Ledger, configured: Collection[str]) -> Iterator[Finding]:
    """Orders in quarantine, and open orders of accounts that are not configured."""
    unsettled = list(_unsettled(stores, ledger))
    quarantined = [o.order_id for o in unsettled if o.state is OrderState.QUARANTINED]
    detail = f"{len(quarantined)} need manual intervention: {some(quarantined)}"
    yield warn_of("orders in quarantine", detail if quarantined else "", "oneorder settle ID")
    left = [o for o in unsettled if o.is_live and o.account not in configured]
    if not left:
        yield ok("orders of unknown accounts", "none")
        return
    for account in sorted({order.account for order in left}):
        ids = [order.order_id for order in left if order.account == account]
        yield fail(
            "orders of unknown accounts",
            f"{len(ids)} of {account!r}, which is not configured: {some(ids)}",
            f"configure [accounts.{account}] again and cancel them",
        )


def _unsettled(stores: Stores, ledger: Ledger) -> Iterator[Order]:
    """Orders that have not ended or are in quarantine, as Redis has them now; those of history, and
    those that history does not have yet."""
    recent = stores.archive.unarchived()[-RECENT_MAX:]
    orders = {order.order_id: order for order in ledger.unsettled()}
    orders |= {order.order_id: order for order in stores.archive.records(recent)}
    ids = sorted(orders)
    orders |= {order.order_id: order for order in stores.archive.records(ids)}
    for order_id in ids:
        if orders[order_id].is_live or orders[order_id].state is OrderState.QUARANTINED:
            yield orders[order_id]
