"""Every reconciliation is one line of the log, whose event says whether it is complete."""

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from execution.reconciliation.run import Reconciliation
from workers.observers.logs import log_reconciliation

STARTED_AT = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "fills", "expected"),
    [
        (None, 0, ("reconciled", "debug")),
        (None, 2, ("reconciled", "info")),
        ("the exchange does not answer", 2, ("reconciliation_incomplete", "warning")),
    ],
)
def test_the_event_says_whether_the_run_is_complete(
    error: str | None, fills: int, expected: tuple[str, str]
) -> None:
    run = Reconciliation("binance-main", STARTED_AT)
    run.error, run.fills_applied = error, fills
    with capture_logs() as lines:
        log_reconciliation(run)
    assert [(line["event"], line["log_level"]) for line in lines] == [expected]
