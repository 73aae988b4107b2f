"""The demo, as `make demo` runs it, and what it leaves behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.processes import alive, descendants

COMMAND = [sys.executable, "-m", "workers.cli", "demo"]


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
    while len(descendants(demo.pid)) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    children = descendants(demo.pid)
    assert len(children) >= 5, "Valkey, paper exchange, two workers and beat were expected"

    os.kill(demo.pid, number)
    demo.communicate(timeout=40)

    deadline = time.monotonic() + 20
    while alive(children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive(children) == set()
    assert demo.returncode != 0
