"""One deadline for a whole request, no repeats and no redirects, whatever a server does."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import ccxt
import pytest

from execution.api.binance_api import binance_client
from execution.api.http.deadline_session import DeadlineSession
from execution.api.strict.failures import failure_of
from tests.support.api.raw_server import RawServer

TIMEOUT_S = 1
SLACK_S = 0.7
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = b'{"serverTime": 1700000000000, "padding": "' + b"x" * 400 + b'"}'


def _plain(body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return OK + lines + b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body


_BODY_AT = len(_plain(BODY)) - len(BODY)
_ZIPPED = _plain(gzip.compress(BODY, mtime=0), b"Content-Encoding: gzip")
_CHUNKED = (
    OK
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"".join(b"1\r\n" + bytes([byte]) + b"\r\n" for byte in BODY)
)
DRIPS = {
    "nothing at all": (b"", 0),
    "the status line": (_plain(BODY), 0),
    "the headers": (_plain(BODY), 20),
    "the body": (_plain(BODY), _BODY_AT),
    "chunks": (_CHUNKED, _CHUNKED.index(b"\r\n\r\n") + 4),
    "a compressed body": (_ZIPPED, _ZIPPED.index(b"\r\n\r\n") + 4),
    "a body without an end": (OK + b"\r\n" + BODY * 10, len(OK) + 2),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_an_answer_that_trickles_holds_a_thread_no_longer_than_the_timeout(drip: str) -> None:
    answer, start = DRIPS[drip]

    def serve(connection: socket.socket) -> None:
        server.request_on(connection)
        connection.sendall(answer[:start])
        server.drip(connection, answer[start:])
        time.sleep(5)

    server = RawServer(serve)
    with closing(server):
        client = binance_client("key", "secret", server.url, TIMEOUT_S)
        began_s = time.monotonic()
        with pytest.raises(ccxt.RequestTimeout) as timed_out:
            client.public_get_time()
        assert time.monotonic() - began_s < TIMEOUT_S + SLACK_S
        assert failure_of(timed_out.value, client).reached, "what was sent may have arrived"


@contextmanager
def _handshakes_never() -> Iterator[int]:
    """A port that takes connections, and bytes, and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_handshake_that_never_ends_is_within_the_deadline() -> None:
    with _handshakes_never() as port:
        began_s = time.monotonic()
        client = binance_client("key", "secret", f"https://127.0.0.1:{port}", TIMEOUT_S)
        with pytest.raises(ccxt.NetworkError):
            client.public_get_time()
        assert time.monotonic() - began_s < TIMEOUT_S + SLACK_S


def test_a_connection_that_is_never_taken_proves_that_nothing_was_sent() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        client = binance_client("key", "secret", f"http://127.0.0.1:{port}", TIMEOUT_S)
        began_s = time.monotonic()
        client.sent = True
        with pytest.raises(ccxt.NetworkError) as timed_out:
            client.public_get_time()
        assert time.monotonic() - began_s < TIMEOUT_S + SLACK_S
        assert not failure_of(timed_out.value, client).reached
        for each in waiting:
            each.close()


def test_an_unknown_host_proves_that_nothing_was_sent() -> None:
    client = binance_client("key", "secret", "http://no-such-host.invalid", TIMEOUT_S)
    with pytest.raises(ccxt.NetworkError) as failed:
        client.public_get_time()
    assert not failure_of(failed.value, client).reached


def test_an_answer_in_time_is_read_whole_on_a_connection_that_is_kept() -> None:
    connections = []

    def serve(connection: socket.socket) -> None:
        connections.append(connection)
        while server.request_on(connection):
            connection.sendall(_ZIPPED)

    server = RawServer(serve)
    with closing(server):
        client = binance_client("key", "secret", server.url, TIMEOUT_S)
        for _ in range(3):
            assert client.public_get_time()["serverTime"] == 1_700_000_000_000
    assert len(connections) == 1


@pytest.mark.parametrize("earlier", [0, 1, 3])
def test_a_request_that_was_read_and_then_cut_is_never_sent_again(earlier: int) -> None:
    """On a new connection, and on one that was kept alive."""

    def serve(connection: socket.socket) -> None:
        while b"secret-order" not in server.request_on(connection):
            connection.sendall(_plain(b"{}"))

    server = RawServer(serve)
    with closing(server):
        session = DeadlineSession()
        for _ in range(earlier):
            session.request("POST", server.url, data=b"warm", timeout=TIMEOUT_S)
        with pytest.raises(OSError, match=r"aborted|reset|closed"):
            session.request("POST", server.url, data=b"secret-order", timeout=TIMEOUT_S)
        time.sleep(0.2)
        assert len([data for data in server.received if b"secret-order" in data]) == 1


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", [b"Location: /elsewhere", b"X-No-Location: 1"])
def test_a_redirect_is_an_error_and_is_not_followed(status: int, location: bytes) -> None:
    """Also one whose body looks like a good answer."""
    answer = _plain(BODY, location).replace(b"200 OK", str(status).encode() + b" Elsewhere")

    def serve(connection: socket.socket) -> None:
        while server.request_on(connection):
            connection.sendall(answer)

    server = RawServer(serve)
    with closing(server):
        client = binance_client("key", "secret", server.url, TIMEOUT_S)
        with pytest.raises(ccxt.ExchangeError):
            client.public_get_time()
        assert len(server.received) == 1


def test_threads_have_deadlines_of_their_own() -> None:
    def serve(connection: socket.socket) -> None:
        server.request_on(connection)
        time.sleep(0.6)
        connection.sendall(_plain(BODY))

    took: dict[float, bool] = {}

    def ask(timeout_s: float) -> None:
        try:
            took[timeout_s] = DeadlineSession().request("GET", server.url, timeout=timeout_s).ok
        except OSError:
            took[timeout_s] = False

    server = RawServer(serve)
    with closing(server):
        threads = [threading.Thread(target=ask, args=(limit,)) for limit in (0.2, 3.0)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert took == {0.2: False, 3.0: True}
