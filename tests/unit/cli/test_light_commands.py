"""What the command line imports before a command asks for more: every command pays for it."""

import json
import subprocess
import sys

import pytest

HEAVY = (
    "ccxt",
    "sqlalchemy",
    "pandas",
    "numpy",
    "pyarrow",
    "matplotlib",
    "jinja2",
    "celery",
    "aiohttp",
)
PROBE = "import json, sys, workers.cli.program; print(json.dumps(sorted(sys.modules)))"


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("package", HEAVY)
def test_a_command_that_reads_redis_alone_imports_nothing_heavy(
    package: str, loaded: set[str]
) -> None:
    assert "workers.cli.orders" in loaded
    assert package not in loaded
