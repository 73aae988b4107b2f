"""A server below HTTP: what it does with each connection is a function of the socket."""

import socket
import threading
import time
from collections.abc import Callable

Serve = Callable[[socket.socket], None]


class RawServer:
    """Listens on loopback until `close`. `received` has what came on each connection, as far as
    `serve` read it with `request_on`."""

    def __init__(self, serve: Serve) -> None:
        self.received: list[bytes] = []
        self._serve = serve
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._serve(connection)
            except OSError:
                # The client has given up, as it should.
                return

    def request_on(self, connection: socket.socket) -> bytes:
        """Read one request, headers and body; b"" where the client has gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65_536)
            if not part:
                return b""
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        while len(body) < sum(lengths):
            body += connection.recv(65_536)
        whole = head + b"\r\n\r\n" + body
        self.received.append(whole)
        return whole

    def drip(self, connection: socket.socket, data: bytes, pause_s: float = 0.1) -> None:
        """Send a byte now and then, for as long as the server lives."""
        for number in range(len(data)):
            if self._closed.is_set():
                return
            connection.sendall(data[number : number + 1])
            time.sleep(pause_s)

    def close(self) -> None:
        self._closed.set()
        self._listener.close()
        self._thread.join(0.1)
