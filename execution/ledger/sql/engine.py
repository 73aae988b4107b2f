"""Database engines for the setting `ledger_url`, with timeouts."""

import re
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from execution.model.errors import LedgerUrlError

# As many as a worker has threads, and some more for scheduled work.
CONNECTIONS = 8
_DRIVERS = {"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"}
_FORMS = "sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE"


def parse_url(text: str) -> URL:
    """Read a `ledger_url`. Raises LedgerUrlError, with the password hidden."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise LedgerUrlError(f"ledger_url: {_masked(text)!r} is not of the form {_FORMS}") from None
    if url.drivername not in _DRIVERS:
        raise LedgerUrlError(f"ledger_url: {shown(url)!r} is not of the form {_FORMS}")
    if url.get_backend_name() == "postgresql":
        return url
    if url.query:
        raise LedgerUrlError(f"ledger_url: {shown(url)!r} takes no options, and has some after '?'")
    if not _names_a_file(url.database):
        raise LedgerUrlError(
            f"ledger_url: {shown(url)!r} names no file, and history must outlive the process; "
            "write sqlite:///FILE"
        )
    if not _is_path(str(url.database)):
        raise LedgerUrlError(
            f"ledger_url: {shown(url)!r} has a character that no file name has, or is too long"
        )
    return url


def shown(url: URL) -> str:
    """The URL for display: no password, and no options, which could hold one."""
    if url.get_backend_name() == "sqlite":
        return f"{url.drivername}:///{url.database or ''}"
    return url.set(query={}).render_as_string(hide_password=True)


def make_engine(url: URL, timeout_ms: int) -> Engine:
    """An engine for the URL, not connected yet.

    The timeout for a lock is `timeout_ms`, and also (in whole seconds) that for a connection.
    Raises LedgerUrlError if PostgreSQL's driver is not installed.
    """
    settings: dict[str, Any] = {
        "hide_parameters": True,  # The written values must not be in an error's sentence.
        "pool_size": CONNECTIONS,
        "max_overflow": CONNECTIONS,
        "pool_timeout": _seconds(timeout_ms),
    }
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, **settings)
        _tune_sqlite(engine, timeout_ms)
        return engine
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            **settings,
            pool_pre_ping=True,
            connect_args=_patience(url, timeout_ms),
        )
    except ImportError:
        raise LedgerUrlError(
            f"ledger_url: {shown(url)!r} needs PostgreSQL's driver, which is not installed; "
            "run pip install 'oneorder[postgres]'"
        ) from None
    _tune_postgresql(engine, timeout_ms)
    return engine


def make_folder(url: URL) -> None:
    """Create the folder of an SQLite file. Raises OSError."""
    if url.get_backend_name() == "sqlite" and url.database is not None:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def file_number(url: URL) -> int | None:
    """The file system's identity of an SQLite file; None if there is no file."""
    if url.get_backend_name() != "sqlite" or url.database is None:
        return None
    path = Path(url.database)
    return path.stat().st_ino if path.exists() else None


def is_in_place(url: URL, number: int | None) -> bool:
    """Whether an SQLite file still has that identity; always true for a server."""
    return url.get_backend_name() != "sqlite" or file_number(url) == number


def _tune_sqlite(engine: Engine, timeout_ms: int) -> None:
    """Readers concurrent with one writer, which waits for its turn, and commits that survive a
    power cut."""

    @event.listens_for(engine, "connect")
    def tune(connection: Any, record: object) -> None:
        del record
        # The driver would begin transactions by its own rules; `begin` below does it instead.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {timeout_ms:d}")
        # Refused without waiting while another process does the same. The file keeps it, so it is
        # enough if one of them succeeds; any other error shows at the next statement.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads and then writes would fail at once if another wrote in between.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _tune_postgresql(engine: Engine, timeout_ms: int) -> None:
    @event.listens_for(engine, "connect")
    def tune(connection: Any, record: object) -> None:
        del record
        connection.execute(f"SET lock_timeout = {timeout_ms:d}")
        connection.commit()


def _patience(url: URL, timeout_ms: int) -> dict[str, int]:
    """The timeout of a silent server, unless the URL has its own."""
    wanted = {
        "connect_timeout": _seconds(timeout_ms),
        "tcp_user_timeout": 2 * timeout_ms,
        "keepalives_idle": _seconds(timeout_ms),
        "keepalives_interval": 1,
        "keepalives_count": 5,
    }
    return {name: value for name, value in wanted.items() if name not in url.query}


def _seconds(timeout_ms: int) -> int:
    return max(1, timeout_ms // 1000)


def _names_a_file(database: str | None) -> bool:
    return bool(database) and database != ":memory:" and not str(database).startswith("file:")


def _is_path(database: str) -> bool:
    """Whether the file system allows a file with that name."""
    try:
        database.encode()
        Path(database).stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return True
    except (OSError, ValueError):
        return False
    return True


def _masked(text: str) -> str:
    """A text that is no URL, without a possible password: everything between its scheme and its
    last @, and its options."""
    text = text.partition("?")[0]
    head, at, host = text.rpartition("@")
    scheme = re.match(r"[A-Za-z+]*:?/*", head)
    return f"{scheme.group() if scheme else ''}***@{host}" if at else text
