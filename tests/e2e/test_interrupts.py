"""Ctrl-C: every command ends within five seconds, whatever is down, and leaves nothing running."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from execution.ledger.sql.ledger import SqlLedger
from tests.support.processes import alive, descendants
from workers.cli.interrupts import code_when_interrupted
from workers.sandbox.local_stack import free_port

pytestmark = pytest.mark.system

ONEORDER = [sys.executable, "-m", "workers.cli"]
ENDS_WITHIN_S = 5.0
# How long a loaded machine may take to bring a command to the point where it is interrupted.
REACHED_WITHIN_S = 120
SIGNAL = (
    b'{"signal_id":"i","account":"a","symbol":"BTC/USDT","side":"buy","type":"market","amount":"1"}'
)
# Every command that waits for Redis or an exchange, and what Ctrl-C makes its exit code.
WAITING = {
    "submit -": 130,
    "order oo1": 130,
    "orders": 130,
    "refused": 130,
    "cancel oo1": 130,
    "settle oo1 --not-there": 130,
    "positions": 130,
    "accounts": 130,
    "reconcile": 130,
    "reconciliations": 130,
    "rebuild": 130,
    "halt": 130,
    "resume": 130,
    "release --account a": 130,
    "report": 130,
    "arbitrages": 130,
    "inventory": 130,
    "doctor": 130,
    "scan": 130,
    "scan --watch": 0,
    "collect": 0,
}


class BlackHole:
    """Accepts every connection and never answers. `serve` it on a thread."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._held: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def was_reached(self) -> bool:
        return bool(self._held)

    def _serve(self) -> None:
        while True:
            try:
                self._held.append(self._listener.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self._listener.close()
        for connection in self._held:
            connection.close()


@dataclass(frozen=True, slots=True)
class End:
    """How a command ended after it was interrupted."""

    code: int
    took_s: float
    errors: str
    left: set[int]


def _environment(folder: Path, redis_port: int, exchange_port: int) -> dict[str, str]:
    config = folder / "oneorder.toml"
    config.write_text(
        f'redis_url = "redis://127.0.0.1:{redis_port}/0"\n[collector]\nsymbols = ["BTC/USDT"]\n'
        f'[accounts.a]\nexchange = "binance"\nbase_url = "http://127.0.0.1:{exchange_port}"\n'
    )
    ours = {key: value for key, value in os.environ.items() if not key.startswith("ONEORDER_")}
    keys = {"ONEORDER_A_API_KEY": "k", "ONEORDER_A_API_SECRET": "s"}
    return {**ours, **keys, "ONEORDER_CONFIG": str(config)}


def _start(
    command: str, environment: dict[str, str], folder: Path, stdin: int = subprocess.PIPE
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*ONEORDER, *command.split()],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=folder,
    )


def _wait_until(is_reached: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + REACHED_WITHIN_S
    while not is_reached():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it does not come to the point of interest"
        time.sleep(0.02)


def _interrupt(process: "subprocess.Popen[bytes]", number: int = signal.SIGINT) -> End:
    children = descendants(process.pid)
    began = time.monotonic()
    process.send_signal(number)
    try:
        process.wait(4 * ENDS_WITHIN_S)
    finally:
        process.kill()
    took_s = time.monotonic() - began
    _, errors = process.communicate()
    return End(process.returncode, took_s, errors.decode(), alive(children))


def _check(end: End, code: int) -> None:
    assert "Traceback" not in end.errors
    assert (end.code, end.left) == (code, set())
    assert end.took_s < ENDS_WITHIN_S


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, End]:
    """Every waiting command, interrupted when Redis and the exchange have accepted its connection
    and do not answer. A few run at a time, so that it takes no longer than it must."""
    folder = tmp_path_factory.mktemp("interrupts")

    def run(command: str) -> End:
        own = folder / command.replace(" ", "-")
        own.mkdir()
        hole = BlackHole()
        process = _start(command, _environment(own, hole.port, hole.port), own)
        assert process.stdin is not None
        if command.startswith("submit"):
            process.stdin.write(SIGNAL + b"\n")
            process.stdin.flush()
        try:
            _wait_until(lambda: hole.was_reached, process)
            return _interrupt(process)
        finally:
            process.kill()
            hole.close()

    with ThreadPoolExecutor(max_workers=4) as pool:
        return dict(zip(WAITING, pool.map(run, WAITING), strict=True))


