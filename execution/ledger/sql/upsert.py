"""Idempotent writes: each row is inserted, or replaces the existing one."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, Table, or_
from sqlalchemy.dialects import postgresql, sqlite

from execution.ledger.sql import tables
from execution.ledger.sql.rows import Row, attempt_rows, fill_rows, order_row
from execution.model.order import Order

Insert = sqlite.Insert | postgresql.Insert


def keep_orders(connection: Connection, orders: Iterable[Order]) -> None:
    """Write states of orders, no two of one order, with their attempts and fills.

    An outdated state (see port.is_outdated) only adds missing attempts and fills.
    """
    states = sorted(orders, key=lambda order: order.order_id)
    newest = _write_states(connection, states)
    current = [order for order in states if order.order_id in newest]
    outdated = [order for order in states if order.order_id not in newest]
    for table, rows_of in ((tables.attempts, attempt_rows), (tables.fills, fill_rows)):
        upsert(connection, table, [row for order in current for row in rows_of(order)])
        add(connection, table, [row for order in outdated for row in rows_of(order)])


def upsert(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Write rows; of those with the same key the last one stays. A fill that another order reported
    first stays with that order."""
    unique = _by_key(table, rows)
    if unique:
        theirs = tables.fills.c.order_id
        statement = _insert_into(connection, table)
        same = theirs == statement.excluded.order_id if table is tables.fills else None
        connection.execute(_replacing(statement, table, same), unique)


def add(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Insert the rows whose key does not exist yet."""
    unique = _by_key(table, rows)
    if unique:
        connection.execute(_insert_into(connection, table).on_conflict_do_nothing(), unique)


def _write_states(connection: Connection, orders: list[Order]) -> set[str]:
    """Write the orders' own rows; return the ids of those that were not outdated."""
    table = tables.orders
    statement = _insert_into(connection, table)
    news = statement.excluded
    is_news = or_(news.version >= table.c.version, news.updated_at > table.c.updated_at)
    written = _replacing(statement, table, is_news).returning(table.c.order_id)
    return set(connection.scalars(written, [order_row(order) for order in orders]))


def _replacing(statement: Insert, table: Table, where: ColumnElement[bool] | None) -> Insert:
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={
            column.name: statement.excluded[column.name]
            for column in table.columns
            if not column.primary_key
        },
        where=where,
    )


def _insert_into(connection: Connection, table: Table) -> Insert:
    is_sqlite = connection.dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def _by_key(table: Table, rows: Iterable[Row]) -> list[Row]:
    """The rows without repetitions, in the order of their keys: two writers that lock the same
    rows in the same order never wait for each other in a circle."""
    names = [column.name for column in table.primary_key.columns]
    unique = {tuple(row[name] for name in names): row for row in rows}
    return [unique[key] for key in sorted(unique)]
