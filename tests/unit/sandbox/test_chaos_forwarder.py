"""The forwarder behind which servers change places and exchanges become black holes."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from workers.sandbox.chaos.disorders.forwarder import Forwarder

PATIENCE_S = 10.0


class Server:
    """Answers every connection's first bytes with its name and them."""

    def __init__(self, name: str) -> None:
        self._name = name.encode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # The test is over.
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client:
            while data := client.recv(100):
                client.sendall(self._name + data)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    with closing(Server("first ")) as first, closing(Server("second ")) as second:
        yield first, second


def connected(forwarder: Forwarder) -> socket.socket:
    return socket.create_connection(("127.0.0.1", forwarder.port), PATIENCE_S)


def asked(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    return connection.recv(100)


def test_new_connections_go_to_the_new_target_and_open_ones_stay(
    servers: tuple[Server, Server],
) -> None:
    first, second = servers
    with Forwarder(first.port) as forwarder, connected(forwarder) as old:
        assert asked(old, b"a") == b"first a"
        forwarder.target = second.port
        with connected(forwarder) as new:
            assert asked(new, b"b") == b"second b"
        assert asked(old, b"c") == b"first c"


def test_a_black_hole_accepts_and_is_silent_and_what_was_sent_arrives_afterwards(
    servers: tuple[Server, Server],
) -> None:
    with Forwarder(servers[0].port) as forwarder, connected(forwarder) as old:
        assert asked(old, b"a") == b"first a"
        forwarder.become_black_hole()
        assert forwarder.is_black_hole
        with connected(forwarder) as new:
            for connection in (old, new):
                connection.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    asked(connection, b"b")
            forwarder.let_through()
            for connection in (old, new):
                connection.settimeout(PATIENCE_S)
                assert connection.recv(100) == b"first b"


def test_without_a_server_behind_it_a_connection_is_closed() -> None:
    with Forwarder() as forwarder, connected(forwarder) as connection:
        assert connection.recv(100) == b""
