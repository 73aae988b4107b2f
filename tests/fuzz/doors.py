"""The doors: each gives the next input of its generator, and judges what can be judged at once."""

import base64
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from redis import Redis, ResponseError

from execution.store.access import keys
from oneorder.errors import InvalidSignal
from oneorder.signals import parse_message
from tests.fuzz.arguments import command_lines
from tests.fuzz.broadcasts import broadcasts
from tests.fuzz.entries import stream_entries
from tests.fuzz.odd import Tally
from tests.fuzz.paper_requests import RawRequest, paper_requests
from tests.fuzz.settings_texts import CANARY, KEYS, SettingsInput, settings_inputs
from tests.fuzz.signal_bodies import signal_bodies
from workers.sandbox.chaos.disorders.raw_messages import raw_messages
from workers.sandbox.local_stack import LocalStack

ROOT = Path(__file__).parents[2]
QUEUES = ("orders", "arbitrage", "upkeep")
# No door puts in more while so much waits: what is good must not wait behind it for long.
BACKLOG_MAX = 300
SLOW_S = 5
ANSWER_S = 20
STREAM_S = 0.2
SENTENCE_MAX = 4_000


class EntryPoint(Protocol):
    """One way in. Not to be shared between threads."""

    tally: Tally

    def give(self) -> None:
        """Put in the next input."""

    def close(self) -> None:
        """Give back what the door needs."""


class EntriesDoor:
    """XADD to the stream of signals."""

    def __init__(self, stack: LocalStack, seed: int) -> None:
        self.tally = Tally("stream entries")
        self.given: dict[str, str] = {}
        self._entries = stream_entries(seed)
        self._redis: Any = Redis.from_url(stack.redis_url)

    def give(self) -> None:
        """Add an entry."""
        if self.tally.inputs % 50 == 0:
            wait_until(lambda: self._redis.xlen(keys.SIGNALS) < BACKLOG_MAX)
            wait_until(lambda: self._redis.hlen(keys.WAITING) < 4 * BACKLOG_MAX)
        entry = next(self._entries)
        entry_id = "*"
        if entry.ahead_ms:
            newest = self._redis.xrevrange(keys.SIGNALS, count=1)
            newest_ms = int(newest[0][0].partition(b"-")[0]) if newest else 0
            entry_id = f"{max(newest_ms, time.time_ns() // 1_000_000) + entry.ahead_ms}-*"
        try:
            given = self._redis.xadd(keys.SIGNALS, entry.fields, id=entry_id)
        except ResponseError:
            # An entry whose id was further ahead has left the stream meanwhile.
            given = self._redis.xadd(keys.SIGNALS, entry.fields)
        self.given[given.decode()] = f"{entry.fields!r:.300}"
        self.tally.inputs += 1

    def close(self) -> None:
        """Give the connection back."""
        self._redis.close()


class MessagesDoor:
    """LPUSH to the queues of the broker."""

    def __init__(self, stack: LocalStack, seed: int) -> None:
        self.tally = Tally("raw messages")
        self._messages = raw_messages(seed)
        self._redis: Any = Redis.from_url(stack.redis_url)

    def give(self) -> None:
        """Push a message."""
        if self.tally.inputs % 50 == 0:
            wait_until(lambda: sum(self._redis.llen(queue) for queue in QUEUES) < BACKLOG_MAX)
        message = next(self._messages)
        self._redis.lpush(message.queue, message.raw)
        self.tally.inputs += 1

    def close(self) -> None:
        """Give the connection back."""
        self._redis.close()


class BroadcastsDoor:
    """PUBLISH on the channels of remote control and events."""

    def __init__(self, stack: LocalStack, seed: int) -> None:
        self.tally = Tally("broadcasts")
        self._broadcasts = broadcasts(seed)
        self._redis: Any = Redis.from_url(stack.redis_url)

    def give(self) -> None:
        """Publish a broadcast."""
        broadcast = next(self._broadcasts)
        if self._redis.publish(broadcast.channel, broadcast.raw) == 0:
            self.tally.fault(f"nothing listens on {broadcast.channel}")
        self.tally.inputs += 1
        # Pub/sub keeps nothing: what comes faster than it is read ends the connection.
        time.sleep(0.01)

    def close(self) -> None:
        """Give the connection back."""
        self._redis.close()


class SignalsDoor:
    """The Python library: InvalidSignal, or a signal that reads back as the same; nothing else."""

    def __init__(self, stack: LocalStack, seed: int) -> None:
        del stack
        self.tally = Tally("signals")
        self._bodies = signal_bodies(seed)

    def give(self) -> None:
        """Parse a body."""
        given = next(self._bodies)
        self.tally.inputs += 1
        began = time.monotonic()
        try:
            message = parse_message(given.task, given.body)
        except InvalidSignal as refused:
            self.tally.refused += 1
            if len(str(refused)) > SENTENCE_MAX or "\n" in str(refused):
                self.tally.fault(f"no sentence: {str(refused)[:200]!r}")
        except Exception as error:  # noqa: BLE001  # It is what this looks for.
            self.tally.fault(f"{error!r:.200} for {given!r:.300}")
        else:
            if given.is_invalid:
                self.tally.effects += 1
                self.tally.fault(f"taken: {given!r:.300}")
            elif parse_message(given.task, message.to_body()) != message:
                self.tally.fault(f"reads back as another: {given!r:.300}")
        if time.monotonic() - began > SLOW_S:
            self.tally.fault(f"took more than {SLOW_S} s: {given!r:.300}")

    def close(self) -> None:
        """Nothing is kept."""