@pytest.mark.parametrize(("command", "code"), WAITING.items(), ids=WAITING.keys())
def test_a_command_that_waits_for_what_never_answers_ends_at_ctrl_c(
    ends: dict[str, End], command: str, code: int
) -> None:
    _check(ends[command], code)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["redis", "paper --dialect binance"])
def test_a_server_in_the_foreground_ends_with_0(
    tmp_path: Path, command: str, number: signal.Signals
) -> None:
    port = free_port()
    environment = _environment(tmp_path, port, port)
    process = _start(f"{command} --port {port}", environment, tmp_path)

    def listens() -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    try:
        _wait_until(listens, process)
        _check(_interrupt(process, number), 0)
    finally:
        process.kill()


@pytest.fixture
def hole() -> Iterator[BlackHole]:
    hole = BlackHole()
    yield hole
    hole.close()


def test_sigterm_ends_a_command_as_ctrl_c_does(tmp_path: Path, hole: BlackHole) -> None:
    process = _start("orders", _environment(tmp_path, hole.port, hole.port), tmp_path)
    _wait_until(lambda: hole.was_reached, process)
    _check(_interrupt(process, signal.SIGTERM), 130)


def test_a_collector_whose_redis_is_down_ends_at_ctrl_c(tmp_path: Path, hole: BlackHole) -> None:
    process = _start("collect", _environment(tmp_path, free_port(), hole.port), tmp_path)
    _wait_until(lambda: hole.was_reached, process)
    _check(_interrupt(process), 0)


def _target(descriptor: Path) -> str | None:
    """What the descriptor leads to; None for one that was closed since it was listed."""
    try:
        return os.readlink(descriptor)
    except FileNotFoundError:
        return None


def test_a_command_that_waits_for_a_locked_ledger_ends_at_ctrl_c(tmp_path: Path) -> None:
    file = tmp_path / "oneorder-ledger.db"
    ledger = SqlLedger(f"sqlite:///{file}")
    ledger.identity()
    ledger.close()
    environment = _environment(tmp_path, free_port(), free_port())
    with sqlite3.connect(file, isolation_level=None) as lock:
        lock.execute("PRAGMA journal_mode = DELETE")
        lock.execute("BEGIN EXCLUSIVE")
        process = _start("orders --archived", environment, tmp_path)
        descriptors = Path(f"/proc/{process.pid}/fd")

        def has_opened_it() -> bool:
            return any(_target(one) == str(file) for one in descriptors.iterdir())

        _wait_until(has_opened_it, process)
        _check(_interrupt(process), 130)
        lock.execute("ROLLBACK")


def test_ctrl_c_while_a_command_is_still_being_imported_prints_nothing(tmp_path: Path) -> None:
    process = _start("orders", _environment(tmp_path, free_port(), free_port()), tmp_path)
    maps = Path(f"/proc/{process.pid}/maps")
    # Imported early, with most of the rest still to come.
    _wait_until(lambda: "_pydantic_core" in maps.read_text(), process)
    end = _interrupt(process)
    _check(end, 130)
    assert end.errors == ""


def test_chaos_ends_at_ctrl_c_while_valkey_is_down(tmp_path: Path) -> None:
    environment = _environment(tmp_path, free_port(), free_port())
    chaos = _start("chaos --minutes 2 --orders 200 --arbitrages 50", environment, tmp_path)

    def everything_runs() -> bool:
        return len(descendants(chaos.pid)) >= 6 and _valkey(chaos.pid) is not None

    try:
        _wait_until(everything_runs, chaos)
        valkey = _valkey(chaos.pid)
        assert valkey is not None
        os.kill(valkey, signal.SIGKILL)
        _check(_interrupt(chaos), 130)
    finally:
        chaos.kill()


def _valkey(parent: int) -> int | None:
    for pid in descendants(parent):
        # A process may end between being listed and being read.
        with suppress(OSError):
            if "appendfsync" in Path(f"/proc/{pid}/cmdline").read_text():
                return pid
    return None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["redis", "--port", "1"], 0),
        (["paper"], 0),
        (["collect"], 0),
        (["scan", "--watch"], 0),
        (["scan", "--publish"], 0),
        (["scan"], 130),
        (["orders"], 130),
        (["orders", "--account", "collect"], 130),
        ([], 130),
    ],
)
def test_only_services_end_with_0_when_they_are_interrupted(
    arguments: list[str], code: int
) -> None:
    assert code_when_interrupted(arguments) == code
