"""Celery's app: the settings that lose and double the least, and the beat schedule."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import structlog
from celery import Celery
from celery.signals import beat_init, worker_init, worker_ready, worker_shutdown
from kombu import Queue

from execution.logger import configure_logging
from execution.redacted_logging import redact_process_output
from signals.broker import QUEUES, SHARED
from workers.bootstrap import services
from workers.heartbeat import Heartbeat, this_worker
from workers.malformed import keep_malformed_with
from workers.sentry import initialize_sentry
from workers.settings import Settings, SettingsError, check_worker_accounts, load_settings

CLOCK_EVERY_S = 30


def make_app(settings: Settings) -> Celery:
    """Make the app without connecting to anything."""
    app = Celery("oneorder", broker=settings.celery_broker_url)
    app.conf.update(SHARED)
    app.conf.update(_worker_settings(settings))
    app.conf.beat_schedule = _schedule(settings)
    if settings.celery_broker_url.startswith("redis://"):
        app.conf.broker_transport = "workers.malformed:GuardedTransport"
    return app


def _worker_settings(settings: Settings) -> dict[str, Any]:
    options = SHARED["broker_transport_options"]
    return {
        "imports": ["workers.tasks", "workers.ticks"],
        "worker_pool": "threads",
        "worker_concurrency": settings.worker_threads,
        "task_queues": [Queue(name) for name in sorted(set(QUEUES.values()))],
        "broker_transport_options": {
            **options,
            "max_connections": settings.worker_threads + 20,
        },
        "worker_prefetch_multiplier": 1,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_acks_on_timeout": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_consumer": "workers.malformed:GuardedConsumer",
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "beat_schedule_filename": str(Path(tempfile.gettempdir()) / "oneorder-beat-schedule"),
        "beat_max_loop_interval": 1,
    }


def _schedule(settings: Settings) -> dict[str, Any]:
    """Every tick is worthless once the next one is due, so it expires by then."""

    def every(seconds: int, task: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        return {
            "task": task,
            "schedule": seconds,
            "args": () if body is None else (body,),
            "options": {"expires": max(2, seconds)},
        }

    schedule = {
        "sweep": every(settings.sweep_every_s, "orders.sweep"),
        "mark": every(settings.mark_every_s, "positions.mark"),
        "archive": every(settings.archive_every_s, "ledger.archive"),
        "measure-clocks": every(CLOCK_EVERY_S, "clocks.measure"),
    }
    for account in settings.accounts:
        schedule[f"reconcile-{account}"] = every(
            settings.reconcile_every_s, "positions.reconcile", {"account": account}
        )
    return schedule


_heartbeats: list[Heartbeat] = []


@worker_ready.connect
def _ready(sender: Any, **_: Any) -> None:
    parts = services()
    worker = this_worker(sender.hostname, parts.accounts, parts.clock)
    heartbeat = Heartbeat(parts.stores.workers, worker, parts.clock)
    heartbeat.start()
    _heartbeats.append(heartbeat)
    structlog.get_logger("oneorder").info("worker_ready")


@worker_shutdown.connect
def _gone(**_: Any) -> None:
    while _heartbeats:
        _heartbeats.pop().stop()


@worker_init.connect
def _check_accounts(**_: Any) -> None:
    try:
        check_worker_accounts(load_settings())
    except SettingsError as error:
        # Before anything is consumed; what other workers take would be refused here.
        sys.exit(f"oneorder: {error}")


@beat_init.connect
def _warn_without_accounts(**_: Any) -> None:
    try:
        check_worker_accounts(load_settings())
    except SettingsError as error:
        # It wakes workers, but none of them to reconcile an account.
        structlog.get_logger("oneorder").warning("beat_reconciles_nothing", reason=str(error))


@worker_init.connect
@beat_init.connect
def _start(**_: Any) -> None:
    settings = load_settings()
    configure_logging(level=settings.log_level)
    initialize_sentry(settings.sentry_dsn)
    keep_malformed_with(_keep_malformed)


def _keep_malformed(text: str, reason: str) -> None:
    services().intake.refuse("?", text, reason, entry_id=None)


# Celery logs before a worker or beat has started, too.
redact_process_output()
try:
    app = make_app(load_settings())
except SettingsError as refused:
    # Celery would bury the sentence under a traceback of its own import.
    sys.exit(f"oneorder: {refused}")
