"""The connection to Redis (or Valkey), and the conversion of its errors."""

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from importlib.resources import files
from itertools import islice
from typing import Any, ParamSpec, TypeVar

from redis import (
    Connection,
    ConnectionError,  # noqa: A004
    ConnectionPool,
    Redis,
    RedisError,
    SSLConnection,
    TimeoutError,  # noqa: A004
    UnixDomainSocketConnection,
)
from redis.connection import parse_url

from execution.model.errors import StoreUnavailable
from oneorder.failover import FailoverConnection, FailoverSSLConnection, FailoverUnixConnection

READ_BATCH = 500

P = ParamSpec("P")
T = TypeVar("T")


_FAILOVER_CLASSES: dict[type, type] = {
    Connection: FailoverConnection,
    SSLConnection: FailoverSSLConnection,
    UnixDomainSocketConnection: FailoverUnixConnection,
}


class FailoverPool(ConnectionPool):
    """A pool in which a connection that leaves a replica also drops the idle ones, so that each
    thread fails at most once."""

    def release(self, connection: Any) -> None:
        if connection.should_reconnect():
            self.disconnect(inuse_connections=False)
        super().release(connection)


def connect(url: str, *, connections_max: int = 64) -> Redis:
    """Open a pool with timeouts that leaves a server which has become a replica.

    The client never retries: the order manager handles a lost reply. Raises ValueError for a URL of
    no known form.
    """
    parsed: Any = parse_url(url)  # type: ignore[no-untyped-call]  # redis-py's own, and public.
    pool = FailoverPool.from_url(
        url,
        connection_class=_FAILOVER_CLASSES[parsed.get("connection_class", Connection)],
        decode_responses=True,
        socket_timeout=3,
        socket_connect_timeout=3,
        socket_keepalive=True,
        health_check_interval=2,
        max_connections=connections_max,
        # Bytes that are not UTF-8 are escaped; one bad entry must not hide the others.
        encoding_errors="backslashreplace",
    )
    return Redis.from_pool(pool)


class RedisStore:
    """What the stores in Redis have in common: a client, and records with a document each."""

    def __init__(self, client: Redis) -> None:
        self._redis: Any = client

    def _docs(self, records: Iterable[str]) -> Iterator[str]:
        """The documents of those of the records that are there, read batch by batch."""
        left = iter(records)
        while batch := list(islice(left, READ_BATCH)):
            pipe = self._redis.pipeline(transaction=False)
            for key in batch:
                pipe.hget(key, "doc")
            yield from (doc for doc in pipe.execute() if doc is not None)


def guarded(method: Callable[P, T]) -> Callable[P, T]:
    """Make a method raise StoreUnavailable for every error of the connection or the server."""

    @wraps(method)
    def answered(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except RedisError as error:
            raise StoreUnavailable(_sentence(error, args[0] if args else None)) from error

    return answered


def _sentence(error: RedisError, owner: object) -> str:
    # Their subclasses have other meanings: a wrong password, a server that is loading.
    if type(error) not in (ConnectionError, TimeoutError):
        return f"Redis: {type(error).__name__}: {error}"
    client = getattr(owner, "_redis", None)
    if not isinstance(client, Redis):
        return f"cannot reach Redis (redis_url); is it running? {error}"
    where = client.connection_pool.connection_kwargs
    address = f"{where.get('host', 'localhost')}:{where.get('port', 6379)}"
    return f"cannot reach Redis at {address} (redis_url); is it running? {error}"


def script(client: Any, name: str) -> Any:
    """Register lua/NAME.lua; the result is called with keys and arguments."""
    source = files("execution.store").joinpath("lua", f"{name}.lua").read_text()
    return client.register_script(source)
