"""ccxt.pro's clients made strict, for public order books: no keys, exact numbers, no gap unseen.

A client belongs to one event loop. ccxt keeps the books; it checks the sequence of Binance's and
OKX's changes, and not that of Bybit's, so that is done here.
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

# A connection is given up two unanswered pings after it fell silent.
PING_EVERY_MS = 10_000
# Binance lets a connection have more; this many are subscribed within a few seconds.
SYMBOLS_A_CONNECTION = 100


class BookClient(ObeysWaits):
    """Mixed in before a class of ccxt.pro."""

    shapes: ClassVar[Mapping[str, Shape]] = StrictGeneric.shapes
    # The depths that a stream can be had in; none where it is not to be chosen.
    depths: ClassVar[tuple[int, ...]] = ()
    # ccxt gives every number as this type; books are sorted by it.
    number = Decimal

    @staticmethod
    def safe_float(dictionary: Any, key: Any, default_value: Any = None) -> Any:
        """What ccxt reads changes of some books with, made exact."""
        try:
            return to_decimal(dictionary[key])
        except (LookupError, TypeError):
            return default_value

    def stream_depth(self, depth: int) -> int | None:
        """The least depth of a stream that has `depth` levels; None for the exchange's usual one.

        ccxt cuts its book to a depth that it is given, and what was cut off is missing once better
        levels have gone; so none is given except where the exchange itself keeps to it.
        """
        return next((most for most in self.depths if most >= depth), None)

    @property
    def retry_after_ms(self) -> int:
        """How long the last answer asked to be left alone, 0 if it did not."""
        headers = self.last_response_headers or {}  # type: ignore[attr-defined]
        return retry_after_s(headers, datetime.now(UTC)) * 1_000

    def renew(self, symbol: str) -> None:
        """Begin a book anew, where it is ccxt that keeps it whole, and not the exchange."""

    def abandon(self, symbol: str) -> None:
        """Give up the connections that the symbol's stream is on; whoever waits there is told."""
        for client in tuple(self.clients.values()):  # type: ignore[attr-defined]
            if any(symbol in key for key in client.subscriptions):
                client.on_error(ccxt.NetworkError(f"the stream of {symbol} is given up"))

    def ws_dial_delay(self, url: str) -> int:
        """Pauses between connections are ours."""
        del url
        return 0

    def client(self, url: str) -> Any:
        self.may_connect(url)
        client = super().client(url)  # type: ignore[misc]
        client.handle_text_or_binary_message = partial(self._take_in, client)
        return client

    def _take_in(self, client: Any, data: str | bytes) -> None:
        """Read a message exactly; one that cannot be read ends the connection.

        ccxt would stop to listen without telling anybody.
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
        """One level of a book, exact; ccxt's own reading goes through binary fractions."""
        return [to_decimal(level[price_key]), to_decimal(level[amount_key])]

    async def fetch(
        self, url: str, method: str = "GET", headers: object = None, body: object = None
    ) -> Any:
        """An answer counts only if it is what was asked for: an empty one is no empty book."""
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
        """Have the whole book fetched again: ccxt began with a thousand levels a side, and what
        lay below them and never changed since is missing once prices have moved there."""
        for client in self.clients.values():
            client.subscriptions.pop(f"orderbook::{symbol}", None)

    def is_spot_url(self, client: Any) -> bool:
        """ccxt tells spot by the host's name; no other stream is asked for here."""
        del client
        return True


class BybitBooks(BookClient, ccxt.pro.bybit):
    """Bybit spot. Its update id `u` grows by one with each message of a stream (docs/v5,
    websocket/public/orderbook); a snapshot starts it anew."""

    shapes: ClassVar[Mapping[str, Shape]] = StrictBybit.shapes
    depths: ClassVar[tuple[int, ...]] = (50, 200, 1000)

    def handle_order_book(self, client: Any, message: Any) -> None:
        data, topic = message["data"], str(message["topic"])
        symbol = self.safe_symbol(data["s"], None, None, "spot")
        number = int(data["u"])
        if message["type"] != "snapshot":
            book = self.orderbooks.get(symbol)
            if book is None or book["nonce"] is None:
                return  # What is left of a stream that has been given up.
            if number != book["nonce"] + 1:
                self._start_again(client, topic, symbol, f"{book['nonce']} then {number}")
                return
        super().handle_order_book(client, message)
        self.orderbooks[symbol]["nonce"] = number

    def _start_again(self, client: Any, topic: str, symbol: str, reason: str) -> None:
        """Drop the book and leave the stream: who joins it again is sent a snapshot."""
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
    """Kraken spot, whose client is to cut its book to the depth that it asked for."""

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

    `base_url` takes the place of every address that ccxt knows, streams and questions alike.
    """
    kind = CLIENTS.get(account.exchange) or _kind_of(account.exchange)
    connections = 1 + symbol_count // SYMBOLS_A_CONNECTION
    client = kind(
        {
            "timeout": account.timeout_s * 1000,
            # Subscriptions are paced, too: Binance ends a connection that sends many at once.
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
    """A client for any other exchange; without streams, too, where ccxt has none."""
    known = getattr(ccxt.pro, exchange, None) or getattr(ccxt.async_support, exchange)
    shapes = SHAPES.get(exchange, BookClient.shapes)
    return type(f"Books_{exchange}", (BookClient, known), {"shapes": shapes})
