"""Connections that leave a Redis server once it has become a replica.

After a failover the address leads to the new master, but open connections still lead to the old
one, which answers every write with READONLY until they are closed.
"""

from typing import Any

from redis import Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import MasterDownError, ReadOnlyError

# Answers only of a server that is not the master (any more): it has written nothing.
NOT_THE_MASTER = (ReadOnlyError, MasterDownError)


class _LeavesReplicas:
    """Marks itself for reopening when its server says that it is not the master."""

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().read_response(*args, **kwargs)  # type: ignore[misc]  # A mixin.
        except NOT_THE_MASTER:
            self.mark_for_reconnect()  # type: ignore[attr-defined]  # Of the class beside it.
            raise


class FailoverConnection(_LeavesReplicas, Connection):
    """Over TCP."""


class FailoverSSLConnection(_LeavesReplicas, SSLConnection):
    """Over TLS."""


class FailoverUnixConnection(_LeavesReplicas, UnixDomainSocketConnection):
    """Over a socket in the file system."""
