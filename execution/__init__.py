"""The trading core: orders, positions, arbitrage, and recovery from failures.

The plain functions are imported on first access, so that other imports do not load ccxt.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from execution.api.binance_api import initialize_binance_api, place_order
    from execution.arbitrage_executor import execute_arbitrage
    from execution.error_handler import log_and_retry
    from execution.order_manager import create_order
    from execution.position_tracker import track_position

__all__ = [
    "create_order",
    "execute_arbitrage",
    "initialize_binance_api",
    "log_and_retry",
    "place_order",
    "track_position",
]

_HOMES = {
    "create_order": "execution.order_manager",
    "execute_arbitrage": "execution.arbitrage_executor",
    "initialize_binance_api": "execution.api.binance_api",
    "log_and_retry": "execution.error_handler",
    "place_order": "execution.api.binance_api",
    "track_position": "execution.position_tracker",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
