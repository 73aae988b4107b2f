"""A database of an earlier version is brought up to ours, step by step, each step once."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, create_engine, func, inspect, select, text, update

from execution.ledger.sql.schema import UPGRADES, prepare
from execution.ledger.sql.tables import orders, schema_version
from execution.model.errors import LedgerUnavailable

ENGINE = "sqlite://"


def add_column(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE orders ADD COLUMN tag TEXT"))


def fill_column(connection: Connection) -> None:
    connection.execute(text("UPDATE orders SET tag = 'old'"))


def version_of(connection: Connection) -> list[int]:
    return list(connection.scalars(select(schema_version.c.version)))


def test_a_new_database_is_of_our_version_and_needs_no_step() -> None:
    with create_engine(ENGINE).begin() as connection:
        prepare(connection, (add_column, fill_column))
        assert version_of(connection) == [3]
        assert connection.scalar(select(func.count()).select_from(orders)) == 0
        assert "tag" not in {one["name"] for one in inspect(connection).get_columns("orders")}


def test_each_step_runs_once_and_in_order() -> None:
    with create_engine(ENGINE).begin() as connection:
        prepare(connection, ())
        prepare(connection, (add_column,))
        assert version_of(connection) == [2]
        # Were the first step to run again, the database would complain of a second column.
        prepare(connection, (add_column, fill_column))
        prepare(connection, (add_column, fill_column))
        assert version_of(connection) == [3]


def test_orders_of_the_first_version_have_no_time_of_publication_and_later_ones_do() -> None:
    with create_engine(ENGINE).begin() as connection:
        first = [column for column in orders.columns if column.name != "published_at"]
        names = ", ".join(f"{c.name} {c.type.compile(connection.dialect)}" for c in first)
        connection.execute(text(f"CREATE TABLE orders ({names})"))
        schema_version.create(connection)
        connection.execute(schema_version.insert().values(version=1))
        connection.execute(text("INSERT INTO orders (order_id) VALUES ('oo1')"))
        prepare(connection)
        assert version_of(connection) == [1 + len(UPGRADES)]
        assert connection.execute(select(orders.c.order_id, orders.c.published_at)).all() == [
            ("oo1", None)
        ]
        moment = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
        connection.execute(update(orders).values(published_at=moment))
        assert connection.scalar(select(orders.c.published_at)) == moment


def test_a_later_version_is_refused_and_left_as_it_is() -> None:
    with create_engine(ENGINE).begin() as connection:
        schema_version.create(connection)
        connection.execute(schema_version.insert().values(version=2 + len(UPGRADES)))
        with pytest.raises(
            LedgerUnavailable, match=r"of version 3, .* up to version 2; run a later"
        ):
            prepare(connection)
        assert inspect(connection).get_table_names() == ["schema_version"]
