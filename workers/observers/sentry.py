"""Reports errors to Sentry if a DSN is set, without keys and signatures."""

from typing import Any

import sentry_sdk
from sentry_sdk.types import Event, Hint

from execution.arbitrage.model import Arbitrage, ArbitrageState
from execution.model.events import Event as OrderEvent
from execution.model.events import Quarantined, Reported
from execution.model.order import Order, OrderState
from execution.model.report_faults import is_fault
from execution.operations.missing_accounts import MissingAccount
from execution.reconciliation.run import Reconciliation
from execution.text.redaction import scrub


def initialize_sentry(dsn: str | None) -> None:
    """Start reporting; does nothing if no DSN is set."""
    if dsn is None:
        return
    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        # The variables of a stack frame include exchange objects, which hold keys.
        include_local_variables=False,
        traces_sample_rate=0,
        before_send=scrub_event,
        before_breadcrumb=scrub_breadcrumb,
    )


def report_error(error: Exception) -> None:
    """Report an error of a command, and wait until it is sent; does nothing if no DSN is set."""
    sentry_sdk.capture_exception(error)
    sentry_sdk.flush(timeout=2)


class AlertObserver:
    """Raises an alert for every order that needs manual intervention, and for every fault of an
    exchange, at each report of such an order."""

    def __call__(self, order: Order, event: OrderEvent, before: OrderState | None) -> None:
        if isinstance(event, Quarantined):
            sentry_sdk.capture_message(
                f"order {order.order_id} on {order.account} is quarantined: {order.reason}",
                level="error",
            )
        elif isinstance(event, Reported) and is_fault(order.reason):
            is_held = order.state is OrderState.QUARANTINED is not before
            what = "is quarantined" if is_held else "was reported wrongly"
            sentry_sdk.capture_message(
                f"order {order.order_id} on {order.account} {what}: {order.reason}", level="error"
            )


def alert_of_reconciliation(run: Reconciliation) -> None:
    """Raise an alert for what needs manual intervention: external orders, drift, and data that the
    store had lost."""
    if not run.needs_attention:
        return
    drift = ", ".join(f"{amount} {asset}" for asset, amount in run.drift.items())
    what = {
        "external orders": ", ".join(run.external_orders),
        "drift": drift if run.drift_confirmed else "",
        "lost": ", ".join(run.repaired),
    }
    parts = "; ".join(f"{name}: {text}" for name, text in what.items() if text)
    sentry_sdk.capture_message(f"reconciliation of {run.account}: {parts}", level="warning")


def alert_of_arbitrage(ended: Arbitrage) -> None:
    """Raise an alert for an arbitrage that ended imbalanced."""
    if ended.state is ArbitrageState.IMBALANCED:
        sentry_sdk.capture_message(
            f"arbitrage {ended.arbitrage_id} in {ended.symbol} is left with {ended.imbalance}: "
            f"{ended.reason}",
            level="error",
        )


def alert_of_missing_account(missing: MissingAccount) -> None:
    """Raise an alert for an account that was removed from the settings with unfinished orders or
    arbitrages."""
    sentry_sdk.capture_message(missing.sentence, level="error")


def scrub_event(event: Event, _: Hint) -> Event | None:
    """Remove everything that looks like a secret, at any depth."""
    return scrub(event)  # type: ignore[no-any-return]


def scrub_breadcrumb(crumb: dict[str, Any], _: dict[str, Any]) -> dict[str, Any] | None:
    return scrub(crumb)  # type: ignore[no-any-return]
