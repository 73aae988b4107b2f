"""A producer's transport to the broker, which leaves a Redis server that has become a replica."""

from kombu.transport import redis as kombu_redis

from oneorder.failover import FailoverConnection


class _FailoverChannel(kombu_redis.Channel):
    connection_class = FailoverConnection


class FailoverTransport(kombu_redis.Transport):
    """The redis:// transport."""

    Channel = _FailoverChannel
