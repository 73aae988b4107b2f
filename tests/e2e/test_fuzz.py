"""The fuzz run itself, for some seconds: `make fuzz` gives tens of thousands of inputs."""

import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.arguments import command_lines
from tests.fuzz.broadcasts import broadcasts
from tests.fuzz.entries import stream_entries
from tests.fuzz.settings_texts import settings_inputs
from tests.fuzz.signal_bodies import signal_bodies
from workers.sandbox.chaos.disorders.raw_messages import raw_messages

ROOT = Path(__file__).parents[2]


@pytest.mark.system
def test_a_short_fuzz_run_is_clean(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--inputs", "600", "--minutes", "1", "--seed", "7",
         "--logs", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stream entries" in done.stdout
    assert "seed 7:" in done.stdout


@pytest.mark.parametrize(
    "draw",
    [raw_messages, stream_entries, broadcasts, signal_bodies, settings_inputs, command_lines],
    ids=lambda draw: draw.__name__,
)
def test_the_same_seed_draws_the_same_inputs(draw: Any) -> None:
    # Not by value: some are "not a number".
    assert repr(list(islice(draw(5), 2_000))) == repr(list(islice(draw(5), 2_000)))
    assert repr(list(islice(draw(5), 2_000))) != repr(list(islice(draw(6), 2_000)))
