"""What only a database in a file can do or suffer: other processes, locks, full disks, versions."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from execution.ledger.port import Snapshot
from execution.ledger.sql.ledger import SqlLedger
from execution.model.errors import LedgerUnavailable
from execution.model.order import Attempt, Order, OrderState, Verdict
from tests.support.clock import EPOCH, START_MS
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, Rig, fill

ROOT = Path(__file__).parents[3]
NOW = EPOCH + timedelta(milliseconds=START_MS)
RIG = Rig()


def an_order(name: str, **changes: Any) -> Order:
    bought = replace(fill(f"trade-{name}", "buy", "1", "100"), sequence=1)
    order = RIG.order(signal_id=f"signal-{name}", now=NOW)
    return replace(order, order_id=f"oo-{name}", version=1, fills=(bought,), **changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history" / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> SqlLedger:
    return SqlLedger(f"sqlite:///{path}", timeout_ms=30_000)


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """What a person sees who opens the file."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_nothing_is_made_before_it_is_used(ledger: SqlLedger, path: Path) -> None:
    assert not path.parent.exists()
    ledger.traded()
    assert path.is_file()


def test_history_outlives_the_process_that_wrote_it(ledger: SqlLedger, path: Path) -> None:
    ledger.write([an_order("1")])
    ledger.close()
    again = SqlLedger(f"sqlite:///{path}")
    assert list(again.orders()) == [an_order("1")]


def test_a_closed_ledger_opens_again_when_it_is_used(ledger: SqlLedger) -> None:
    ledger.write([an_order("1")])
    ledger.close()
    assert list(ledger.orders()) == [an_order("1")]


def test_numbers_and_times_are_kept_so_that_people_can_read_them(
    ledger: SqlLedger, path: Path
) -> None:
    long, owed = (Decimal(f"{sign}12345678901234567890.123456789012345678") for sign in "+-")
    paid = fill("t1", "buy", "1E-8", "1E+2", [("BNB", "0.10"), ("BNB", "0.2"), ("USDT", "-1")])
    order = replace(an_order("1", amount=long, exchange_order_id="77"), fills=(paid,))
    ledger.write([order])
    ledger.write_snapshots([Snapshot(ACCOUNT, "USDT", NOW, long, owed, Decimal(0))])
    written = "2027-01-15 08:00:00.000000"
    assert rows(path, "SELECT amount, side, created_at, typeof(amount) FROM orders") == [
        (str(long), "buy", written, "text")
    ]
    assert rows(path, "SELECT order_id, exchange_order_id, price, amount, time FROM fills") == [
        ("oo-1", "77", "100", "0.00000001", written)
    ]
    assert rows(path, "SELECT fees, fees ->> 'USDT' FROM fills") == [
        ('{"BNB":"0.1","BNB":"0.2","USDT":"-1"}', "-1")
    ]
    assert rows(path, "SELECT realised_pnl, unrealised_pnl, time FROM snapshots") == [
        (str(long), str(owed), written)
    ]


def test_the_character_nul_is_shown_where_people_look(ledger: SqlLedger, path: Path) -> None:
    ledger.write([an_order("1", reason="refused:\0garbage")])
    assert rows(path, "SELECT reason FROM orders") == [("refused:\u2400garbage",)]


def test_each_attempt_stays_with_the_newest_that_is_known_of_it(
    ledger: SqlLedger, path: Path
) -> None:
    """An attempt is known by number and stamp: a store that forgot one gives its number again."""
    lost, again = Attempt(1, 100, 200, 300), Attempt(1, 150, 250, 350)
    before = an_order("1", attempts=(lost,), state=OrderState.SUBMITTING)
    verdict = replace(again, verdict=Verdict.ACCEPTED, reason="found")
    after = replace(before, attempts=(verdict,), updated_at=NOW + timedelta(seconds=1), version=2)
    ledger.write([before])
    ledger.write([after])
    ledger.write([replace(before, attempts=(again,))])
    assert rows(path, "SELECT * FROM attempts ORDER BY stamp_ms") == [
        ("oo-1", 1, 100, 200, 300, None, None),
        ("oo-1", 1, 150, 250, 350, "accepted", "found"),
    ]


WRITER = """
import sys
from tests.contract.ledger.test_ledger_sqlite import SqlLedger, an_order
ledger = SqlLedger(sys.argv[1], timeout_ms=30_000)
for batch in range(15):
    names = [f"{sys.argv[2]}-{batch}-{n}" for n in range(20)]
    ledger.write([an_order(name) for name in [*names, "shared"]])
"""


