"""Opens what is kept, by the settings: Redis and the ledger. Light, as every command needs it."""

from typing import TYPE_CHECKING

from execution.ledger.port import Ledger
from execution.model.clock import SystemClock
from workers.configuration.settings import Settings, ledger_url_of

if TYPE_CHECKING:
    from execution.store.stores import Stores


def stores_of(settings: Settings) -> "Stores":
    """Everything in Redis, with a connection for every thread and some to spare."""
    # A command that reads the ledger alone is done before redis-py is imported.
    from execution.store.stores import open_stores

    return open_stores(
        settings.redis_url,
        SystemClock(),
        connections_max=settings.worker_threads + 20,
        remember_s=settings.remember_days * 86_400,
    )


def ledger_of(settings: Settings) -> Ledger:
    """History. Raises LedgerUrlError."""
    # A command that reads Redis alone is done before SQLAlchemy is imported.
    from execution.ledger.sql.ledger import open_ledger

    return open_ledger(ledger_url_of(settings))
