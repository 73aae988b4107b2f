"""When and where work runs: Celery's app, tasks and schedule, the settings, the command line.

`celery -A workers ...` finds the app here. It is made when it is first asked for, so that
commands which need no broker do not wait for Celery.
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
