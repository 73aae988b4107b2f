"""A ledger that an earlier release wrote is upgraded without loss, whichever process comes first.

The files in data/ledgers are dumps of ledgers that release 0.1.0 and the state before it wrote,
when the tables had a number of their own in place of a revision.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, create_engine, inspect, select, text
from structlog.testing import capture_logs

from execution.ledger.port import Snapshot
from execution.ledger.sql.ledger import SqlLedger
from execution.ledger.sql.schema import REVISION, revisions
from execution.ledger.sql.tables import metadata, orders, schema_version
from execution.model.errors import LedgerUnavailable
from execution.orders.store import Halt
from tests.support.clock import EPOCH, START_MS
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT

POSTGRES_URL = os.environ.get("ONEORDER_TEST_POSTGRES_URL")
ROOT = Path(__file__).parents[3]
DUMPS = Path(__file__).parents[1] / "data" / "ledgers"
NOW = EPOCH + timedelta(milliseconds=START_MS)
Rows = dict[str, list[dict[str, Any]]]


@dataclass
class Database:
    """A database as SQL sees it, beside the ledger."""

    url: str
    engine: Engine

    def load(self, version: int) -> None:
        script = (DUMPS / f"version_{version}.{self.engine.dialect.name}.sql").read_text()
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            if self.engine.dialect.name == "sqlite":
                driver.executescript(script)
            else:
                driver.execute(script)
            driver.commit()

    def run(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement))

    def names(self) -> set[str]:
        return set(inspect(self.engine).get_table_names())

    def rows(self) -> Rows:
        """Every row of every table but those that say which revision it is."""
        tables = MetaData()
        tables.reflect(self.engine)
        with self.engine.connect() as connection:
            return {
                table.name: [
                    dict(row)
                    for row in connection.execute(select(table).order_by(*table.c)).mappings()
                ]
                for table in tables.sorted_tables
                if table.name not in (schema_version.name, revisions.name)
            }

    def revision(self) -> tuple[list[str], list[int]]:
        """As Alembic noted it, and as release 0.1.0 reads it."""
        with self.engine.connect() as connection:
            return (
                list(connection.scalars(select(revisions.c.version_num))),
                list(connection.scalars(select(schema_version.c.version))),
            )


@pytest.fixture(params=["sqlite", *(["postgresql"] if POSTGRES_URL else [])])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    if request.param == "postgresql":
        url = str(POSTGRES_URL)
    engine = create_engine(url)
    if request.param == "postgresql":
        metadata.drop_all(engine)
        revisions.drop(engine, checkfirst=True)
    yield Database(url, engine)
    engine.dispose()


@pytest.mark.parametrize("version", [1, 2])
def test_a_ledger_of_an_earlier_release_is_upgraded_without_loss(
    database: Database, version: int
) -> None:
    database.load(version)
    before = database.rows()
    ledger = SqlLedger(database.url)
    with capture_logs() as logs:
        identity = ledger.identity()
    assert [(line["event"], line["before"], line["revision"]) for line in logs] == [
        ("ledger_upgraded", f"000{version}", REVISION)
    ]
    assert {"name": "identity", "text": identity} in before["notes"]
    assert database.revision() == ([REVISION], [int(REVISION)])
    after = database.rows()
    if version == 1:
        assert [row.pop("published_at") for row in after["orders"]] == [None, None]
    assert after == before
    read = list(ledger.orders())
    assert [(order.order_id, order.amount, order.exchange_order_id) for order in read] == [
        ("oo-1", Decimal(1), "71"),
        ("oo-2", Decimal(1), "72"),
    ]
    assert [fill.trade_id for fill in ledger.fills(ACCOUNT, SYMBOL)] == ["trade-1", "trade-2"]
    assert ledger.halts() == [Halt(ACCOUNT, "drift", EPOCH)]
    worth = Decimal("12345678901234567890.123456789")
    assert list(ledger.snapshots()) == [
        Snapshot(ACCOUNT, "USDT", NOW, worth, Decimal(-1), Decimal(0))
    ]
    ledger.close()


def test_orders_of_the_first_version_have_no_time_of_publication_and_later_ones_do(
    database: Database,
) -> None:
    database.load(1)
    ledger = SqlLedger(database.url)
    first, second = ledger.orders()
    assert first.published_at is second.published_at is None
    ledger.write([published := replace(second, version=9, published_at=NOW)])
    assert list(ledger.orders()) == [first, published]
    with database.engine.connect() as connection:
        found = connection.scalars(select(orders.c.published_at).order_by(orders.c.order_id))
        assert list(found) == [None, NOW]
    ledger.close()


def test_many_processes_and_threads_may_upgrade_at_once(database: Database) -> None:
    database.load(1)
    program = (
        "import sys; from execution.ledger.sql.ledger import SqlLedger; "
        "print(SqlLedger(sys.argv[1], timeout_ms=30_000).identity())"
    )
    others = [
        subprocess.Popen(
            [sys.executable, "-c", program, database.url],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]

    def identity(_: int) -> str:
        ledger = SqlLedger(database.url, timeout_ms=30_000)
        try:
            return ledger.identity()
        finally:
            ledger.close()

    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(identity, range(8)))
    seen.update(other.communicate(timeout=60)[0].split()[-1] for other in others)
    assert len(seen) == 1
    assert database.revision() == ([REVISION], [int(REVISION)])
    assert len(database.rows()["orders"]) == 2


def test_threads_may_create_several_ledgers_at_once(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path / str(number)}" for number in range(16)]
    with ThreadPoolExecutor(len(urls)) as pool:
        identities = pool.map(lambda url: SqlLedger(url).identity(), urls)
    assert len(set(identities)) == len(urls)


def test_an_upgrade_that_fails_leaves_the_ledger_as_it_was(database: Database) -> None:
    database.load(1)
    database.run("ALTER TABLE orders ADD COLUMN published_at TEXT")
    before, names = database.rows(), database.names()
    ledger = SqlLedger(database.url)
    for _ in range(2):
        with pytest.raises(LedgerUnavailable, match="published_at"):
            ledger.identity()
    ledger.close()
    assert (database.rows(), database.names()) == (before, names)
    assert revisions.name not in names


@pytest.mark.parametrize(
    "claim",
    [
        "UPDATE ledger_revision SET version_num = '0007'",
        "DROP TABLE ledger_revision; UPDATE schema_version SET version = 7",
    ],
)
def test_a_ledger_of_a_later_release_is_refused_and_left_as_it_is(
    database: Database, claim: str
) -> None:
    SqlLedger(database.url).identity()
    for statement in claim.split(";"):
        database.run(statement)
    before, names = database.rows(), database.names()
    late = SqlLedger(database.url)
    with pytest.raises(
        LedgerUnavailable,
        match=rf"are of revision 0007, and this release knows them up to revision {REVISION}; "
        "run a later release of oneorder$",
    ):
        late.identity()
    late.close()
    assert (database.rows(), database.names()) == (before, names)


def test_migrations_of_another_program_in_the_same_database_are_left_alone(
    database: Database,
) -> None:
    database.run("DROP TABLE IF EXISTS alembic_version")
    database.run("CREATE TABLE alembic_version (version_num VARCHAR(32))")
    database.run("INSERT INTO alembic_version VALUES ('f00d')")
    ledger = SqlLedger(database.url)
    ledger.identity()
    ledger.close()
    assert database.rows()["alembic_version"] == [{"version_num": "f00d"}]
    database.run("DROP TABLE alembic_version")


def test_tables_of_another_program_under_the_same_names_are_left_alone(
    database: Database,
) -> None:
    database.run("CREATE TABLE orders (pizza INTEGER)")
    ledger = SqlLedger(database.url)
    with pytest.raises(LedgerUnavailable, match="column"):
        ledger.identity()
    ledger.close()
    assert database.names() == {"orders"}


def test_a_table_that_was_dropped_by_hand_is_created_again(database: Database) -> None:
    database.load(2)
    database.run("DROP TABLE snapshots")
    ledger = SqlLedger(database.url)
    assert list(ledger.snapshots()) == []
    assert len(list(ledger.orders())) == 2
    ledger.close()


def test_alembic_is_imported_only_where_there_is_something_to_upgrade(database: Database) -> None:
    program = (
        "import sys; from execution.ledger.sql.ledger import SqlLedger; "
        "SqlLedger(sys.argv[1]).identity(); print('alembic' in sys.modules)"
    )

    def imports_alembic() -> str:
        command = [sys.executable, "-c", program, database.url]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        return done.stdout.splitlines()[-1]

    database.load(1)
    assert [imports_alembic(), imports_alembic()] == ["True", "False"]
