"""The migrations and the tables that the code uses are one and the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, select, text

from execution.ledger.sql import schema
from execution.ledger.sql.schema import REVISION, prepare, revisions
from execution.ledger.sql.tables import metadata, orders

MIGRATIONS = Path(schema.__file__).parent / "migrations"


@pytest.fixture
def connection() -> Iterator[Connection]:
    with create_engine("sqlite://").begin() as connection:
        yield connection


def differences(connection: Connection) -> list[str]:
    """What Alembic would change in the database to make it what the code uses."""
    context = MigrationContext.configure(connection, opts={"version_table": revisions.name})
    return sorted(change[0] for change in compare_metadata(context, metadata))


def test_the_migrations_make_the_tables_that_the_code_uses(connection: Connection) -> None:
    prepare(connection)
    assert differences(connection) == []


def test_a_change_without_a_migration_would_be_noticed(connection: Connection) -> None:
    prepare(connection)
    connection.execute(text("ALTER TABLE orders DROP COLUMN published_at"))
    connection.execute(text("ALTER TABLE fills ADD COLUMN tag TEXT"))
    connection.execute(text("DROP INDEX fills_by_order"))
    assert differences(connection) == ["add_column", "add_index", "remove_column"]


def test_the_newest_migration_is_the_one_that_the_code_expects() -> None:
    assert ScriptDirectory(MIGRATIONS).get_current_head() == REVISION


def test_revisions_are_numbered_without_gaps() -> None:
    """Their order as text is their order in time."""
    found = sorted(script.revision for script in ScriptDirectory(MIGRATIONS).walk_revisions())
    assert found == [f"{number:04}" for number in range(1, len(found) + 1)]


def test_each_migration_runs_once(connection: Connection) -> None:
    """One that ran again would fail: the table has the column already."""
    prepare(connection)
    prepare(connection)
    assert list(connection.scalars(select(revisions.c.version_num))) == [REVISION]
    assert list(connection.scalars(select(orders.c.order_id))) == []
