"""A worker all of whose places for messages are taken by messages that it does not have."""

from typing import Any

from celery.signals import worker_ready

from workers import app

__all__ = ["app"]


@worker_ready.connect
def _wedge(sender: Any, **_: Any) -> None:
    qos = sender.task_consumer.channel.qos
    for number in range(1_000):
        qos._delivered[f"lost-{number}"] = None
