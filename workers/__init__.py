"""The processes: Celery's app, tasks and schedule, the settings, the command line.

`celery -A workers ...` finds the app here. It is created on first access, so that commands without
a broker do not import Celery.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.messaging.celery_app import app

__all__ = ["app"]


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from workers.messaging.celery_app import app

    return app
