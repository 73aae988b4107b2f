"""Removes secrets from every text that leaves the process: logs, errors, records, tables, reports.

`redact` finds them in two ways: by value, for the secrets of this process (registered with
`register_secrets` when settings and accounts are loaded), and by pattern, for credentials in URLs,
signed query strings, key headers and tokens.
"""

import binascii
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from threading import Lock
from typing import Any
from urllib.parse import quote, quote_plus, unquote

REMOVED = "[removed]"
# A shorter value would remove ordinary words from texts; a real key is far longer.
LENGTH_MIN = 8
# A value of this length does not occur in other words by accident.
LENGTH_UNMISTAKABLE = 16
# The tutorials' own passwords: no secrets, and common words in other texts.
_PUBLIC = frozenset({"oneorder", "binance", "bybit", "default", "redis", "postgres"})
# The fields of our own records that hold sentences, or external input.
PROSE = frozenset({"reason", "detail", "error", "body", "repaired", "notes"})
# Coins of these names exist: {"SIGN": "1.5"} is an amount.
_COINS = frozenset({"SIGN", "TOKEN"})
_AMOUNT = re.compile(r"-?\d+(\.\d+)?")

_NAMES = (
    r"(?:signature|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|listen[_-]?key"
    r"|secret(?:[_-]?key)?|password|passwd|passphrase|authorization|token"
    r"|(?<![a-z0-9])(?:sign|jwt|dsn|pass))"
)
_SECRET_NAME = re.compile(
    r"(?i)signature|(?:^|[_-])(?:sign|dsn|jwt)$|api[_-]?key|access[_-]?key|private[_-]?key|secret"
    r"|password|passphrase|authorization|token|listen[_-]?key"
)
# A value: quoted, or up to the next separator. Quotes may be escaped, as in nested JSON, and the
# end may be cut off.
_QUOTED = r"""\\+'[^']*(?:'|\Z) | \\+"[^"]*(?:"|\Z) | '(?:[^'\\]|\\.)*(?:'|\Z)
    | "(?:[^"\\]|\\.)*(?:"|\Z)"""
# A name, a separator, and the value; the separator may be percent-encoded.
_ASSIGNED = re.compile(
    rf"""(?isx)
    ( {_NAMES} (?:\\*['"])? \s* (?: [=:] | %3d ) \s*+ (?!b?\[removed)
      (?:b(?=['"]))? (?: bearer\s+ | basic\s+ )? )
    ( {_QUOTED} | [^'"&\s,;)}}\]\\]+ )
    """
)
# A header as a pair: ('X-MBX-APIKEY', 'abc').
_PAIRED = re.compile(rf"""(?isx) ( {_NAMES} \\*['"] \s*,\s* (?:b(?=['"]))? ) ( {_QUOTED} )""")
# Everything up to the last @: a password may itself hold a slash or an @. The bound keeps the time
# linear for a long hostile text.
_IN_URL = re.compile(r"(?<=://)[^\s'\"<>,]{1,1024}(?=@)")
_IN_URL_WITHOUT_SLASHES = re.compile(
    r"(?i)\b((?:https?|wss?|rediss?|valkeys?|sentinel|amqps?|pyamqp|sqlite|postgres(?:ql)?|mysql)"
    r"(?:\+\w{1,32})?:/?)(?!/)[^\s'\"<>,]{1,1024}(?=@)"
)
_AUTHORIZATION = re.compile(r"(?i)(authorization\s*[=:]\s*+)(?!\[removed)[^'\"\n,}\]]+")
_BEARER = re.compile(r"(?i)\b(bearer\s+)(?=[\w.~+/-]*\d)[\w.~+/-]{6,}=*")
_BASIC = re.compile(r"(?i)\b(basic\s+)([a-z0-9+/_-]{6,}={0,2})")
_JWT = re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?")
_PEM = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?=\")|\Z)",
    re.DOTALL,
)
# Every text that a pattern could match contains one of these.
_SUSPECT = re.compile(
    r"(?i)@|eyJ|-----BEGIN|bearer|basic|sign(?:ature)?(?![a-z])|key|secret|passw|passp|pass\b"
    r"|authorization|token|jwt|dsn"
)

_lock = Lock()
_known: set[str] = set()
_by_value: re.Pattern[str] | None = None


