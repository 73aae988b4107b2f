"""The pause that an exchange requests, read from its answer.

Sources: binance-spot-api-docs, rest-api.md (429, 418, 403, Retry-After in seconds; bans of 2
minutes to 3 days) and filters of order counts; bybit docs/v5/rate-limit (HTTP 403 "access too
frequent": pause for at least 10 minutes); OKX docs-v5 (50011, 50061: limits of 2 s); Kraken, spot
errors and rate limits; Upbit, rate limits (429 of a second's limit, 418 with a block time in its
text); RFC 9110 for Retry-After. If no document names a time, the figure is our own.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

# The longest ban that a document names; a longer one in a header is ignored.
WAIT_MAX_S = 3 * 86_400
TEXT_MAX = 2_000
_TOO_MANY, _BANNED = 429, 418
_DEFAULT_S = {_TOO_MANY: 2, _BANNED: 120}
_UNIT_MS = {
    "ms": 1,
    "s": 1_000,
    "sec": 1_000,
    "second": 1_000,
    "초": 1_000,
    "m": 60_000,
    "min": 60_000,
    "minute": 60_000,
    "분": 60_000,
    "h": 3_600_000,
    "hour": 3_600_000,
    "시간": 3_600_000,
}
_SPAN = re.compile(
    r"(\d{1,9})\s*(ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h|초|분|시간)(?![a-z])"
)
_UNTIL_MS = re.compile(r"until\s+(\d{13})\b")


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause in whole seconds: for all requests to the address, or only for placements of the
    account."""

    seconds: int
    is_of_address: bool


@dataclass(frozen=True, slots=True)
class _Limit:
    """An exchange's own limit answer. None matches everything; `text` is in lower case."""

    seconds: int
    is_of_address: bool = True
    status: int | None = None
    code: str | None = None
    text: str | None = None

    def fits(self, status: int, code: str | None, text: str) -> bool:
        return (
            self.status in (None, status)
            and (self.code is None or self.code == code)
            and (self.text is None or self.text in text)
        )


_LIMITS: dict[str, tuple[_Limit, ...]] = {
    "binance": (
        # Counted per account and for orders only: reads and cancels may continue.
        _Limit(10, is_of_address=False, code="-1015"),
        _Limit(60, code="-1003"),
        _Limit(10, status=403),
    ),
    "bybit": (
        _Limit(600, status=403, text="too frequent"),
        _Limit(1, is_of_address=False, code="10006"),
    ),
    "okx": (_Limit(2, code="50011"), _Limit(2, is_of_address=False, code="50061")),
    "kraken": (
        _Limit(300, code="EGeneral:Temporary lockout"),
        _Limit(5, code="EGeneral:Too many requests"),
        _Limit(5, code="EAPI:Rate limit exceeded"),
        _Limit(5, code="EAuth:Rate limit exceeded"),
        _Limit(5, code="EAuth:Too many requests"),
        _Limit(5, is_of_address=False, code="EOrder:Rate limit exceeded"),
        _Limit(5, is_of_address=False, code="EOrder:Domain rate limit exceeded"),
    ),
}


def wait_of(
    exchange: str,
    status: int,
    code: str | None,
    headers: Mapping[str, str],
    text: str,
    now: datetime,
) -> Wait | None:
    """The pause that the answer requests; None if it does not request one."""
    # Answers that request a pause are short; long ones, such as a list of markets, are not
    # searched.
    text = text[:TEXT_MAX].lower()
    limits = _LIMITS.get(exchange, ())
    limit = next((limit for limit in limits if limit.fits(status, code, text)), None)
    asked_s = _asked_s(headers, now) if status >= 400 or limit is not None else None
    if asked_s is None and (status in _DEFAULT_S or limit is not None):
        asked_s = _told_s(text, now)
    if asked_s is None:
        asked_s = limit.seconds if limit is not None else _DEFAULT_S.get(status)
    if asked_s is None:
        return None
    least_s = limit.seconds if limit is not None and status == 403 else 1
    is_of_address = limit is None or limit.is_of_address
    return Wait(min(WAIT_MAX_S, max(least_s, asked_s)), is_of_address)


def retry_after_s(headers: Mapping[str, str], now: datetime) -> int:
    """The pause in the header Retry-After, 0 if it is missing or invalid."""
    return min(WAIT_MAX_S, _asked_s(headers, now) or 0)


def _asked_s(headers: Mapping[str, str], now: datetime) -> int | None:
    """Retry-After in whole seconds, rounded up: a number of seconds, or a date."""
    value = next((value for key, value in headers.items() if key.lower() == "retry-after"), "")
    value = value.strip()
    number = re.fullmatch(r"(\d{1,12})(?:\.(\d+))?", value)
    if number:
        return int(number[1]) + bool((number[2] or "").strip("0"))
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, math.ceil((moment - now).total_seconds()))


def _told_s(text: str, now: datetime) -> int | None:
    """A time in the text of the answer, as a duration or as a timestamp in ms."""
    until = _UNTIL_MS.search(text)
    if until:
        return max(1, (int(until[1]) - int(now.timestamp() * 1_000)) // 1_000 + 1)
    span = _SPAN.search(text)
    if not span:
        return None
    unit = span[2] if span[2] in _UNIT_MS else span[2].removesuffix("s")
    return -(-int(span[1]) * _UNIT_MS[unit] // 1_000)


class ReadsAnswers:
    """Mixed in before a ccxt class, sync or async: sees every answer before it is judged."""

    def read_answer(
        self, code: int, url: str, headers: Mapping[str, str], body: str, response: Any
    ) -> None:
        """An answer with HTTP status `code`; `response` is its JSON, None if it has none."""
        raise NotImplementedError

    def wait_asked(
        self, code: int, exchange_code: str | None, headers: Mapping[str, str], body: str
    ) -> Wait | None:
        """The pause that the answer requests; see `wait_of`."""
        exchange: str = self.id  # type: ignore[attr-defined]
        return wait_of(exchange, code, exchange_code, headers, body, datetime.now(UTC))

    def handle_errors(
        self,
        code: int,
        reason: str,
        url: str,
        method: str,
        headers: Mapping[str, str],
        body: str,
        response: Any,
        *rest: Any,
    ) -> Any:
        self.read_answer(code, url, headers, body or "", response)
        return super().handle_errors(  # type: ignore[misc]
            code, reason, url, method, headers, body, response, *rest
        )
