"""A TCP proxy before Redis that cuts a connection while a message is being handed over."""

import socket
import threading
from typing import Self


class CuttingProxy:
    """Forwards bytes both ways; the first `cuts` answers that contain `marker` are lost, and their
    connection with them, after the server has already given the message away."""

    def __init__(self, port: int, marker: bytes, cuts: int) -> None:
        self._target = ("127.0.0.1", port)
        self._marker = marker
        self._left = cuts
        self.cut = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
            except OSError:
                return  # The listener or the server is closed: the test is over.
            for source, sink, guarded in ((client, server, False), (server, client, True)):
                pump = threading.Thread(
                    target=self._pump, args=(source, sink, guarded), daemon=True
                )
                pump.start()

    def _pump(self, source: socket.socket, sink: socket.socket, guarded: bool) -> None:
        try:
            while data := source.recv(65_536):
                if guarded and self._marker in data and self._takes_a_cut():
                    break
                sink.sendall(data)
        except OSError:
            pass  # The other side is gone; so are we, below.
        for end in (source, sink):
            end.close()

    def _takes_a_cut(self) -> bool:
        with self._lock:
            if not self._left:
                return False
            self._left -= 1
            self.cut += 1
            return True
