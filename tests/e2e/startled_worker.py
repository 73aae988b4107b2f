"""A worker whose event loop fails as soon as it is ready, as by a bug that is not known yet."""

from typing import Any

from celery.signals import worker_ready

from workers import app

__all__ = ["app"]


def _fail() -> None:
    raise AttributeError("a bug")


@worker_ready.connect
def _startle(sender: Any, **_: Any) -> None:
    sender.hub.call_soon(_fail)
