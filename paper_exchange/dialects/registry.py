"""The available dialects and their constructors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paper_exchange.dialects.binance import limits as binance_limits
from paper_exchange.dialects.binance.dialect import BinanceDialect
from paper_exchange.dialects.binance.streams import BinanceStreams
from paper_exchange.dialects.bybit import limits as bybit_limits
from paper_exchange.dialects.bybit.dialect import BybitDialect
from paper_exchange.dialects.bybit.shapes import ledger_status
from paper_exchange.dialects.bybit.streams import BybitStreams
from paper_exchange.engine.exchange import Exchange
from paper_exchange.engine.orders import Order
from paper_exchange.server.dialect import Dialect
from paper_exchange.server.stream_server import StreamDialect

if TYPE_CHECKING:
    from paper_exchange.options import Options


@dataclass(frozen=True, slots=True)
class Kind:
    """A dialect and the engine's settings for it: see engine.exchange.Setup."""

    build: Callable[[Exchange, "Options"], Dialect]
    streams: Callable[[Exchange], StreamDialect]
    unique_ids: bool = False
    word_of: Callable[[Order], str] = lambda order: order.status.value


def _binance(exchange: Exchange, options: "Options") -> Dialect:
    limits = binance_limits.Limits(
        options.weight_per_minute, options.orders_per_10s, exchange.now_ms
    )
    return BinanceDialect(exchange, options.secrets, limits, options.match_delay_ms)


def _bybit(exchange: Exchange, options: "Options") -> Dialect:
    limits = bybit_limits.Limits(options.weight_per_minute, options.orders_per_10s, exchange.now_ms)
    return BybitDialect(exchange, options.secrets, limits, options.match_delay_ms)


DIALECTS = {
    "binance": Kind(_binance, BinanceStreams),
    "bybit": Kind(_bybit, BybitStreams, unique_ids=True, word_of=ledger_status),
}
