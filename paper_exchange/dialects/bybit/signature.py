"""API keys, time windows and signatures in the headers of a request, as Bybit reads them."""

import re
from collections.abc import Mapping

from paper_exchange.dialects.bybit.errors import ApiError, wrong
from paper_exchange.dialects.signing import is_signature
from paper_exchange.dialects.window import Window
from paper_exchange.server.dialect import Call

KEY_HEADER = "X-BAPI-API-KEY"
SIGN_HEADER = "X-BAPI-SIGN"
TIMESTAMP_HEADER = "X-BAPI-TIMESTAMP"
WINDOW_HEADER = "X-BAPI-RECV-WINDOW"
RECV_WINDOW_MS = "5000"

_is_ms = re.compile(r"[0-9]{1,18}").fullmatch


def authenticate(call: Call, secrets: Mapping[str, bytes]) -> tuple[str, Window]:
    """The account that a request is signed for and its time window.

    The signature covers the timestamp, the key, the window, then the query string or the body.
    """
    account = call.headers.get(KEY_HEADER, "")
    if account not in secrets:
        raise ApiError(10003, "API key is invalid.")
    timestamp = call.headers.get(TIMESTAMP_HEADER, "")
    recv_window = call.headers.get(WINDOW_HEADER, RECV_WINDOW_MS)
    for name, value in ((TIMESTAMP_HEADER, timestamp), (WINDOW_HEADER, recv_window)):
        if not _is_ms(value):
            raise wrong(name)
    sent = call.query if call.method == "GET" else call.body.decode("utf-8", "replace")
    payload = timestamp + account + recv_window + sent
    if not is_signature(secrets[account], payload, call.headers.get(SIGN_HEADER, "")):
        raise ApiError(10004, "Error sign, please check your signature generation algorithm.")
    return account, Window(int(timestamp), int(recv_window))


def check_window(window: Window, now_ms: int) -> None:
    """Raise 10002 outside the window."""
    if window.is_early(now_ms) or window.is_late(now_ms):
        raise ApiError(
            10002,
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{window.timestamp_ms}],server_timestamp[{now_ms}],"
            f"recv_window[{window.recv_window_ms}]",
        )
