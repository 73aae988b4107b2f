"""The README's install and first example, typed as they stand into a shell of their own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.release.release_kit import INSTALLED_WITHIN_S, ROOT
from workers.sandbox.local_stack import free_port

pytestmark = [pytest.mark.release, pytest.mark.e2e]

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# The ports of the README's example, which may be taken on this machine.
PORTS = ("6379", "8801")


@pytest.fixture
def with_python3(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A user's variables, with the Python that runs the tests as `python3`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    base = Path(sys.base_exec_prefix, "bin", f"python3.{sys.version_info.minor}")
    (folder / "python3").symlink_to(base)
    return {**environment, "PATH": os.pathsep.join([str(folder), environment["PATH"]])}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What git has of this checkout, as it is now, in another folder."""
    listed = subprocess.run(
        ["/usr/bin/env", "git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=True
    )
    target = tmp_path / "oneorder"
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


def blocks(language: str) -> list[str]:
    """The README's blocks of "Use it", in order."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("\n## Use it\n")[2].partition("\n## ")[0]
    return [body for kind, body in BLOCK.findall(section) if kind == language]


@pytest.fixture
def ports(checkout: Path) -> dict[str, str]:
    """The README's ports; free ones in the place of those that are taken here."""
    chosen = {port: port if _is_free(int(port)) else str(free_port()) for port in PORTS}
    settings = checkout / "oneorder.example.toml"
    settings.write_text(_with(settings.read_text(encoding="utf-8"), chosen), encoding="utf-8")
    return chosen


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _with(text: str, ports: dict[str, str]) -> str:
    for port, chosen in ports.items():
        text = re.sub(rf"\b{port}\b", chosen, text)
    return text


class Terminal:
    """One shell, as the reader of the README has it, with the jobs that it started."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._log = (folder.parent / "shell.log").open("w+")
        self._process = subprocess.Popen(
            ["/bin/bash"],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            text=True,
            start_new_session=True,
        )
        self._marks = 0
        # Its jobs end with it, also where it ends because the tests were killed.
        self.run("trap 'kill 0' EXIT")

    def run(self, text: str) -> str:
        """Type the text; return what was printed until it was done."""
        assert self._process.stdin is not None
        self._marks += 1
        start, mark = len(self.printed()), f"done-{self._marks}-with"
        self._process.stdin.write(f"{text}\necho {mark} $?\n")
        self._process.stdin.flush()
        deadline = time.monotonic() + INSTALLED_WITHIN_S
        while mark not in self.printed()[start:]:
            assert self._process.poll() is None, self.printed()
            assert time.monotonic() < deadline, self.printed()
            time.sleep(0.2)
        shown = self.printed()[start:]
        assert f"{mark} 0" in shown, shown
        return shown

    def printed(self) -> str:
        self._log.flush()
        return Path(self._log.name).read_text(errors="replace")

    def close(self) -> None:
        """End the shell and whatever still runs in its session."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()


@pytest.fixture
def terminal(checkout: Path, with_python3: dict[str, str]) -> Iterator[Terminal]:
    terminal = Terminal(checkout, with_python3)
    yield terminal
    terminal.close()


def test_the_readmes_install_and_first_example_work_as_written(
    terminal: Terminal, ports: dict[str, str]
) -> None:
    start, read_back = blocks("")
    (program,) = blocks("python")
    assert "Traceback" not in terminal.run(_with(start, ports))
    # In the same folder, and so by the same settings.
    terminal.run(f"cat > strategy.py <<'END'\n{program}END")
    shown = terminal.run(read_back)
    assert "Traceback" not in shown
    assert re.search(r"^signal id +s-1$", shown, re.MULTILINE), shown
    assert _state(terminal, "s-1") == "filled"
    positions = json.loads(_line(terminal.run("oneorder positions --json")))
    assert [row["symbol"] for row in positions] == ["BTC/USDT"]


def _state(terminal: Terminal, signal_id: str) -> str:
    """The state in which the order has come to rest."""
    deadline = time.monotonic() + 60
    state = ""
    while state in ("", "received", "submitting") and time.monotonic() < deadline:
        rows = json.loads(_line(terminal.run("oneorder orders --json")))
        state = next((row["state"] for row in rows if row["signal_id"] == signal_id), "")
    return state


def _line(shown: str) -> str:
    return next(line for line in shown.splitlines() if line.startswith("["))
