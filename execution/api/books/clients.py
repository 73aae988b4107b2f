"""ccxt.pro's clients made strict, for public order books: no keys, exact numbers, no undetected
gap.

A client belongs to one event loop. ccxt maintains the books; it checks the sequence of Binance's
and OKX's changes, but not that of Bybit's, which is checked here.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlsplit

import aiohttp
import ccxt.pro
from ccxt.base.errors import BadResponse, ChecksumError

from execution.api.binance_api import StrictBinance
from execution.api.books.waits import ObeysWaits
from execution.api.bybit_api import StrictBybit
from execution.api.coinbase_api import StrictCoinbase
from execution.api.generic_api import StrictGeneric
from execution.api.http.request_limits import retry_after_s
from execution.api.http.transport import Shape, exact_json, moved
from execution.api.kraken_api import StrictKraken
from execution.api.okx_api import StrictOkx
from execution.api.strict.ccxt_exchange import UNREADABLE
from execution.api.upbit_api import StrictUpbit
from execution.exchanges.account import Account
from execution.model.decimals import to_decimal

# A silent connection is closed after two unanswered pings.
PING_EVERY_MS = 10_000
# Binance allows more on a connection; this many are subscribed within a few seconds.
SYMBOLS_A_CONNECTION = 100


class BookClient(ObeysWaits):
    """Mixin before a class of ccxt.pro."""

    shapes: ClassVar[Mapping[str, Shape]] = StrictGeneric.shapes
    # The available depths of a stream; empty if it cannot be chosen.
    depths: ClassVar[tuple[int, ...]] = ()
    # ccxt returns every number as this type; books are sorted by it.
    number = Decimal

    @staticmethod
    def safe_float(dictionary: Any, key: Any, default_value: Any = None) -> Any:
        """ccxt's parser of some book changes, made exact."""
        try:
            return to_decimal(dictionary[key])
        except (LookupError, TypeError):
            return default_value

    def stream_depth(self, depth: int) -> int | None:
        """The smallest depth of a stream with at least `depth` levels; None for the exchange's
        default.

        ccxt cuts its book to a given depth, and the levels cut off are missing once better levels
        have gone; so a depth is given only if the exchange itself applies it.
        """
        return next((most for most in self.depths if most >= depth), None)

    @property
    def retry_after_ms(self) -> int:
        """The pause that the last answer requested, 0 if none."""
        headers = self.last_response_headers or {}  # type: ignore[attr-defined]
        return retry_after_s(headers, datetime.now(UTC)) * 1_000

    def renew(self, symbol: str) -> None:
        """Restart a book, if ccxt and not the exchange keeps it complete."""

    def abandon(self, symbol: str) -> None:
        """Close the connections of the symbol's stream; tasks that wait on them get an error."""
        for client in tuple(self.clients.values()):  # type: ignore[attr-defined]
            if any(symbol in key for key in client.subscriptions):
                client.on_error(ccxt.NetworkError(f"the stream of {symbol} is given up"))

    def ws_dial_delay(self, url: str) -> int:
        """The pauses between connections are controlled here."""
        del url
        return 0

    def client(self, url: str) -> Any:
        self.may_connect(url)
        client = super().client(url)  # type: ignore[misc]
        client.handle_text_or_binary_message = partial(self._take_in, client)
        return client

    def _take_in(self, client: Any, data: str | bytes) -> None:
        """Read a message exactly; an unreadable one ends the connection.

        ccxt would silently stop listening.
        """
        try:
            text = data.decode() if isinstance(data, bytes) else data
            is_json = text[:1] in ("{", "[") and len(text) > 1
            self.handle_message(  # type: ignore[attr-defined]
                client, self.on_json_response(text) if is_json else text
            )
        except (ccxt.BaseError, *UNREADABLE) as error:
            client.on_error(BadResponse(f"unreadable: {type(error).__name__}: {error}"))

    on_json_response = staticmethod(exact_json)

    def parse_order_book_bid_ask(
        self, level: Any, price_key: Any = 0, amount_key: Any = 1, _: Any = 2
    ) -> list[Decimal]:
        """One level of a book, exact; ccxt's own parser uses floats."""
        return [to_decimal(level[price_key]), to_decimal(level[amount_key])]

    async def fetch(
        self, url: str, method: str = "GET", headers: object = None, body: object = None
    ) -> Any:
        """An answer counts only if it has the requested shape: an empty one is no empty book."""
        answer = await super().fetch(url, method, headers, body)
        path = urlsplit(url).path
        if not any(
            f"{method} {path}".endswith(end) and shape(answer) for end, shape in self.shapes.items()
        ):
            raise BadResponse(f"{method} {path} answered {str(answer)[:120]!r}, not what was asked")
        return answer