def register_secrets(values: Iterable[str | None]) -> None:
    """Remove these values, however they are encoded, from every text from now on.

    Values too short to be distinguished from ordinary words are left to the patterns.
    """
    global _by_value  # Global to the process, like loggers and excepthooks.
    forms = {form for value in values if value for form in _forms(value.strip())}
    with _lock:
        if forms <= _known:
            return
        _known.update(forms)
        # The longest first, so that no part of one remains.
        ordered = sorted(_known, key=lambda form: (-len(form), form))
        _by_value = re.compile("|".join(map(_whole, ordered)))


def register_url(url: str | None) -> None:
    """Register the password of a URL of any form, or its user if it has no password."""
    head, at, _ = (url or "").rpartition("@")
    if not at:
        return
    credentials = head.partition("://")[2] or head.partition(":")[2].lstrip("/") or head
    user, colon, password = credentials.partition(":")
    secret = password if colon else user
    register_secrets([secret, unquote(secret)])


def redact(text: str) -> str:
    """The text without registered secrets and without what looks like a secret."""
    if _by_value is not None:
        text = _by_value.sub(REMOVED, text)
    if not _SUSPECT.search(text):
        return text
    text = _PEM.sub(REMOVED, text)
    text = _IN_URL.sub(REMOVED, text)
    text = _IN_URL_WITHOUT_SLASHES.sub(rf"\1{REMOVED}", text)
    text = _JWT.sub(REMOVED, text)
    text = _PAIRED.sub(_blanked, text)
    text = _AUTHORIZATION.sub(rf"\1{REMOVED}", text)
    text = _ASSIGNED.sub(_blanked, text)
    text = _BEARER.sub(rf"\1{REMOVED}", text)
    return _BASIC.sub(_without_basic, text)


def scrub(value: Any) -> Any:
    """A copy of nested values without secrets: by name in mappings, as `redact` does in texts."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {_scrub_key(key): _scrub_item(key, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        # A header may be a pair of its name and value.
        if len(value) == 2 and isinstance(value[0], str) and _is_secret(value[0], value[1]):
            return [value[0], REMOVED]
        return [scrub(item) for item in value]
    if isinstance(value, bytes):
        return redact(value.decode(errors="replace"))
    if value is None or isinstance(value, (bool, int, Decimal)):
        return value
    shown = f"{type(value).__name__}({value})" if isinstance(value, BaseException) else repr(value)
    cleaned = redact(shown)
    return value if cleaned == shown else cleaned


def redact_prose(value: Any, name: str = "") -> Any:
    """Our own JSON with its sentences redacted. Ids and names are unchanged, so that scripts can
    use them; a record of an earlier release may still hold a secret in its reason."""
    if isinstance(value, str):
        return redact(value) if name in PROSE else value
    if isinstance(value, Mapping):
        return {key: redact_prose(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact_prose(item, name) for item in value]
    return value


def _scrub_key(key: Any) -> Any:
    return redact(key) if isinstance(key, str) else key


def _scrub_item(key: Any, item: Any) -> Any:
    return REMOVED if _is_secret(str(key), item) else scrub(item)


def _is_secret(name: str, value: Any) -> bool:
    if name in _COINS and isinstance(value, str) and _AMOUNT.fullmatch(value):
        return False
    return _SECRET_NAME.search(name) is not None


def _blanked(match: re.Match[str]) -> str:
    """An existing removal mark stays, so that a text may be redacted twice."""
    if match.group(2).lstrip("\\'\"").startswith(REMOVED[:-1]):
        return match.group(0)
    return f"{match.group(1)}{REMOVED}"


def _without_basic(match: re.Match[str]) -> str:
    try:
        is_pair = b":" in b64decode(match.group(2) + "==", altchars=b"-_")
    except (binascii.Error, ValueError):
        is_pair = False
    return f"{match.group(1)}{REMOVED}" if is_pair else match.group(0)


@cache
def _whole(form: str) -> str:
    """A pattern for the value; a short one does not match within a longer word."""
    if len(form) >= LENGTH_UNMISTAKABLE:
        return re.escape(form)
    return rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])"


def _forms(secret: str) -> Iterable[str]:
    """Every encoding in which a text may hold the secret."""
    if len(secret) < LENGTH_MIN or secret.lower() in _PUBLIC:
        return
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    yield json.dumps(json.dumps(secret)[1:-1])[1:-1]
    if len(secret) >= LENGTH_UNMISTAKABLE:
        yield b64encode(secret.encode()).decode()
