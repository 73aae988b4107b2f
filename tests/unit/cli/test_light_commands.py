"""What each command imports: every command pays for it, and most read Redis alone."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from execution.model.clock import SystemClock
from execution.model.order import Order, OrderType, Side
from execution.orders.store import Change, Committed
from execution.store.access.connection import connect
from execution.store.stores import open_stores
from oneorder.identifiers import order_id_of

ROOT = Path(__file__).parents[3]
# Each takes longer to import than a command that reads Redis may take.
HEAVY = {
    "aiohttp",
    "alembic",
    "altair",
    "ccxt",
    "celery",
    "jinja2",
    "kombu",
    "matplotlib",
    "numpy",
    "pandas",
    "pyarrow",
    "redis",
    "sentry_sdk",
    "sqlalchemy",
    "structlog",
}
ORDER_ID = order_id_of("s-1")
SIGNAL = {
    "signal_id": "s-2",
    "account": "spare",
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "market",
    "amount": "1",
}
NOTHING: set[str] = set()
REDIS = {"redis"}
PUBLISHES = REDIS | {"celery", "kombu"}
COMMANDS = {
    "--help": NOTHING,
    "orders --help": NOTHING,
    "orders": REDIS,
    "orders --account spare --state open --last 0 --json": REDIS,
    f"order {ORDER_ID}": REDIS,
    "order s-1 --json": REDIS,
    "positions": REDIS,
    "accounts --account spare": REDIS,
    "arbitrages": REDIS,
    "refused": REDIS,
    "waiting": REDIS,
    "reconciliations": REDIS,
    "halt --account spare": REDIS,
    "resume": REDIS,
    "submit signals.jsonl": PUBLISHES,
    f"cancel {ORDER_ID}": PUBLISHES,
    "orders --archived": {"sqlalchemy", "alembic", "structlog"},
}
PROGRAM = """
import json, sys
from workers.cli.program import run
code = run(130)
packages = {name.partition(".")[0] for name in sys.modules}
sys.stderr.write("\\n" + json.dumps([code, sorted(packages)]))
"""
Run = Callable[[str], set[str]]


@pytest.fixture
def run(valkey_url: str, tmp_path: Path) -> Run:
    """Run a command beside a live Redis that holds an order, in a process of its own; return the
    packages that it imported."""
    (tmp_path / "oneorder.toml").write_text('[accounts.spare]\nexchange = "binance"\n')
    (tmp_path / "signals.jsonl").write_text(json.dumps(SIGNAL))
    environment = {name: text for name, text in os.environ.items() if "ONEORDER_" not in name}
    environment |= {"ONEORDER_REDIS_URL": valkey_url, "PYTHONPATH": str(ROOT)}

    def run(command: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *command.split()],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        code, packages = json.loads(done.stderr.splitlines()[-1])
        assert code == 0, done.stderr
        return set(packages)

    return run


@pytest.fixture(autouse=True)
def one_order(valkey_url: str) -> None:
    """A server with one order on record, and nothing else."""
    connect(valkey_url).flushall()
    clock = SystemClock()
    order = Order(
        order_id=ORDER_ID,
        signal_id="s-1",
        account="spare",
        symbol="BTC/USDT",
        side=Side.BUY,
        type=OrderType.MARKET,
        time_in_force=None,
        amount=Decimal(1),
        price=None,
        client_order_id=ORDER_ID,
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    after = replace(order, version=1, revision="first")
    change = Change(order, after, None)
    assert open_stores(valkey_url, clock).orders.commit(change) is Committed.DONE


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_imports_what_it_needs_and_nothing_else_that_is_heavy(
    command: str, run: Run
) -> None:
    assert run(command) & HEAVY <= COMMANDS[command]


def test_trading_code_is_opened_in_one_place_which_sends_its_log_to_standard_error() -> None:
    modules = (ROOT / "workers/cli").glob("*.py")
    assert [path.name for path in modules if "bootstrap import services" in path.read_text()] == [
        "app.py"
    ]
