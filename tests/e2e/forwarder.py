"""A TCP forwarder at a fixed address, as a virtual address or a DNS name before a failover is."""

import socket
import threading
from contextlib import suppress
from typing import Self


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
