"""What a failover needs: a second server that replicates the first, and a TCP forwarder at a fixed
address, as a virtual address or a DNS name is."""

import socket
import sys
import threading
from contextlib import suppress
from typing import Any, Self

from redis import RedisError

from execution.store.connection import connect
from workers.local_stack import LocalStack, free_port


class Forwarder:
    """New connections go to `target`, a port on loopback; those that are open stay where they
    are."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # The test is over.
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
    except OSError:
        pass  # The other side is gone; so are we, below.
    for end in (source, sink):
        # Closing alone would not wake the thread that reads from it.
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def start_replica(stack: LocalStack) -> tuple[int, Any]:
    """Start a second server that replicates the stack's; return its port and a client of it."""
    port = free_port()
    data = str(stack.directory / "replica")
    command = [sys.executable, "-m", "workers.cli", "redis", "--port", str(port), "--dir", data]
    stack.start("replica", command)
    client: Any = connect(f"redis://127.0.0.1:{port}/0")
    stack.wait_for("the replica's start", lambda: is_up(client))
    # The master would wait for further replicas before it copies itself.
    master: Any = connect(stack.redis_url)
    master.config_set("repl-diskless-sync-delay", 0)
    client.replicaof("127.0.0.1", stack.redis_port)
    stack.wait_for("the link", lambda: client.info("replication")["master_link_status"] == "up")
    return port, client


def is_up(client: Any) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


def has_caught_up(old: Any, new: Any) -> bool:
    sent = old.info("replication")["master_repl_offset"]
    return bool(new.info("replication")["slave_repl_offset"] >= sent)
