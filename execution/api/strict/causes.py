"""The causes below ccxt's errors: whether a connection was made, and whether there was an
answer."""

from collections.abc import Iterator

import ccxt
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

# Both are raised before a connection exists, so no byte of the request has left.
_NO_CONNECTION = (NewConnectionError, ConnectTimeoutError)


def never_connected(error: BaseException) -> bool:
    """No byte of the request can have left."""
    return any(isinstance(cause, _NO_CONNECTION) for cause in _causes(error))


def is_unreachable(error: BaseException) -> bool:
    """There was no answer for the whole timeout, or no connection."""
    return isinstance(error, ccxt.RequestTimeout) or never_connected(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk an error's causes; urllib3 keeps its own in `reason`, requests in its first argument."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, getattr(cause, "reason", None), *cause.args[:1]]