class BinanceBooks(BookClient, ccxt.pro.binance):
    """Binance spot."""

    shapes: ClassVar[Mapping[str, Shape]] = StrictBinance.shapes

    def renew(self, symbol: str) -> None:
        """Fetch the whole book again: ccxt began with a thousand levels a side, and lower levels
        that never changed since are missing once prices have moved there."""
        for client in self.clients.values():
            client.subscriptions.pop(f"orderbook::{symbol}", None)

    def is_spot_url(self, client: Any) -> bool:
        """ccxt recognizes spot by the host's name; only spot streams are used here."""
        del client
        return True


class BybitBooks(BookClient, ccxt.pro.bybit):
    """Bybit spot. Its update id `u` grows by one with each message of a stream (docs/v5,
    websocket/public/orderbook); a snapshot restarts it."""

    shapes: ClassVar[Mapping[str, Shape]] = StrictBybit.shapes
    depths: ClassVar[tuple[int, ...]] = (50, 200, 1000)

    def handle_order_book(self, client: Any, message: Any) -> None:
        data, topic = message["data"], str(message["topic"])
        symbol = self.safe_symbol(data["s"], None, None, "spot")
        number = int(data["u"])
        if message["type"] != "snapshot":
            book = self.orderbooks.get(symbol)
            if book is None or book["nonce"] is None:
                return  # Left over from a stream that has been closed.
            if number != book["nonce"] + 1:
                self._start_again(client, topic, symbol, f"{book['nonce']} then {number}")
                return
        super().handle_order_book(client, message)
        self.orderbooks[symbol]["nonce"] = number

    def _start_again(self, client: Any, topic: str, symbol: str, reason: str) -> None:
        """Drop the book and unsubscribe: the next subscription starts with a snapshot."""
        key = f"orderbook:{symbol}"
        del self.orderbooks[symbol]
        client.subscriptions.pop(key, None)
        self.spawn(_say, client, {"op": "unsubscribe", "args": [topic]})
        client.reject(ChecksumError(f"{symbol}: update {reason}"), key)


async def _say(client: Any, message: Mapping[str, Any]) -> None:
    try:
        await client.send(message)
    except (aiohttp.ClientError, OSError) as error:
        client.on_error(ccxt.NetworkError(f"{type(error).__name__}: {error}"))


class KrakenBooks(BookClient, ccxt.pro.kraken):
    """Kraken spot, whose client must cut its book to the requested depth."""

    shapes: ClassVar[Mapping[str, Shape]] = StrictKraken.shapes
    depths: ClassVar[tuple[int, ...]] = (10, 25, 100, 500, 1000)


# Those whose streams need nothing of their own have a class made for them.
CLIENTS: dict[str, Callable[..., Any]] = {
    "binance": BinanceBooks,
    "bybit": BybitBooks,
    "kraken": KrakenBooks,
}
SHAPES: dict[str, Mapping[str, Shape]] = {
    "coinbase": StrictCoinbase.shapes,
    "okx": StrictOkx.shapes,
    "upbit": StrictUpbit.shapes,
}


def book_client(account: Account, symbol_count: int) -> Any:
    """Make a client for the account's exchange, without its keys, and without loading markets.

    `base_url` replaces every address that ccxt knows, of streams and of requests.
    """
    kind = CLIENTS.get(account.exchange) or _kind_of(account.exchange)
    connections = 1 + symbol_count // SYMBOLS_A_CONNECTION
    client = kind(
        {
            "timeout": account.timeout_s * 1000,
            # Subscriptions are throttled, too: Binance ends a connection that sends many at once.
            "enableRateLimit": True,
            "newUpdates": False,
            "options": {
                "defaultType": "spot",
                "fetchMarkets": {"types": ["spot"]},
                "fetchMargins": False,
                "streamLimits": {"spot": connections},
            },
        }
    )
    client.has["fetchCurrencies"] = False
    client.streaming = {**client.streaming, "keepAlive": PING_EVERY_MS}
    if account.base_url is not None:
        client.urls["api"] = moved(client.urls["api"], account.base_url.rstrip("/"))
    return client


def _kind_of(exchange: str) -> Callable[..., Any]:
    """A client for any other exchange; it has no streams if ccxt has none."""
    known = getattr(ccxt.pro, exchange, None) or getattr(ccxt.async_support, exchange)
    shapes = SHAPES.get(exchange, BookClient.shapes)
    return type(f"Books_{exchange}", (BookClient, known), {"shapes": shapes})
