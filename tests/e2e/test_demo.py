"""The demo, as `make demo` runs it, and what it leaves behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "workers.cli", "demo"]


def _descendants(pid: int) -> set[int]:
    """Every process that the given one started, directly or not, that is still there."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = {pid}
    while grown := {child for child, parent in parents.items() if parent in found} - found:
        found |= grown
    return found - {pid}


def _alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


def test_the_demo_agrees_with_the_ledger() -> None:
    done = subprocess.run(COMMAND, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "40 signals published, one of them twice: 38 orders" in done.stdout
    assert "0 differences" in done.stdout
    assert "Traceback" not in done.stderr


# Each end costs a demo: every run tries the one that leaves no time to clean up.
ENDS = [
    signal.SIGKILL,
    pytest.param(signal.SIGINT, marks=pytest.mark.system),
    pytest.param(signal.SIGTERM, marks=pytest.mark.system),
]


@pytest.mark.parametrize("number", ENDS)
def test_a_demo_that_is_ended_leaves_no_process_behind(number: signal.Signals) -> None:
    demo = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while len(_descendants(demo.pid)) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    children = _descendants(demo.pid)
    assert len(children) >= 5, "Valkey, paper exchange, two workers and beat were expected"

    os.kill(demo.pid, number)
    demo.communicate(timeout=40)

    deadline = time.monotonic() + 20
    while _alive(children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _alive(children) == set()
    assert demo.returncode != 0
