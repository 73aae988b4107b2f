"""The agreement of publishers and workers on messages: tasks, queues and Celery's settings."""

from typing import Any

EXECUTE = "orders.execute"
CANCEL = "orders.cancel"
ARBITRAGE = "arbitrage.execute"

# Tasks that workers send themselves; a producer may send RECONCILE.
TAKE = "signals.take"
ADVANCE = "orders.advance"
ADVANCE_ARBITRAGE = "arbitrage.advance"
RECONCILE = "positions.reconcile"
MARK = "positions.mark"
ARCHIVE = "ledger.archive"
SWEEP = "orders.sweep"
MEASURE_CLOCKS = "clocks.measure"
CHECK_ACCOUNTS = "accounts.check"

QUEUES = {
    EXECUTE: "orders",
    CANCEL: "orders",
    ADVANCE: "orders",
    TAKE: "orders",
    ARBITRAGE: "arbitrage",
    ADVANCE_ARBITRAGE: "arbitrage",
    RECONCILE: "upkeep",
    MARK: "upkeep",
    ARCHIVE: "upkeep",
    SWEEP: "upkeep",
    MEASURE_CLOCKS: "upkeep",
    CHECK_ACCOUNTS: "upkeep",
}

# The version of the signals that this release writes, and the newest that it reads. It is raised by
# every change of a signal that an older release would misread or refuse.
SCHEMA_VERSION = 1

# How long a worker may keep a message before Redis delivers it to another one.
VISIBILITY_TIMEOUT_S = 30

SHARED: dict[str, Any] = {
    "accept_content": ["json"],
    "task_serializer": "json",
    "result_serializer": "json",
    "task_ignore_result": True,
    "task_default_queue": "orders",
    "task_create_missing_queues": True,
    "task_routes": {task: {"queue": queue} for task, queue in QUEUES.items()},
    # Celery's own retry of a publish could send twice; with the intent in the stream it is not
    # needed.
    "task_publish_retry": False,
    "broker_connection_retry_on_startup": True,
    "broker_transport_options": {
        "visibility_timeout": VISIBILITY_TIMEOUT_S,
        # Without these, a killed worker's messages wait for up to 100 s.
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "unacked_mutex_expire": 10,
        "socket_timeout": 3,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 2,
        "retry_on_timeout": False,
    },
}
