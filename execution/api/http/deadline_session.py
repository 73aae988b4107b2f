"""A requests session in which one deadline covers a whole request.

The timeout of requests, and so of ccxt, applies to each read of the socket: a server that sends a
byte from time to time can block the calling thread forever. Here name lookup, connection, TLS
handshake, sending, headers and body share one deadline, and each step may only take what is left of
it. Nothing is ever sent twice, and no redirect is followed.
"""

import io
import socket
import threading
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import TooManyRedirects
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError

from execution.api.http.resolver import addresses_of
from execution.model.clock import steady_ms

# The rest of a deadline is never 0, which would make a socket non-blocking.
LEAST_MS = 1
REDIRECTS = range(300, 400)


class _Deadline(threading.local):
    """When the request of the calling thread must have ended, on the monotonic clock."""

    at_ms: int | None = None

    def left_ms(self) -> int | None:
        return None if self.at_ms is None else max(LEAST_MS, self.at_ms - steady_ms())

    def bound(self, sock: socket.socket) -> None:
        """Limit the socket's next call to the time left."""
        left_ms = self.left_ms()
        sock.settimeout(None if left_ms is None else left_ms / 1_000)


_deadline = _Deadline()


class _Reader(io.RawIOBase):
    """Reads from a connection with the rest of the deadline as the timeout."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if _deadline.left_ms() == LEAST_MS:
            raise TimeoutError("timed out")
        _deadline.bound(self._sock)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Readable:
    """What http.client needs of a socket: the file that it reads from."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock))


class _Response(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(_Readable(sock), *args, **options)  # type: ignore[arg-type]


class _WithinDeadline:
    """Mixin before a connection class of urllib3."""

    response_class = _Response
    sock: socket.socket | None
    timeout: Any
    host: str
    port: int
    _dns_host: str

    def _new_conn(self) -> socket.socket:
        """Connect to the first of the host's addresses that answers, all within the deadline."""
        host = self._dns_host
        try:
            sock = self._first_of(addresses_of(host, _deadline.left_ms()))
        except socket.gaierror as error:
            raise NameResolutionError(host, self, error) from error  # type: ignore[arg-type]
        finally:
            self._dns_host = host
        # The TLS handshake and the sending get the rest.
        _deadline.bound(sock)
        return sock

    def _first_of(self, addresses: list[str]) -> socket.socket:
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            left_ms = _deadline.left_ms()
            # An address that does not answer leaves time for the next one.
            self.timeout = None if left_ms is None else left_ms / 1_000 / left
            self._dns_host = address
            try:
                return super()._new_conn()  # type: ignore[misc, no-any-return]
            except ConnectTimeoutError:
                if left == 1:
                    raise
        raise socket.gaierror(socket.EAI_NONAME, "the name has no address")

    def send(self, data: Any) -> None:
        if self.sock is not None:
            _deadline.bound(self.sock)
        super().send(data)  # type: ignore[misc]


class _HttpConnection(_WithinDeadline, HTTPConnection):  # type: ignore[misc]
    pass


class _HttpsConnection(_WithinDeadline, HTTPSConnection):  # type: ignore[misc]
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


_POOLS = {"http": _HttpPool, "https": _HttpsPool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class DeadlineSession(requests.Session):
    """`timeout` of a request is for all of it, in seconds. A redirect raises TooManyRedirects,
    because following it would send a placement twice."""

    def __init__(self) -> None:
        super().__init__()
        self.max_redirects = 0
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(max_retries=0))

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        timeout_s = options.get("timeout")
        _deadline.at_ms = None if timeout_s is None else steady_ms() + int(timeout_s * 1_000)
        try:
            answer = super().request(method, url, *args, **{**options, "allow_redirects": False})
        finally:
            _deadline.at_ms = None
        if answer.status_code in REDIRECTS:
            raise TooManyRedirects(f"{method} was answered with a redirect", response=answer)
        return answer
