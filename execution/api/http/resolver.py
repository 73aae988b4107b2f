"""Resolves names within a time limit, which the C library does not offer.

A hanging lookup cannot be ended; it continues in a separate thread, at most one for each name, and
all requests that need that name meanwhile wait for the same lookup.
"""

import socket
import threading
from concurrent.futures import Future
from ipaddress import ip_address


class _Lookups:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Future[list[str]]] = {}

    def begin(self, host: str) -> Future[list[str]]:
        """The running lookup of the name, started now if there is none."""
        with self._lock:
            lookup = self._running.get(host)
            if lookup is None:
                lookup = self._running[host] = Future()
                name = f"lookup-{host}"
                threading.Thread(
                    target=self._run, args=(host, lookup), name=name, daemon=True
                ).start()
            return lookup

    def _run(self, host: str, lookup: Future[list[str]]) -> None:
        try:
            answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
        except (OSError, UnicodeError) as error:
            self._end(host)
            lookup.set_exception(error)
        else:
            self._end(host)
            lookup.set_result(addresses)

    def _end(self, host: str) -> None:
        with self._lock:
            self._running.pop(host, None)


_lookups = _Lookups()


def addresses_of(host: str, timeout_ms: int | None) -> list[str]:
    """The addresses of a name, in the order of preference; an address is its own.

    Raises socket.gaierror if there is none, or none in time.
    """
    try:
        return [str(ip_address(host.strip("[]")))]
    except ValueError:
        pass
    try:
        return _lookups.begin(host).result(None if timeout_ms is None else timeout_ms / 1_000)
    except TimeoutError as error:
        raise socket.gaierror(
            socket.EAI_AGAIN, f"{host!r} was not resolved within {timeout_ms} ms"
        ) from error
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, f"{host!r} is not a host name") from error
