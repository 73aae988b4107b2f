"""The addresses that the settings accept: those that every part of oneorder reads alike. redis-py
and Celery's broker read some addresses differently: only one of them supports `unix://`, and one
ignores a database in the query.

Those are refused. No sentence repeats an address, because it may hold a password.
"""

from urllib.parse import parse_qsl, urlsplit

REDIS_SCHEMES = ("redis", "rediss")
BROKER_SCHEMES = (*REDIS_SCHEMES, "amqp", "amqps", "pyamqp")
_FORM = "redis://HOST:PORT/NUMBER, or rediss:// for TLS"


def check_redis_url(url: str) -> str:
    """Check and return the URL. Raises ValueError with its fault."""
    _check_characters(url)
    scheme = urlsplit(url).scheme
    if scheme == "unix" or scheme.endswith("+socket"):
        raise ValueError(f"a Unix socket is not supported; write {_FORM}")
    if scheme not in REDIS_SCHEMES or "://" not in url:
        raise ValueError(f"is not of the form {_FORM}")
    parts = urlsplit(url)
    if parts.fragment or "#" in url:
        raise ValueError("has a '#' in it; in a password write %23")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("its port is not a number from 1 to 65535") from None
    if not parts.hostname or port == 0:
        raise ValueError(f"is not of the form {_FORM}")
    number = parts.path.removeprefix("/")
    if number and not (number.isdigit() and number.isascii() and len(number) <= 4):
        raise ValueError("its database is not a number; write /0 at the end")
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if scheme != "rediss" or not name.startswith("ssl_"):
            raise ValueError(
                f"its option {name[:40]!r} is not supported; only rediss:// takes ssl_*"
            )
    return url


def check_broker_url(url: str) -> str:
    """Check and return the URL. Raises ValueError with its fault."""
    _check_characters(url)
    scheme, separator, rest = url.partition("://")
    if scheme in REDIS_SCHEMES:
        return check_redis_url(url)
    if scheme == "sentinel":
        # Celery also needs the name of the master, for which there is no setting yet.
        raise ValueError("sentinel:// is not supported yet; name the master's own address")
    if scheme not in BROKER_SCHEMES or not separator or not rest:
        known = ", ".join(f"{name}://" for name in BROKER_SCHEMES)
        raise ValueError(f"does not begin with one of {known}")
    return url


def check_base_url(url: str) -> str:
    """Check and return the address of an exchange. Raises ValueError with its fault."""
    _check_characters(url)
    parts = urlsplit(url)
    try:
        is_sound = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_sound = False
    if parts.scheme not in ("http", "https") or not is_sound or parts.query or parts.fragment:
        raise ValueError("is not of the form https://HOST:PORT, without '?' or '#'")
    return url


def _check_characters(url: str) -> None:
    if not url:
        raise ValueError("is empty")
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise ValueError("has a character that no URL has; write it as %XX")
    try:
        urlsplit(url)
    except ValueError as error:
        raise ValueError(f"is not a URL: {error}") from None
