"""What a producer imports: the messages, and the functions that publish them.

Light on purpose: it imports neither ccxt nor pandas, and what it needs to talk to Redis only when
something is published.
"""

from oneorder.errors import InvalidSignal, OneOrderError, PublishFailed
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
    "__version__",
    "parse_signal",
    "publish_arbitrage",
    "publish_cancel",
    "publish_order",
]
