"""A complete installation on this machine, as real processes, for the demo, tests and benchmarks.

Every process has a free port and a log file in one folder. Leaving the `with` block ends them all,
and so does the end of the process that started them.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import tomli_w

from execution.model.clock import SystemClock
from execution.model.errors import StoreUnavailable
from execution.store.stores import Orders, Stores, open_stores
from workers.sandbox.errors import NotReady
from workers.sandbox.valkey import server_binary

STOP_PATIENCE_S = 10
# After Ctrl-C, which has to end the command within seconds.
INTERRUPTED_PATIENCE_S = 2
START_PATIENCE_S = 30
PAPER_KEY = PAPER_SECRET = "paper"  # noqa: S105  # The paper exchange's public default account.
_PR_SET_PDEATHSIG = 1


class LocalStack:
    """Valkey, paper exchange, workers and beat in `directory`, none of them started yet.

    `settings` are additional settings, as {"recv_window_ms": 2000}. The account is named `account`;
    its paper exchange has Binance's dialect. `further` are more accounts with the dialects of their
    own paper exchanges, as {"bybit-main": "bybit"}. `redis_url` and `exchange_urls`, by account,
    are the addresses that the processes use for servers behind a forwarder.
    """

    def __init__(
        self,
        directory: Path,
        settings: Mapping[str, Any] | None = None,
        account: str = "binance-main",
        *,
        timeout_s: int = 10,
        further: Mapping[str, str] | None = None,
        redis_url: str | None = None,
        exchange_urls: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.account = account
        self.dialects = {account: "binance", **(further or {})}
        self.redis_port = free_port()
        self.redis_url = redis_url or redis_url_of(self.redis_port)
        self._paper_ports = {name: free_port() for name in self.dialects}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, Sequence[str]] = {}
        self._killed: set[str] = set()
        # The start of each process's last run in its log.
        self._began: dict[str, int] = {}
        config = directory / "oneorder.toml"
        prefixes = ["ONEORDER_" + name.upper().replace("-", "_") for name in self.dialects]
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ONEORDER_")},
            "ONEORDER_CONFIG": str(config),
            **{f"{prefix}_API_KEY": PAPER_KEY for prefix in prefixes},
            **{f"{prefix}_API_SECRET": PAPER_SECRET for prefix in prefixes},
            "PYTHONUNBUFFERED": "1",
        }
        directory.mkdir(parents=True, exist_ok=True)
        urls = {**{name: self.url_of(name) for name in self.dialects}, **(exchange_urls or {})}
        accounts = {
            name: {"exchange": dialect, "base_url": urls[name], "timeout_s": timeout_s}
            for name, dialect in self.dialects.items()
        }
        values = {"redis_url": self.redis_url, **(settings or {}), "accounts": accounts}
        config.write_text(tomli_w.dumps(values))

    @property
    def ledger_url(self) -> str:
        """The URL of the ledger unless the settings say otherwise."""
        return f"sqlite:///{self.directory / 'oneorder-ledger.db'}"

    @property
    def paper_port(self) -> int:
        return self.port_of(self.account)

    @property
    def paper_url(self) -> str:
        return self.url_of(self.account)

    def url_of(self, account: str) -> str:
        """The URL of the account's paper exchange."""
        return f"http://127.0.0.1:{self.port_of(account)}"

    def port_of(self, account: str) -> int:
        """The port of the account's paper exchange."""
        return self._paper_ports[account]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        was_interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        self.stop(INTERRUPTED_PATIENCE_S if was_interrupted else STOP_PATIENCE_S)

    def start_redis(self) -> None:
        """Start Valkey, or restart it on its data. Raises NotInstalled."""
        server_binary()
        self.start_valkey("redis", self.redis_port)

    def start_valkey(self, name: str, port: int) -> None:
        """Start a Valkey with its own data folder."""
        oneorder = [sys.executable, "-m", "workers.cli", "redis"]
        self.start(name, [*oneorder, "--port", str(port), "--dir", str(self.directory / name)])
        self.wait_for(name, lambda: is_up(redis_url_of(port)))

    def start_paper(self, *options: str, account: str | None = None) -> None:
        """Start the paper exchange of the account (default: the first one), with additional options
        of its command. Its process is named "paper" or "paper ACCOUNT"."""
        owner = account or self.account
        name = "paper" if owner == self.account else f"paper {owner}"
        command = [sys.executable, "-m", "paper_exchange", "--dialect", self.dialects[owner]]
        self.start(name, [*command, "--port", str(self._paper_ports[owner]), *options])
        self.wait_for(name, lambda: "listening" in self.log(name))

    def start_collector(self) -> None:
        self.start("collector", [sys.executable, "-m", "workers.cli", "collect"])

    def start_worker(self, name: str = "worker-1", *options: str) -> None:
        command = [sys.executable, "-m", "celery", "-A", "workers", "worker", "-l", "WARNING"]
        self.start(name, [*command, "-n", f"{name}@localhost", *options])

    def start_beat(self) -> None:
        command = [sys.executable, "-m", "celery", "-A", "workers", "beat", "-l", "WARNING"]
        schedule = str(self.directory / "beat-schedule")
        self.start("beat", [*command, "-s", schedule, "--pidfile="])

    def wait_for_worker(self, name: str = "worker-1") -> None:
        self.wait_for(name, lambda: self.is_ready(name))

    def is_ready(self, name: str) -> bool:
        """Whether the worker has come up since its last start."""
        with (self.directory / f"{name}.log").open("rb") as log:
            log.seek(self._began[name])
            return b"worker_ready" in log.read()

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start another process of the stack."""
        self._commands[name] = command
        self._killed.discard(name)
        with (self.directory / f"{name}.log").open("ab") as log:
            self._began[name] = log.tell()
            self.processes[name] = subprocess.Popen(  # noqa: S603  # Our own commands.
                command,
                cwd=self.directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A separate process group: Ctrl-C reaches this process only, which ends the others
                # in order.
                start_new_session=True,
                preexec_fn=_die_with_parent,  # Only this thread forks here.
            )

    def start_again(self, name: str) -> None:
        """Start a process with its earlier command."""
        self.start(name, self._commands[name])

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a process, and wait for its end if the signal ends it."""
        process = self.processes[name]
        if number in (signal.SIGKILL, signal.SIGTERM):
            self._killed.add(name)
        process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            process.wait(STOP_PATIENCE_S)

    def restart_ended(self) -> list[str]:
        """Restart processes that ended and were not killed here, as a supervisor does; returns
        their names."""
        ended = [
            name
            for name, process in self.processes.items()
            if name not in self._killed and process.poll() is not None
        ]
        for name in ended:
            self.start_again(name)
        return ended

    def stop(self, patience_s: float = STOP_PATIENCE_S) -> None:
        """End every process, the last started first; one that does not end within `patience_s` is
        killed."""
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        deadline = time.monotonic() + patience_s
        for process in self.processes.values():
            try:
                process.wait(max(0.05, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def log(self, name: str) -> str:
        """The log of the process so far."""
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def stores(self) -> Stores:
        return open_stores(self.redis_url, SystemClock())

    def store(self) -> Orders:
        return self.stores().orders

    def ledger(self, account: str | None = None) -> dict[str, Any]:
        """The ledger of the account's paper exchange."""
        ledger: dict[str, Any] = self.paper("GET", "/paper/ledger", account=account)
        return ledger

    def paper(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        account: str | None = None,
    ) -> Any:
        """Send a control call to the account's paper exchange."""
        request = urllib.request.Request(  # noqa: S310  # Always http, on loopback.
            self.url_of(account or self.account) + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)

    def wait_for(
        self, what: str, is_true: Callable[[], bool], patience_s: int = START_PATIENCE_S
    ) -> None:
        """Wait until the condition is true. Raises NotReady; at once, with its log, if `what` names
        a process that has ended."""
        deadline = time.monotonic() + patience_s
        while not is_true():
            if what in self.processes and self.processes[what].poll() is not None:
                raise NotReady(f"{what} has ended:\n{self.log(what)[-2000:]}")
            if time.monotonic() > deadline:
                raise NotReady(f"{what} is not there after {patience_s} s")
            time.sleep(0.05)


def free_port() -> int:
    """A port that was just free."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def redis_url_of(port: int) -> str:
    return f"redis://127.0.0.1:{port}/0"


def is_up(redis_url: str) -> bool:
    try:
        open_stores(redis_url, SystemClock()).health.server()
    except StoreUnavailable:
        return False
    return True


def _die_with_parent() -> None:
    """Let the kernel kill this process when its parent ends (Linux only).

    The signal is not one that the process may handle slowly: nothing would make sure that it ends.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
