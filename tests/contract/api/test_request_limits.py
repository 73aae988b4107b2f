"""How long each exchange wants to be left alone, by its own documents' words."""

from datetime import UTC, datetime

import pytest

from execution.api.http.request_limits import WAIT_MAX_S, Wait, wait_of

NOW = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1_000)
IN_90_S = "Fri, 27 Nov 2026 12:01:30 GMT"


@pytest.mark.parametrize(
    ("exchange", "status", "code", "headers", "text", "seconds", "is_of_address"),
    [
        ("binance", 429, "-1003", {"Retry-After": "37"}, "", 37, True),
        ("binance", 418, "-1003", {"retry-after": "7200"}, "", 7_200, True),
        ("binance", 429, "-1003", {"Retry-After": IN_90_S}, "", 90, True),
        ("binance", 418, "-1003", {}, f"IP banned until {NOW_MS + 65_000}.", 66, True),
        ("binance", 429, "-1003", {}, "Too much request weight used", 60, True),
        ("binance", 429, "-1015", {"Retry-After": "8"}, "Too many new orders", 8, False),
        ("binance", 403, None, {}, "<html>", 10, True),
        ("binance", 503, None, {"Retry-After": "30"}, "", 30, True),
        ("bybit", 403, None, {}, "access too frequent", 600, True),
        ("bybit", 403, None, {"Retry-After": "5"}, "Access too frequent", 600, True),
        ("bybit", 200, "10006", {}, "Too many visits!", 1, False),
        ("okx", 200, "50011", {}, "Requests too frequent.", 2, True),
        ("okx", 429, "50011", {"Retry-After": "4"}, "Requests too frequent.", 4, True),
        ("okx", 429, "50061", {}, "Sub-account rate limit exceeded", 2, False),
        ("kraken", 200, "EAPI:Rate limit exceeded", {}, "", 5, True),
        ("kraken", 200, "EGeneral:Temporary lockout", {}, "", 300, True),
        ("kraken", 200, "EGeneral:Too many requests", {}, "", 5, True),
        ("kraken", 200, "EOrder:Rate limit exceeded", {}, "", 5, False),
        ("upbit", 429, "too_many_requests", {}, "", 2, True),
        ("upbit", 418, None, {}, "blocked for 45 seconds", 45, True),
        ("upbit", 418, None, {}, "2분 동안 차단", 120, True),
        ("upbit", 418, None, {}, "come back later", 120, True),
        ("coinbase", 429, None, {}, "", 2, True),
        ("binanceus", 429, None, {"Retry-After": "1.2"}, "", 2, True),
        ("anything", 418, None, {"Retry-After": "0"}, "", 1, True),
        ("anything", 429, None, {"Retry-After": "99999999999"}, "", WAIT_MAX_S, True),
        ("anything", 429, None, {"Retry-After": "Fri, 27 Nov 2026 11:00:00 GMT"}, "", 1, True),
    ],
)
def test_what_asks_for_a_wait_is_understood(
    exchange: str,
    status: int,
    code: str | None,
    headers: dict[str, str],
    text: str,
    seconds: int,
    is_of_address: bool,
) -> None:
    assert wait_of(exchange, status, code, headers, text, NOW) == Wait(seconds, is_of_address)


@pytest.mark.parametrize(
    ("exchange", "status", "code", "headers", "text"),
    [
        ("binance", 400, "-2010", {}, "Account has insufficient balance; wait 5 seconds"),
        ("binance", 200, None, {"Retry-After": "30"}, "{}"),
        ("bybit", 403, None, {}, "<html>not available in your country</html>"),
        ("okx", 200, "0", {}, ""),
        ("kraken", 200, "", {}, ""),
        ("upbit", 500, None, {}, "blocked for 45 seconds"),
        ("binance", 503, None, {"Retry-After": "soon"}, ""),
    ],
)
def test_what_asks_for_no_wait_is_none(
    exchange: str, status: int, code: str | None, headers: dict[str, str], text: str
) -> None:
    assert wait_of(exchange, status, code, headers, text, NOW) is None
