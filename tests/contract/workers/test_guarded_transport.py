"""What the broker's guard hands on: sound messages of our own queues, and what workers answer each
other."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from kombu import Connection

from workers.intake.set_aside import keep_malformed_with
from workers.messaging.guard import GuardedTransport, messages_taken


@pytest.fixture
def kept() -> Iterator[list[str]]:
    """The reasons of all messages that are put aside."""
    reasons: list[str] = []
    keep_malformed_with(lambda _, reason: reasons.append(reason))
    yield reasons
    keep_malformed_with(lambda _, __: None)


@pytest.fixture
def broker(valkey_url: str) -> Iterator[Connection]:
    with Connection(valkey_url, transport=GuardedTransport) as connection:
        yield connection


def test_what_a_worker_answers_another_is_handed_on_and_is_no_refused_signal(
    broker: Connection, kept: list[str]
) -> None:
    answer, before = {"other@host": {"revoked": [], "clock": 3}}, messages_taken()
    with broker.SimpleQueue(f"{uuid4()}.reply.celery.pidbox") as queue:
        queue.put(answer)
        received = queue.get(timeout=10)
        received.ack()
    assert (received.payload, kept, messages_taken()) == (answer, [], before)


def test_the_same_in_a_queue_of_ours_is_put_aside(broker: Connection, kept: list[str]) -> None:
    with broker.SimpleQueue("upkeep") as queue:
        queue.put({"other@host": {}})
        with pytest.raises(queue.Empty):
            queue.get(timeout=3)
    assert kept == ["message: names no task"]
