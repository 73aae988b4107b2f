"""A TCP forwarder at a fixed address, like a virtual address or a DNS name: its target can change,
and it can become a black hole."""

import socket
import threading
from contextlib import suppress
from typing import Self


class Forwarder:
    """New connections go to `target`, a port on loopback; open ones keep their target.

    Without a target, connections are accepted and closed. While it is a black hole they are
    accepted, and nothing passes in either direction; what was sent arrives afterwards.
    """

    def __init__(self, target: int | None = None) -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.http_url = f"http://127.0.0.1:{self.port}"
        self._lets_through = threading.Event()
        self._lets_through.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.let_through()

    @property
    def is_black_hole(self) -> bool:
        return not self._lets_through.is_set()

    def become_black_hole(self) -> None:
        """Stop forwarding, also on open connections."""
        self._lets_through.clear()

    def let_through(self) -> None:
        """Forward again, delayed data first."""
        self._lets_through.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # The forwarder is closed.
            self._lets_through.wait()
            try:
                server = socket.create_connection(("127.0.0.1", self.target or 0))
            except OSError:
                client.close()
                continue
            for ways in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pump, args=ways, daemon=True).start()

    def passes(self, data: bytes, *, is_answer: bool) -> bool:
        """Whether these bytes go through; where they do not, their connection ends."""
        del data, is_answer
        return True

    def _pump(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        # A closed end is no error here: the other one is closed too, below.
        with suppress(OSError):
            while data := source.recv(65_536):
                self._lets_through.wait()
                if not self.passes(data, is_answer=is_answer):
                    break
                sink.sendall(data)
        for end in (source, sink):
            # Closing alone would not wake the thread that reads from the socket.
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