def test_processes_and_threads_may_write_and_read_at_once(ledger: SqlLedger, path: Path) -> None:
    """Also from the first moment on, when there is no database yet."""
    others = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, f"sqlite:///{path}", name],
            env={"PYTHONPATH": str(ROOT)},
        )
        for name in ("one", "two")
    ]

    def write_and_read(name: str) -> int:
        for batch in range(5):
            ledger.write([an_order(f"{name}-{batch}-{n}") for n in range(10)])
            seen = len(list(ledger.orders()))
        return seen

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(write_and_read, [f"thread{n}" for n in range(8)]))
    assert [other.wait(60) for other in others] == [0, 0]
    assert min(seen) >= 50
    assert len(list(ledger.orders())) == 2 * 15 * 20 + 1 + 8 * 5 * 10
    assert len(list(ledger.fills(ACCOUNT, SYMBOL))) == 2 * 15 * 20 + 1 + 8 * 5 * 10


def test_a_slow_reader_does_not_block_writers(ledger: SqlLedger) -> None:
    ledger.write([an_order(str(n)) for n in range(1500)])
    slow = ledger.orders()
    next(slow)
    ledger.write([an_order("zzz")])
    assert len(list(slow)) == 1500


def test_a_database_that_is_locked_for_long_is_away(ledger: SqlLedger, path: Path) -> None:
    ledger.write([an_order("1")])
    hasty = SqlLedger(f"sqlite:///{path}", timeout_ms=20)
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailable, match=f"ledger sqlite:///{path}: database is locked"):
        hasty.write([an_order("2")])
    other.close()
    hasty.write([an_order("2")])
    assert len(list(hasty.orders())) == 2


def test_a_reader_does_not_wait_for_a_writer(path: Path) -> None:
    hasty = SqlLedger(f"sqlite:///{path}", timeout_ms=20)
    hasty.write([an_order("1")])
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")
    assert list(hasty.orders()) == [an_order("1")]
    other.close()


def test_the_first_use_waits_for_another_who_is_writing(ledger: SqlLedger, path: Path) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path, check_same_thread=False)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE of_somebody_else (number INTEGER)")
    soon = Timer(0.1, other.commit)
    soon.start()
    ledger.write([an_order("1")])
    assert list(ledger.orders()) == [an_order("1")]
    soon.join()
    other.close()


ON_A_FULL_DISK = """
import resource, sys
from tests.contract.ledger.test_ledger_sqlite import LedgerUnavailable, SqlLedger, an_order
ledger = SqlLedger(sys.argv[1], timeout_ms=30_000)
ledger.write([an_order("1")])
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, resource.RLIM_INFINITY))
try:
    ledger.write([an_order(f"big-{n}", reason="x" * 1000) for n in range(500)])
except LedgerUnavailable as error:
    print(error)
print(len(list(ledger.orders())))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
ledger.write([an_order(f"big-{n}", reason="x" * 1000) for n in range(500)])
print(len(list(ledger.orders())))
"""


def test_a_full_disk_keeps_what_is_there_and_takes_nothing_by_halves(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ON_A_FULL_DISK, f"sqlite:///{path}"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    refused, before, after = done.stdout.splitlines()
    assert refused.startswith(f"ledger sqlite:///{path}: ")
    assert (before, after) == ("1", "501")


def test_a_file_that_is_no_database_is_left_alone(ledger: SqlLedger, path: Path) -> None:
    path.parent.mkdir()
    path.write_text("somebody's notes, much longer than a page of a database has to be " * 99)
    with pytest.raises(LedgerUnavailable, match="file is not a database"):
        ledger.write([an_order("1")])
    assert path.read_text().startswith("somebody's notes")


def test_tables_that_vanish_are_made_again(ledger: SqlLedger, path: Path) -> None:
    """Somebody replaced the database while the worker was running."""
    ledger.write([an_order("1")])
    connection = sqlite3.connect(path)
    lost = ("orders", "attempts", "fills", "snapshots", "schema_version", "ledger_revision")
    for table in lost:
        connection.execute(f"DROP TABLE {table}")
    connection.commit()
    connection.close()
    with pytest.raises(LedgerUnavailable, match="no such table"):
        ledger.write([an_order("2")])
    ledger.write([an_order("2")])
    assert list(ledger.orders()) == [an_order("2")]
