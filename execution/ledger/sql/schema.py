"""The revision of a database's tables, and their upgrade to that of this release by Alembic.

Every process calls `prepare` at its first use of a ledger. Alembic is imported only if there is
something to create or to upgrade.
"""

from secrets import token_hex
from threading import Lock

import structlog
from sqlalchemy import Column, Connection, MetaData, String, Table, func, insert, inspect, select

from execution.ledger.sql.tables import metadata, notes, schema_version
from execution.model.errors import LedgerUnavailable

IDENTITY = "identity"
# The newest of migrations/versions. A revision is its number, in four digits.
REVISION = "0002"
# Alembic's own table. Its usual name may belong to another program that shares the database.
revisions = Table("ledger_revision", MetaData(), Column("version_num", String(32), nullable=False))

# An arbitrary number that no other program on the same PostgreSQL locks.
_ADVISORY_LOCK = 0x6F6E656F72646572
# Alembic keeps its state in global variables.
_one_at_a_time = Lock()


def prepare(connection: Connection) -> None:
    """Create the tables, or upgrade those of an earlier release.

    The connection is in a transaction during which no other process writes: SQLite's own lock
    ensures that; on PostgreSQL a lock is taken here. A step that fails leaves the database as it
    was. Raises LedgerUnavailable if the tables are of a later release.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
    stamped = _stamp(connection)
    revision = stamped or _version_of_first_release(connection)
    if revision and revision > REVISION:
        raise LedgerUnavailable(
            f"the ledger's tables are of revision {revision}, and this release knows them up to "
            f"revision {REVISION}; run a later release of oneorder"
        )
    if stamped != REVISION:
        _upgrade(connection, None if stamped else revision)
        if revision:
            log = structlog.get_logger("oneorder")
            log.info("ledger_upgraded", before=revision, revision=REVISION)
    # A manually dropped table is created again.
    metadata.create_all(connection)
    if connection.scalar(select(notes.c.text).where(notes.c.name == IDENTITY)) is None:
        connection.execute(insert(notes).values(name=IDENTITY, text=token_hex(8)))


def _stamp(connection: Connection) -> str | None:
    """The revision that Alembic recorded in the database."""
    if not inspect(connection).has_table(revisions.name):
        return None
    return connection.scalar(select(revisions.c.version_num))


def _version_of_first_release(connection: Connection) -> str | None:
    """The version that release 0.1.0 recorded in the database, as a revision."""
    if not inspect(connection).has_table(schema_version.name):
        return None
    version = connection.scalar(select(schema_version.c.version))
    return None if version is None else f"{version:04}"


def _upgrade(connection: Connection, unstamped: str | None) -> None:
    """Run the migrations that the database lacks; those up to `unstamped` are in it already."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", f"{__package__}:migrations")
    config.attributes.update(
        connection=connection, version_table=revisions.name, transactional_ddl=True
    )
    with _one_at_a_time:
        if unstamped:
            command.stamp(config, unstamped)
        command.upgrade(config, REVISION)
