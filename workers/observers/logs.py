"""One structured log line for every reconciliation, ended arbitrage and missing account."""

import logging
import sys

import structlog

from execution.arbitrage.model import Arbitrage, ArbitrageState
from execution.operations.missing_accounts import MissingAccount
from execution.reconciliation.run import Reconciliation
from execution.text.redacted_logging import redact_event, redact_process_output


def configure_logging(*, json_lines: bool = True, level: str = "INFO") -> None:
    """Send every line to standard error: JSON for machines, or coloured text for people. Secrets
    are removed from it and from everything else that the process logs."""
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


def log_reconciliation(run: Reconciliation) -> None:
    """Write a run as one line; one that run nothing new is for those who look closely."""
    log = structlog.get_logger("oneorder")
    did = run.fills_applied or run.orders_settled or run.orders_adopted
    is_wrong = run.needs_attention or run.error or run.symbols_failed or run.warnings
    (log.warning if is_wrong else log.info if did else log.debug)(
        "reconciliation_incomplete" if run.error else "reconciled",
        account=run.account,
        took_ms=run.took_ms,
        trades_read=run.trades_read,
        fills_applied=run.fills_applied,
        orders_settled=run.orders_settled,
        orders_adopted=run.orders_adopted,
        external_orders=run.external_orders,
        drift={asset: str(amount) for asset, amount in run.drift.items()},
        drift_confirmed=run.drift_confirmed,
        repaired=run.repaired,
        halted=run.halted,
        symbols_failed=run.symbols_failed,
        pairs_unasked=run.pairs_unasked,
        warnings=run.warnings,
        error=run.error,
    )


def log_arbitrage(ended: Arbitrage) -> None:
    """Log the end of an arbitrage as one line."""
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


def log_missing_account(missing: MissingAccount) -> None:
    """Log an account that is not configured any more, with its unfinished orders and arbitrages."""
    structlog.get_logger("oneorder").error(
        "account_missing",
        account=missing.account,
        orders=[order.order_id for order in missing.orders],
        arbitrages=[arbitrage.arbitrage_id for arbitrage in missing.arbitrages],
        reason=missing.sentence,
    )
