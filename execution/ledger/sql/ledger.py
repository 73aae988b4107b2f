"""The ledger in SQLite or PostgreSQL. See port.Ledger for the meaning.

Connects on first use. Reads are page by page, each in a short transaction, so that slow readers do
not block writers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, literal, select, tuple_
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from execution.ledger.port import (
    UNSETTLED,
    Checkpoint,
    Ledger,
    Snapshot,
    check_zones,
    with_all_fills,
)
from execution.ledger.sql import tables
from execution.ledger.sql.engine import (
    file_number,
    is_in_place,
    make_engine,
    make_folder,
    parse_url,
    shown,
)
from execution.ledger.sql.rows import read_fill, read_snapshot, snapshot_row
from execution.ledger.sql.schema import IDENTITY, prepare
from execution.ledger.sql.upsert import keep_orders, upsert
from execution.model.errors import LedgerUnavailable
from execution.model.order import Fill, Order
from execution.orders.codec import order_from_json
from execution.orders.store import Halt
from execution.text.json_adapter import JsonAdapter

READ_BATCH = 1000
WRITE_BATCH = 500
HALTS = "halts"
CHECKPOINT = "checkpoint"
PROBE = "probe"
_HALTS = JsonAdapter(list[Halt])
_CHECKPOINT = JsonAdapter(Checkpoint)


def open_ledger(url: str) -> Ledger:
    """The ledger that the setting `ledger_url` names. Raises LedgerUrlError."""
    return SqlLedger(url)


class SqlLedger:
    """History in a SQL database. Threads may share it; it must not be used before a fork.

    `timeout_ms` is the timeout for locks and for a server. Raises LedgerUrlError for an unusable
    URL; a missing database shows on first use.
    """

    def __init__(self, url: str, *, timeout_ms: int = 5_000) -> None:
        self._url = parse_url(url)
        self._engine = make_engine(self._url, timeout_ms)
        self._lock = Lock()
        self._is_prepared = False
        self._file: int | None = None

    def close(self) -> None:
        """Close idle connections; the next use opens new ones."""
        self._engine.dispose()

    def write(self, orders: Iterable[Order]) -> None:
        rounds = list(_rounds(orders))
        if not rounds:
            return
        with self._transaction(writes=True) as connection:
            for states in rounds:
                for start in range(0, len(states), WRITE_BATCH):
                    keep_orders(connection, states[start : start + WRITE_BATCH])

    def order(self, order_id: str) -> Order | None:
        return self._first(select(tables.orders).where(tables.orders.c.order_id == order_id))

    def order_by_exchange_id(
        self, account: str, symbol: str, exchange_order_id: str
    ) -> Order | None:
        columns = tables.orders.c
        return self._first(
            select(tables.orders)
            .where(columns.account == account, columns.symbol == symbol)
            .where(columns.exchange_order_id == exchange_order_id)
            .order_by(columns.created_at.desc(), columns.order_id.desc())
        )

    def orders(
        self,
        *,
        since: datetime | None = None,
        account: str | None = None,
        changed_since: datetime | None = None,
        newest_first: bool = False,
    ) -> Iterator[Order]:
        check_zones(since=since, changed_since=changed_since)
        columns = tables.orders.c
        query = select(columns.order_id, columns.created_at, columns.doc)
        if since is not None:
            query = query.where(columns.created_at >= since)
        if account is not None:
            query = query.where(columns.account == account)
        if changed_since is not None:
            query = query.where(columns.updated_at >= changed_since)
        key = (columns.created_at, columns.order_id)
        for rows in self._pages(query, *key, newest_first=newest_first):
            yield from self._read_orders(rows)

    def traded(self) -> list[tuple[str, str]]:
        columns = tables.fills.c
        rows = self._rows(select(columns.account, columns.symbol).distinct())
        return sorted((row["account"], row["symbol"]) for row in rows)

    def fills(self, account: str, symbol: str) -> Iterator[Fill]:
        columns = tables.fills.c
        query = select(tables.fills).where(columns.account == account, columns.symbol == symbol)
        key = (columns.sequence, columns.time, columns.trade_id, columns.side)
        for rows in self._pages(query, *key):
            yield from map(read_fill, rows)

    def unsettled(self) -> Iterator[Order]:
        columns = tables.orders.c
        query = select(columns.order_id, columns.created_at, columns.doc)
        query = query.where(columns.state.in_(UNSETTLED))
        for rows in self._pages(query, columns.created_at, columns.order_id):
            yield from self._read_orders(rows)

    def identity(self) -> str:
        return str(self._note(IDENTITY))

    def checkpoint(self) -> Checkpoint | None:
        text = self._note(CHECKPOINT)
        return None if text is None else _CHECKPOINT.validate_json(text)

    def write_checkpoint(self, checkpoint: Checkpoint) -> None:
        self._write_note(CHECKPOINT, _CHECKPOINT.dump_json(checkpoint).decode())

    def probe(self) -> None:
        # Another text each time: one that is the same might not reach the disk.
        self._write_note(PROBE, uuid4().hex)

    def write_halts(self, halts: Iterable[Halt]) -> None:
        self._write_note(HALTS, _HALTS.dump_json(list(halts)).decode())

    def halts(self) -> list[Halt]:
        text = self._note(HALTS)
        return [] if text is None else _HALTS.validate_json(text)

    def _note(self, name: str) -> str | None:
        rows = self._rows(select(tables.notes).where(tables.notes.c.name == name))
        return rows[0]["text"] if rows else None

    def _write_note(self, name: str, text: str) -> None:
        with self._transaction(writes=True) as connection:
            upsert(connection, tables.notes, [{"name": name, "text": text}])

    def write_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        rows = [snapshot_row(snapshot) for snapshot in snapshots]
        if not rows:
            return
        with self._transaction(writes=True) as connection:
            upsert(connection, tables.snapshots, rows)

    def snapshots(
        self, *, since: datetime | None = None, account: str | None = None
    ) -> Iterator[Snapshot]:
        check_zones(since=since)
        columns = tables.snapshots.c
        query = select(tables.snapshots)
        if since is not None:
            query = query.where(columns.time >= since)
        if account is not None:
            query = query.where(columns.account == account)
        for rows in self._pages(query, columns.time, columns.account, columns.quote):
            yield from map(read_snapshot, rows)

    def _first(self, query: Select[Any]) -> Order | None:
        return next(self._read_orders(self._rows(query.limit(1))), None)

    def _read_orders(self, rows: Sequence[RowMapping]) -> Iterator[Order]:
        """The orders, each with all its stored fills."""
        ids = [row["order_id"] for row in rows]
        fills: dict[str, list[Fill]] = defaultdict(list)
        if ids:
            for row in self._rows(select(tables.fills).where(tables.fills.c.order_id.in_(ids))):
                fills[row["order_id"]].append(read_fill(row))
        for row in rows:
            yield with_all_fills(order_from_json(row["doc"]), fills[row["order_id"]])

    def _pages(
        self, query: Select[Any], *key: ColumnElement[Any], newest_first: bool = False
    ) -> Iterator[Sequence[RowMapping]]:
        """The rows of a query by its unique sort key: each page begins after the last one."""
        order = [column.desc() for column in key] if newest_first else list(key)
        page = query.order_by(*order).limit(READ_BATCH)
        while True:
            rows = self._rows(page)
            yield rows
            if len(rows) < READ_BATCH:
                return
            last = [literal(rows[-1][column], column.type) for column in key]
            here, there = tuple_(*key), tuple_(*last)
            rest = query.where(here < there if newest_first else here > there)
            page = rest.order_by(*order).limit(READ_BATCH)

    def _rows(self, query: Select[Any]) -> Sequence[RowMapping]:
        with self._transaction() as connection:
            return connection.execute(query).mappings().all()

    @contextmanager
    def _transaction(self, *, writes: bool = False) -> Iterator[Connection]:
        """A transaction, in which every database error becomes LedgerUnavailable."""
        try:
            self._prepare()
            with self._engine.execution_options(writes=writes).begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            if isinstance(error, StatementError) and isinstance(error.orig, ValueError):
                raise error.orig from None  # Not a fault of the database, but of the arguments.
            # The database may have been replaced; it is checked again.
            self._is_prepared = False
            raise LedgerUnavailable(self._sentence(error)) from error

    def _prepare(self) -> None:
        with self._lock:
            if self._is_prepared and is_in_place(self._url, self._file):
                return
            # The file was removed or replaced; no other process would read what is written to the
            # open one.
            self._engine.dispose()
            make_folder(self._url)
            with self._engine.execution_options(writes=True).begin() as connection:
                prepare(connection)
            self._file = file_number(self._url)
            self._is_prepared = True

    def _sentence(self, error: Exception) -> str:
        """The error in one line that names the database and never the password."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        lines = str(cause).splitlines() or [type(cause).__name__]
        text = lines[0]
        if self._url.password:
            text = text.replace(str(self._url.password), "***")
        return f"ledger {shown(self._url)}: {text}"


def _rounds(orders: Iterable[Order]) -> Iterator[list[Order]]:
    """Lists without two states of one order, which one statement cannot write; of several states,
    the first is in the first list."""
    times: Counter[str] = Counter()
    rounds: list[list[Order]] = []
    for order in orders:
        if times[order.order_id] == len(rounds):
            rounds.append([])
        rounds[times[order.order_id]].append(order)
        times[order.order_id] += 1
    yield from rounds
