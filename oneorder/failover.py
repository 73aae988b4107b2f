"""The broker's connections of a producer, which leave a Redis server that has become a replica."""

from typing import Any

from kombu.transport import redis as kombu_redis
from redis import Connection
from redis.exceptions import MasterDownError, ReadOnlyError

# What only a server says that is not the master, or no longer: it has written nothing.
NOT_THE_MASTER = (ReadOnlyError, MasterDownError)


class _FailoverConnection(Connection):
    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().read_response(*args, **kwargs)
        except NOT_THE_MASTER:
            # The address may lead to the new master already.
            self.mark_for_reconnect()  # type: ignore[no-untyped-call]  # redis-py's own.
            raise


class _FailoverChannel(kombu_redis.Channel):
    connection_class = _FailoverConnection


class FailoverTransport(kombu_redis.Transport):
    """The redis:// transport."""

    Channel = _FailoverChannel
