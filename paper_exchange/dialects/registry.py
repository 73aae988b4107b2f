"""The available dialects and their constructors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Terms:
    """A dialect's accounts and limits. A limit of 0 is off."""

    secrets: Mapping[str, bytes]
    weight_per_minute: int
    orders_per_10s: int
    match_delay_ms: int


@dataclass(frozen=True, slots=True)
class Kind:
    """A dialect and the engine's settings for it: see engine.exchange.Setup."""

    build: Callable[[Exchange, Terms], Dialect]
    streams: Callable[[Exchange], StreamDialect]
    unique_ids: bool = False
    word_of: Callable[[Order], str] = lambda order: order.status.value


def _binance(exchange: Exchange, terms: Terms) -> Dialect:
    limits = binance_limits.Limits(terms.weight_per_minute, terms.orders_per_10s, exchange.now_ms)
    return BinanceDialect(exchange, terms.secrets, limits, terms.match_delay_ms)


def _bybit(exchange: Exchange, terms: Terms) -> Dialect:
    limits = bybit_limits.Limits(terms.weight_per_minute, terms.orders_per_10s, exchange.now_ms)
    return BybitDialect(exchange, terms.secrets, limits, terms.match_delay_ms)


DIALECTS = {
    "binance": Kind(_binance, BinanceStreams),
    "bybit": Kind(_bybit, BybitStreams, unique_ids=True, word_of=ledger_status),
}
