"""The producer's interface: the messages, and the functions that publish them.

Each name is imported on first use, so that code which only needs an error, an id or a key does not
load the messages, and Redis and Celery are loaded only to publish. It imports neither ccxt nor
pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oneorder.errors import InvalidSignal, OneOrderError, PublishFailed, SettingsError
    from oneorder.publisher import (
        Published,
        Publisher,
        publish_arbitrage,
        publish_cancel,
        publish_order,
    )
    from oneorder.signals import (
        ArbitrageSignal,
        CancelRequest,
        OrderSignal,
        parse_signal,
    )

__version__ = "0.2.0"

__all__ = [
    "ArbitrageSignal",
    "CancelRequest",
    "InvalidSignal",
    "OneOrderError",
    "OrderSignal",
    "PublishFailed",
    "Published",
    "Publisher",
    "SettingsError",
    "__version__",
    "parse_signal",
    "publish_arbitrage",
    "publish_cancel",
    "publish_order",
]

_ERRORS = {"InvalidSignal", "OneOrderError", "PublishFailed", "SettingsError"}
_MESSAGES = {"ArbitrageSignal", "CancelRequest", "OrderSignal", "parse_signal"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "errors" if name in _ERRORS else "signals" if name in _MESSAGES else "publisher"
    return getattr(import_module(f"oneorder.{home}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
