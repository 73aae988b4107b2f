"""Which `ledger_url` is taken, and what is said of one that is not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from execution.ledger.sql.engine import parse_url, shown
from execution.ledger.sql.ledger import open_ledger
from execution.model.errors import LedgerUrlError


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///ledger.db",
        "sqlite:////var/lib/oneorder/ledger.db",
        "postgresql://trader@db/ledger",
        "postgresql+psycopg://trader:hunter2@db:5432/ledger?sslmode=require",
    ],
)
def test_a_file_or_a_server_is_a_ledger(url: str) -> None:
    open_ledger(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "is not of the form sqlite:///FILE or postgresql"),
        ("ledger.db", "'ledger.db' is not of the form"),
        ("postgresql://trader:hunter2@db:port/ledger", "//***@db:port/ledger' is not of the form"),
        ("mysql://trader:hunter2@db/ledger", "'mysql://trader:***@db/ledger' is not of the form"),
        ("postgresql+asyncpg://trader:hunter2@db/ledger", "'postgresql+asyncpg://trader:***@db"),
        ("postgresql+none://db/ledger?password=hunter2", "'postgresql+none://db/ledger' is not"),
        ("sqlite+aiosqlite:///ledger.db", "is not of the form"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "'sqlite:///:memory:' names no file"),
        (
            "sqlite:///my folder/ledger.db?mode=ro",
            "'sqlite:///my folder/ledger.db' takes no options",
        ),
        ("sqlite:///file:ledger", "names no file"),
    ],
)
def test_any_other_url_is_refused_by_name_without_its_password(url: str, why: str) -> None:
    with pytest.raises(LedgerUrlError) as refused:
        open_ledger(url)
    assert str(refused.value).startswith("ledger_url: ")
    assert why in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_what_is_shown_of_a_url_holds_no_password() -> None:
    url = parse_url("postgresql://trader:hunter2@db:5432/ledger?password=hunter2")
    assert shown(url) == "postgresql://trader:***@db:5432/ledger"


def test_a_missing_driver_is_named_with_what_to_install() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from execution.ledger.sql.ledger import open_ledger\n"
        "open_ledger('postgresql+psycopg://trader:hunter2@db/ledger')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.splitlines()[-1]
    assert last == (
        "execution.model.errors.LedgerUrlError: ledger_url: "
        "'postgresql+psycopg://trader:***@db/ledger' needs PostgreSQL's driver, which is not "
        "installed; run pip install 'oneorder[postgres]'"
    )
