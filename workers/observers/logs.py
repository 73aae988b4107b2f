"""One structured line for every change of an order, and for what the workers do besides."""

import logging
import sys

import structlog

from execution.arbitrage.model import Arbitrage, ArbitrageState
from execution.operations.missing_accounts import MissingAccount
from execution.reconciliation.run import Reconciliation
from execution.text.redacted_logging import redact_event, redact_process_output


def configure_logging(*, json_lines: bool = True, level: str = "INFO") -> None:
    """Send every line to standard error: JSON for machines, or coloured text for people. Secrets
    are taken out of it, and of whatever else the process logs."""
    redact_process_output()
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def log_reconciliation(found: Reconciliation) -> None:
    """Write a run as one line; one that found nothing new is for those who look closely."""
    log = structlog.get_logger("oneorder")
    did = found.fills_applied or found.orders_settled or found.orders_adopted
    is_wrong = found.needs_attention or found.error or found.symbols_failed or found.warnings
    write = log.warning if is_wrong else log.info if did else log.debug
    write(
        "reconciled",
        account=found.account,
        took_ms=found.took_ms,
        trades_read=found.trades_read,
        fills_applied=found.fills_applied,
        orders_settled=found.orders_settled,
        orders_adopted=found.orders_adopted,
        external_orders=found.external_orders,
        drift={asset: str(amount) for asset, amount in found.drift.items()},
        drift_confirmed=found.drift_confirmed,
        repaired=found.repaired,
        halted=found.halted,
        symbols_failed=found.symbols_failed,
        pairs_unasked=found.pairs_unasked,
        warnings=found.warnings,
        error=found.error,
    )


def log_arbitrage(ended: Arbitrage) -> None:
    """Write the end of an arbitrage as one line."""
    log = structlog.get_logger("oneorder")
    is_open = ended.state is ArbitrageState.IMBALANCED
    (log.error if is_open else log.info)(
        "arbitrage_ended",
        arbitrage_id=ended.arbitrage_id,
        signal_id=ended.signal_id,
        symbol=ended.symbol,
        buy_account=ended.buy_account,
        sell_account=ended.sell_account,
        state=ended.state,
        reason=ended.reason,
        bought=str(ended.bought),
        sold=str(ended.sold),
        expected_profit=str(ended.expected_profit),
        net_profit=str(ended.net_profit),
        orders=len(ended.legs),
    )


def log_missing_account(found: MissingAccount) -> None:
    """Write an account that is not configured any more, with what is under way there."""
    structlog.get_logger("oneorder").error(
        "account_missing",
        account=found.account,
        orders=[order.order_id for order in found.orders],
        arbitrages=[one.arbitrage_id for one in found.arbitrages],
        reason=found.sentence,
    )
