"""Opens Redis and the ledger, by the settings. It imports little, since every command uses it."""

from typing import TYPE_CHECKING

from execution.ledger.port import Ledger
from execution.model.clock import SystemClock
from workers.configuration.settings import Settings, ledger_url_of

if TYPE_CHECKING:
    from execution.store.stores import Stores


def stores_of(settings: Settings) -> "Stores":
    """All stores in Redis, with a connection for every thread and some more."""
    # A command that reads only the ledger does not import redis-py.
    from execution.store.stores import open_stores

    return open_stores(
        settings.redis_url,
        SystemClock(),
        connections_max=settings.worker_threads + 20,
        remember_s=settings.remember_days * 86_400,
    )


def ledger_of(settings: Settings) -> Ledger:
    """History. Raises LedgerUrlError."""
    # A command that reads only Redis does not import SQLAlchemy.
    from execution.ledger.sql.ledger import open_ledger

    return open_ledger(ledger_url_of(settings))
