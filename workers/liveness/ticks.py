"""Records when each scheduled task ran, and whether it succeeded, so that doctor can detect that
beat or the workers have stopped, or that the sweep fails each time."""

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
    """The interval in seconds of every schedule that beat sends, by the name of its ticks."""
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
    """Record the run of a task if it is a scheduled one; a manually sent message counts too."""
    name = _name(task, args)
    if name not in known:
        return
    text = "" if error is None else f"{type(error).__name__}: {error}"
    try:
        health.tick(name, redact(text)[:ERROR_LENGTH_MAX])
    except StoreUnavailable as unavailable:
        # A missing tick shows as a late schedule, which is correct.
        log = structlog.get_logger("oneorder")
        log.warning("tick_not_recorded", task=name, error=str(unavailable))


def _name(task: str, args: Any) -> str:
    """Reconciliations are recorded by account."""
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
