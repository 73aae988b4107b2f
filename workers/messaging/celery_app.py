"""Celery's app: settings under which the fewest messages are lost or doubled, and the beat
schedule."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import structlog
from celery import Celery
from celery.signals import (
    beat_init,
    task_failure,
    worker_init,
    worker_ready,
    worker_shutdown,
)
from kombu import Queue

from execution.model.errors import LedgerUrlError, UnsupportedExchange
from execution.text.redacted_logging import redact_process_output
from oneorder.broker import ARBITRAGE, CANCEL, EXECUTE, QUEUES, SHARED
from oneorder.errors import SettingsError
from workers.bootstrap import services
from workers.configuration.settings import (
    Settings,
    check_worker_accounts,
    load_settings,
)
from workers.intake.set_aside import keep_malformed_with, put_aside
from workers.liveness.heartbeat import Heartbeat, this_worker
from workers.liveness.outage_watch import OutageWatch, outage_watchers
from workers.liveness.ticks import schedules
from workers.liveness.watchdog import watch
from workers.messaging.celery_parts import quiet_celery
from workers.messaging.flower_guard import guard_flower, is_flower
from workers.messaging.guard import guard_redis_brokers, messages_taken
from workers.observers.logs import configure_logging
from workers.observers.sentry import initialize_sentry


def make_app(settings: Settings) -> Celery:
    """Create the app without connecting to anything."""
    guard_redis_brokers()
    quiet_celery()
    app = Celery(
        "oneorder",
        broker=settings.celery_broker_url,
        task_cls="workers.messaging.celery_parts:PatientTask",
    )
    app.conf.update(SHARED)
    app.conf.update(_worker_settings(settings))
    app.conf.beat_schedule = _schedule(settings)
    return app


def _worker_settings(settings: Settings) -> dict[str, Any]:
    options = SHARED["broker_transport_options"]
    return {
        "imports": ["workers.messaging.tasks", "workers.liveness.ticks"],
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
        "worker_consumer": "workers.messaging.consumer:GuardedConsumer",
        # After any error of the broker the worker reconnects; beat retries forever, too.
        "broker_channel_error_retry": True,
        "broker_connection_max_retries": None,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "beat_schedule_filename": str(Path(tempfile.gettempdir()) / "oneorder-beat-schedule"),
        "beat_scheduler": "workers.messaging.celery_parts:PatientScheduler",
        "beat_max_loop_interval": 1,
    }


def _schedule(settings: Settings) -> dict[str, Any]:
    """A tick is of no value once the next one is due, so it expires by then."""

    def every(seconds: int, task: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        return {
            "task": task,
            "schedule": seconds,
            "args": () if body is None else (body,),
            "options": {"expires": max(2, seconds)},
        }

    schedule = {}
    for name, seconds in schedules(settings).items():
        task, _, account = name.partition(" ")
        schedule[name] = every(seconds, task, {"account": account} if account else None)
    return schedule


_background: list[Heartbeat | OutageWatch] = []


@worker_ready.connect
def _ready(sender: Any, **_: Any) -> None:
    parts = services()
    worker = this_worker(sender.hostname, parts.accounts, parts.clock)
    heartbeat = Heartbeat(parts.stores.workers, worker, parts.clock, reach=parts.connections)
    watch_accounts = OutageWatch(outage_watchers(parts, heartbeat.hurry))
    for started in (heartbeat, watch_accounts):
        started.start()
        _background.append(started)
    structlog.get_logger("oneorder").info("worker_ready")
    watch(sender, messages_taken, load_settings().stuck_after_s)


@task_failure.connect
def _keep_failed(sender: Any, exception: Exception, args: Any, kwargs: Any, **_: Any) -> None:
    """Keep a signal whose task failed by an internal error; its intent, if any, is not changed."""
    if sender.name in (EXECUTE, CANCEL, ARBITRAGE) and not isinstance(exception, sender.throws):
        text = json.dumps([args, kwargs], default=repr)
        put_aside(text, f"message: {sender.name} failed: {type(exception).__name__}: {exception}")


@worker_shutdown.connect
def _gone(**_: Any) -> None:
    while _background:
        _background.pop().stop()


@worker_init.connect
def _check_accounts(**_: Any) -> None:
    try:
        check_worker_accounts(load_settings())
    except SettingsError as error:
        # Before anything is consumed: this worker would refuse what other workers accept.
        sys.exit(f"oneorder: {error}")


@beat_init.connect
def _warn_without_accounts(**_: Any) -> None:
    try:
        check_worker_accounts(load_settings())
    except SettingsError as error:
        # It still wakes workers, but schedules no reconciliation.
        structlog.get_logger("oneorder").warning("reconciliation_not_scheduled", reason=str(error))


@worker_init.connect
@beat_init.connect
def _start(**_: Any) -> None:
    settings = load_settings()
    configure_logging(level=settings.log_level)
    initialize_sentry(settings.sentry_dsn)
    keep_malformed_with(_keep_malformed)
    check_start()


def check_start() -> None:
    """End the process, before it consumes or sends anything, if the settings are invalid."""
    try:
        services()
    except (SettingsError, UnsupportedExchange, LedgerUrlError) as refused:
        # Celery logs what a receiver of its signals raises, and continues; this ends it.
        sys.exit(f"oneorder: {refused}")


def _keep_malformed(text: str, reason: str) -> None:
    services().intake.refuse("?", text, reason, entry_id=None)


if is_flower():
    guard_flower(os.environ)
# Celery also logs before a worker or beat has started.
redact_process_output()
try:
    app = make_app(load_settings())
except SettingsError as refused:
    # Celery would print the traceback of its import below the sentence.
    sys.exit(f"oneorder: {refused}")
