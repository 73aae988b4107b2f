"""A TCP proxy before Redis that cuts a connection while a message is being handed over."""

import threading

from workers.sandbox.chaos.disorders.forwarder import Forwarder


class CuttingProxy(Forwarder):
    """Forwards bytes both ways; the first `cuts` answers that contain `marker` are lost, and their
    connection with them, after the server has already given the message away."""

    def __init__(self, port: int, marker: bytes, cuts: int) -> None:
        super().__init__(port)
        self._marker = marker
        self._left = cuts
        self.cut = 0
        self._lock = threading.Lock()

    def passes(self, data: bytes, *, is_answer: bool) -> bool:
        if not is_answer or self._marker not in data:
            return True
        with self._lock:
            if not self._left:
                return True
            self._left -= 1
            self.cut += 1
            return False
