"""Which version of the tables a database has, and how it comes to ours."""

from collections.abc import Callable
from secrets import token_hex

from sqlalchemy import Connection, func, insert, select, text, update

from execution.ledger.sql.tables import metadata, notes, orders, schema_version
from execution.model.errors import LedgerUnavailable

IDENTITY = "identity"


def _add_published_at(connection: Connection) -> None:
    kind = orders.c.published_at.type.compile(connection.dialect)
    connection.execute(text(f"ALTER TABLE orders ADD COLUMN published_at {kind}"))


# Step n (from 0) takes a database of version n + 1 to version n + 2. Each runs once, in the
# transaction that also writes the new version. Tables that are new need no step.
UPGRADES: tuple[Callable[[Connection], None], ...] = (_add_published_at,)

# Any number will do that no other program on the same PostgreSQL locks.
_ADVISORY_LOCK = 0x6F6E656F72646572


def prepare(
    connection: Connection, upgrades: tuple[Callable[[Connection], None], ...] = UPGRADES
) -> None:
    """Make the tables, or bring those of an earlier version up to ours.

    The connection is in a transaction that nobody else writes beside: SQLite's own lock sees to
    that; on PostgreSQL a lock is taken here. Raises LedgerUnavailable for a later version.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
    ours = 1 + len(upgrades)
    schema_version.create(connection, checkfirst=True)
    found = connection.scalar(select(schema_version.c.version))
    if found is not None and found > ours:
        raise LedgerUnavailable(
            f"the ledger's tables are of version {found}, and this release knows them up to "
            f"version {ours}; run a later release of oneorder"
        )
    if found is not None:
        for step in upgrades[found - 1 :]:
            step(connection)
    metadata.create_all(connection)
    if connection.scalar(select(notes.c.text).where(notes.c.name == IDENTITY)) is None:
        connection.execute(insert(notes).values(name=IDENTITY, text=token_hex(8)))
    if found is None:
        connection.execute(insert(schema_version).values(version=ours))
    elif found < ours:
        connection.execute(update(schema_version).values(version=ours))
