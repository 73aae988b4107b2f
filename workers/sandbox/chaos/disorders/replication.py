"""Two Valkeys behind one address: a master, and a replica that can take its place."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from signal import SIGKILL
from typing import Any

from execution.store.access.connection import connect, guarded
from workers.sandbox.chaos.disorders.forwarder import Forwarder
from workers.sandbox.local_stack import LocalStack, free_port, is_up, redis_url_of

READY_PATIENCE_S = 4.0
# Longer than a failover takes on a slow machine: a write that got through would be lost.
HELD_MS = 30_000
CAUGHT_UP_PATIENCE_S = 2.0
POLL_S = 0.02


def start_replica(stack: LocalStack) -> tuple[int, Any]:
    """Start a replica of the stack's server; returns its port and a client."""
    port = free_port()
    stack.start_valkey("replica", port)
    client: Any = connect(redis_url_of(port))
    # The master would wait for further replicas before the full sync.
    master: Any = connect(redis_url_of(stack.redis_port))
    master.config_set("repl-diskless-sync-delay", 0)
    client.replicaof("127.0.0.1", stack.redis_port)
    stack.wait_for("the link", lambda: client.info("replication")["master_link_status"] == "up")
    return port, client


def has_caught_up(old: Any, new: Any) -> bool:
    """Whether the replica `new` has all writes of the master `old`."""
    sent = old.info("replication")["master_repl_offset"]
    return bool(new.info("replication")["slave_repl_offset"] >= sent)


@dataclass(frozen=True, slots=True)
class Server:
    """One of the two servers, by the name of its process."""

    name: str
    port: int
    client: Any


class RedisPair:
    """The stack's Valkey and its replica; `address` forwards to the current master."""

    def __init__(self, stack: LocalStack, address: Forwarder) -> None:
        self._stack = stack
        self._address = address
        address.target = stack.redis_port
        stack.start_redis()
        port, client = start_replica(stack)
        first: Any = connect(redis_url_of(stack.redis_port))
        self._master = Server("redis", stack.redis_port, first)
        self._replica = Server("replica", port, client)

    @property
    def names(self) -> tuple[str, str]:
        return (self._master.name, self._replica.name)

    @guarded
    def restart_master(self, pause_s: float) -> None:
        """Kill the master, and restart it on its data; its replica waits for it and syncs."""
        master = self._master
        self._stack.kill(master.name, SIGKILL)
        time.sleep(pause_s)
        self._stack.start_again(master.name)
        self._stack.wait_for(master.name, lambda: is_up(redis_url_of(master.port)))
        master.client.config_set("repl-diskless-sync-delay", 0)

    @guarded
    def fail_over(self) -> bool:
        """Swap master and replica; returns False if the replica was not ready in time.

        Replication is asynchronous: a confirmed write that the replica has not received would be
        lost. So all writes are paused until it has every one, and continue at the new master only.
        The old master refuses the paused ones: it is a replica before the pause ends. Raises
        StoreUnavailable.
        """
        old, new = self._master, self._replica
        if not _comes_true(lambda: _is_fit(new.client), READY_PATIENCE_S):
            return False
        old.client.execute_command("CLIENT", "PAUSE", HELD_MS, "WRITE")
        try:
            if not _comes_true(
                lambda: has_caught_up(old.client, new.client) and _is_fit(new.client),
                CAUGHT_UP_PATIENCE_S,
            ):
                return False
            new.client.replicaof("NO", "ONE")
            new.client.config_set("repl-diskless-sync-delay", 0)
            self._address.target = new.port
            old.client.replicaof("127.0.0.1", new.port)
            self._master, self._replica = new, old
        finally:
            old.client.execute_command("CLIENT", "UNPAUSE")
        return True


def _is_fit(replica: Any) -> bool:
    """Whether it is linked to its master, and confirms a write only when it is on disk: after a
    full sync it does so only once its append-only file has been rewritten."""
    link, disk = replica.info("replication"), replica.info("persistence")
    is_linked = link["role"] == "slave" and link["master_link_status"] == "up"
    is_rewriting = disk["aof_rewrite_in_progress"] or disk["aof_rewrite_scheduled"]
    return bool(is_linked and disk["aof_enabled"] and not is_rewriting)


def _comes_true(is_true: Callable[[], bool], patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