class Servant:
    """A process that runs commands or reads settings; see tests.fuzz.servant."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.servant"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=directory,
            env={**environment, "PYTHONPATH": str(ROOT)},
            text=True,
        )

    def ask(self, **question: Any) -> dict[str, Any]:
        """Its answer; RuntimeError if it has died."""
        given, answers = self._process.stdin, self._process.stdout
        if given is None or answers is None:
            raise RuntimeError("the servant has no streams")
        given.write(json.dumps(question) + "\n")
        given.flush()
        line = answers.readline()
        if not line:
            raise RuntimeError(f"the servant died of {question!r:.300}")
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


class SettingsDoor:
    """Settings files and environments."""

    def __init__(self, stack: LocalStack, seed: int) -> None:
        self.tally = Tally("settings")
        # Some that were refused, for real processes to be started with.
        self.refused: list[SettingsInput] = []
        self._inputs = settings_inputs(seed)
        environment = {
            name: value
            for name, value in stack.environment.items()
            if not name.startswith("ONEORDER_")
        }
        self._servant = Servant(stack.directory / "settings", {**environment, **KEYS})

    def give(self) -> None:
        """Read settings."""
        given = next(self._inputs)
        file = base64.b64encode(given.file).decode()
        sentence = self._servant.ask(file=file, environment=given.environment)["sentence"]
        self.tally.inputs += 1
        self.tally.refused += bool(sentence)
        if fault := fault_of_sentence(sentence):
            self.tally.fault(f"settings {given!r:.600}: {fault}: {sentence[-1500:]}")
        if sentence and len(self.refused) < 40:
            self.refused.append(given)

    def close(self) -> None:
        """End the servant."""
        self._servant.close()


class CommandsDoor:
    """The command line."""

    def __init__(self, stack: LocalStack, seed: int) -> None:
        self.tally = Tally("command line")
        self._lines = command_lines(seed)
        self._servant = Servant(stack.directory / "a" / "b" / "commands", stack.environment)

    def give(self) -> None:
        """Run a command."""
        given = next(self._lines)
        stdin = base64.b64encode(given.stdin).decode()
        done = self._servant.ask(arguments=given.arguments, stdin=stdin)
        code, errors = done["code"], done["stderr"]
        self.tally.inputs += 1
        self.tally.refused += code != 0
        fault = None
        if code not in (0, 1, 2):
            fault = f"ended with {code}"
        elif code and errors:
            fault = fault_of_sentence(errors.removesuffix("\n"))
            if not errors.startswith(("oneorder: ", "paper_exchange: ")):
                fault = "standard error does not begin with the program's name"
        if fault or "Traceback" in errors:
            self.tally.fault(f"{given!r:.600}: {fault}: {errors[-1500:]}")

    def close(self) -> None:
        """End the servant."""
        self._servant.close()


class PaperDoor:
    """HTTP and WebSocket to the paper exchanges."""

    def __init__(self, stack: LocalStack, seed: int) -> None:
        self.tally = Tally("paper exchange")
        self._requests = paper_requests(seed)
        self._ports = {
            dialect: int(stack.url_of(name).rpartition(":")[2])
            for name, dialect in stack.dialects.items()
        }

    def give(self) -> None:
        """Send a request, and wait for the answer."""
        given = next(self._requests)
        self.tally.inputs += 1
        try:
            answer = _answer(self._ports[given.dialect], given)
        except TimeoutError:
            if given.kind == "stream":
                return
            self.tally.fault(f"no answer: {given!r:.500}")
            return
        status = answer[9:12]
        self.tally.refused += status.startswith(b"4")
        if status.startswith(b"5"):
            self.tally.fault(f"{answer[:300]!r} for {given!r:.500}")

    def close(self) -> None:
        """Every request has a connection of its own."""


def _answer(port: int, given: RawRequest) -> bytes:
    # A stream stays open for as long as its client; the others are answered and closed.
    patience_s = STREAM_S if given.kind == "stream" else ANSWER_S
    with socket.create_connection(("127.0.0.1", port), timeout=patience_s) as line:
        parts = []
        try:
            line.sendall(given.raw)
            if given.kind == "no HTTP":
                # Whoever waits for the rest of it hears that there is none.
                line.shutdown(socket.SHUT_WR)
            while part := line.recv(65_536):
                parts.append(part)
        except ConnectionError:
            # The server may cut off what is nonsense.
            pass
        return b"".join(parts)


def fault_of_sentence(sentence: str) -> str | None:
    """What is wrong with a sentence that refuses something."""
    if "Traceback" in sentence or "internal error" in sentence:
        return "a traceback"
    if CANARY in sentence:
        return "a secret came back"
    if "\n" in sentence or len(sentence) > SENTENCE_MAX:
        return "is not one sentence"
    return None


def wait_until(is_true: Any, patience_s: float = 120) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + patience_s
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def all_doors(stack: LocalStack, seed: int) -> Iterator[tuple[EntryPoint, int]]:
    """Every door, with its share of the inputs in per mille."""
    yield EntriesDoor(stack, seed), 150
    yield MessagesDoor(stack, seed), 150
    yield BroadcastsDoor(stack, seed), 40
    yield SignalsDoor(stack, seed), 303
    yield SettingsDoor(stack, seed), 180
    yield CommandsDoor(stack, seed), 12
    yield PaperDoor(stack, seed), 165


def give_all(door: EntryPoint, count: int, over: threading.Event) -> None:
    """Give so many inputs, or fewer if it is over earlier; whatever goes wrong is a fault."""
    try:
        while door.tally.inputs < count and not over.is_set():
            door.give()
    except Exception as error:  # noqa: BLE001  # The run goes on, and is not clean.
        door.tally.fault(f"the door ended: {error!r:.500}")
