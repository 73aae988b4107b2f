"""Broadcasts: what is Celery's goes on with nothing else in it, the rest is passed over."""

import base64
import json
import logging
from itertools import islice
from typing import Any

import pytest
import structlog
from celery.app.trace import LOG_REJECTED
from celery.utils.time import utcoffset

from execution.text.redacted_logging import RedactedRecord
from tests.fuzz.broadcasts import CONTROL, EVENT, Broadcast, broadcasts, enveloped
from workers.messaging.broadcasts import GuardedNode, read_broadcast
from workers.messaging.celery_parts import quiet_celery
from workers.messaging.envelopes import MalformedMessage

HEARTBEAT = b"/0.celeryev/worker.heartbeat"


def read(body: object, channel: bytes = CONTROL.encode()) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        read_broadcast(json.dumps(enveloped(body)).encode(), channel)
    )
    return found


def body_of(message: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(message["body"]))


def test_a_command_keeps_what_remote_control_needs() -> None:
    asked = {
        "method": "ping",
        "arguments": {},
        "destination": ["worker-1@localhost"],
        "pattern": None,
        "matcher": None,
        "ticket": "t",
        "reply_to": {"exchange": "reply.celery.pidbox", "routing_key": "r"},
    }

    found = read({**asked, "self": 5, "reply_to": {**asked["reply_to"], "more": 1}})

    assert body_of(found) == asked
    assert found["headers"] == {"clock": 1}


def test_an_event_of_a_worker_keeps_what_it_says_of_itself() -> None:
    event = {**EVENT, "utcoffset": utcoffset()}
    found = read({**event, "heartbeats": 5, "event": "x"}, HEARTBEAT)

    assert body_of(found) == event
    assert found["headers"] == {"hostname": "fuzz@nowhere"}
    assert found["properties"]["delivery_info"]["routing_key"] == "worker.heartbeat"


def test_a_list_of_events_of_tasks_goes_on_as_it_is() -> None:
    events = [{**EVENT, "type": "task-received", "uuid": "1", "args": "[]"}] * 2
    assert body_of(read(events, b"/0.celeryev/task.multi")) == events


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"method": None}, "names no method"),
        ({"method": ["ping"]}, "method is not a short text"),
        ({"arguments": [1]}, "arguments of the command are not an object"),
        ({"destination": "worker-1"}, "destination is not a list of names"),
        ({"pattern": "(a+)+$", "matcher": "pcre"}, "its matcher is not glob"),
        ({"reply_to": "x"}, "reply_to is not an object"),
        ({"reply_to": {"exchange": "x"}}, "lacks an exchange or a routing_key"),
        ({"ticket": {}}, "ticket is not a short text"),
    ],
)
def test_a_command_with_an_odd_part_is_passed_over(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(MalformedMessage, match=fault):
        read({"method": "ping", **change})


@pytest.mark.parametrize(
    "change",
    [
        {"type": "worker-elect", "action": {"task": "orders.sweep"}},
        {"type": None},
        {"hostname": ""},
        {"timestamp": "now"},
        {"timestamp": float("nan")},
        {"timestamp": 1e300},
        {"clock": -1},
        {"clock": "1"},
        {"clock": 10**30},
        {"utcoffset": 10**9},
        {"pid": True},
        {"freq": []},
        {"loadavg": 1},
    ],
    ids=str,
)
def test_an_event_with_an_odd_part_is_passed_over(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage):
        read({**EVENT, **change}, HEARTBEAT)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_published_is_read_or_passed_over_with_a_sentence(seed: int) -> None:
    sentences = [sentence for each in islice(broadcasts(seed), 2_000) if (sentence := fault(each))]
    assert len(sentences) > 1_000
    assert max(map(len, sentences)) < 600


def fault(broadcast: Broadcast) -> str | None:
    try:
        json.loads(read_broadcast(broadcast.raw, broadcast.channel.encode()))
    except MalformedMessage as refused:
        return str(refused)
    return None


class _Clock:
    def adjust(self, other: int) -> int:
        return other


class _Mailbox:
    """As much of kombu's mailbox as a node needs; it keeps what is answered."""

    clock = _Clock()
    serializer = "json"

    def __init__(self) -> None:
        self.answers: list[Any] = []

    def _publish_reply(self, answer: Any, *where: Any, **options: Any) -> None:
        self.answers.append(answer)


def _ping(state: Any) -> str:
    return "pong"


def _end(state: Any) -> None:
    raise SystemExit


def test_a_command_that_fails_is_answered_and_logged_in_one_line() -> None:
    mailbox = _Mailbox()
    node = GuardedNode("w", None, None, {"ping": _ping, "end": _end}, mailbox)
    address = {"exchange": "x", "routing_key": "x"}

    with structlog.testing.capture_logs() as lines:
        node.dispatch("ping", {"no_such": 1}, reply_to=address, ticket="t")
        node.dispatch("no_such_command")
        assert node.dispatch("ping") == "pong"

    assert "takes no argument" in mailbox.answers[0]["w"]["error"]
    assert [line["event"] for line in lines] == ["control_command_failed"] * 2
    assert all("exc_info" not in line for line in lines)
    with pytest.raises(SystemExit):
        node.dispatch("end")


def _end_with(state: Any, msg: str = "", **more: Any) -> None:
    raise SystemExit


def test_a_shutdown_with_an_argument_that_it_does_not_take_ends_nothing() -> None:
    mailbox = _Mailbox()
    node = GuardedNode("w", None, None, {"shutdown": _end_with}, mailbox)

    answer = node.dispatch("shutdown", {"no_such": None})

    assert answer == {"error": "ValueError: shutdown takes no argument 'no_such'"}
    with pytest.raises(SystemExit):
        node.dispatch("shutdown", {"msg": "as asked"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("celery.app.trace", LOG_REJECTED.strip()),
        ("celery.worker.control", "unknown task %(name)s"),
    ],
)
def test_what_is_no_fault_of_the_program_is_logged_without_a_traceback(
    name: str, text: str
) -> None:
    quiet_celery()
    assert "Traceback" not in _logged(name, text)


def test_a_task_that_fails_is_logged_with_its_traceback() -> None:
    quiet_celery()
    assert "Traceback" in _logged("celery.app.trace", "Task %(name)s failed")


def _logged(name: str, text: str) -> str:
    error = ValueError("the broker is away")
    args = ({"name": "orders.execute", "id": "1", "exc": "Reject"},)
    record = RedactedRecord(
        name, logging.WARNING, __file__, 1, text, args, (ValueError, error, None)
    )
    assert record.exc_text is not None
    record.exc_text = f"Traceback (most recent call last):\n{record.exc_text}"
    logging.getLogger(name).filter(record)
    return logging.Formatter().format(record)
