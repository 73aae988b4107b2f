"""Notes when each scheduled task has run, and whether it went through, so that doctor can tell an
installation whose beat or workers have stopped, or whose sweep fails each time."""

from typing import Any

import structlog
from celery.signals import task_postrun

from execution.model.errors import StoreUnavailable
from execution.operations.health import HealthStore
from execution.text.redaction import redact
from oneorder.broker import ARCHIVE, CHECK_ACCOUNTS, MARK, MEASURE_CLOCKS, QUEUES, RECONCILE, SWEEP
from workers.configuration.settings import Settings

CLOCKS_EVERY_S = 30
ACCOUNTS_EVERY_S = 10
SCHEDULED = {task for task, queue in QUEUES.items() if queue == "upkeep"}
ERROR_LENGTH_MAX = 300


def schedules(settings: Settings) -> dict[str, int]:
    """Every schedule that beat sends, by the name under which its runs are noted, and every how
    many seconds."""
    return {
        SWEEP: settings.sweep_every_s,
        ARCHIVE: settings.archive_every_s,
        MARK: settings.mark_every_s,
        MEASURE_CLOCKS: CLOCKS_EVERY_S,
        CHECK_ACCOUNTS: ACCOUNTS_EVERY_S,
        **{f"{RECONCILE} {account}": settings.reconcile_every_s for account in settings.accounts},
    }


def note_run(
    health: HealthStore, known: dict[str, int], task: str, args: Any, error: object
) -> None:
    """Note the run of a task if it is a scheduled one; one of a message by hand counts too."""
    name = _name(task, args)
    if name not in known:
        return
    text = "" if error is None else f"{type(error).__name__}: {error}"
    try:
        health.tick(name, redact(text)[:ERROR_LENGTH_MAX])
    except StoreUnavailable as unavailable:
        # A tick that is missing shows as a schedule that is late, which it is.
        log = structlog.get_logger("oneorder")
        log.warning("tick_not_noted", task=name, error=str(unavailable))


def _name(task: str, args: Any) -> str:
    """Reconciliations are noted by account."""
    body = args[0] if isinstance(args, (list, tuple)) and args else None
    account = body.get("account") if isinstance(body, dict) else None
    return f"{task} {account}" if task == RECONCILE and isinstance(account, str) else task


@task_postrun.connect
def _note(task: Any, args: Any, retval: Any, state: str, **_: Any) -> None:
    if task.name not in SCHEDULED:
        return
    from workers.bootstrap import services

    parts = services()
    error = retval if state == "FAILURE" else None
    note_run(parts.stores.health, schedules(parts.settings), task.name, args, error)
