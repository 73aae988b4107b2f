"""The newest order books in Redis, each for a short time; see book_snapshots.Books."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from redis import Redis

from execution.market_data.snapshots import BOOK_TTL_MS, BookHealth, BookKey, BookSnapshot
from execution.model.book import Book, Level
from execution.model.decimals import to_decimal, to_text
from execution.model.errors import StoreUnavailable
from execution.store.access import keys
from execution.store.access.connection import RedisStore, guarded


class RedisBooks(RedisStore):
    """Books that expire unless they are kept up to date."""

    def __init__(self, client: Redis, ttl_ms: int = BOOK_TTL_MS) -> None:
        super().__init__(client)
        self._ttl_ms = ttl_ms

    @guarded
    def save(self, snapshots: Iterable[BookSnapshot]) -> None:
        pipe = self._redis.pipeline(transaction=False)
        for snapshot in snapshots:
            key = keys.book(snapshot.account, snapshot.symbol)
            pipe.set(key, book_to_json(snapshot), px=self._ttl_ms)
        pipe.execute()

    @guarded
    def load_many(self, wanted: Iterable[BookKey]) -> Mapping[BookKey, BookSnapshot]:
        names = list(dict.fromkeys(wanted))
        texts = self._redis.mget([keys.book(*name) for name in names]) if names else []
        pairs = zip(names, texts, strict=True)
        return {name: book_from_json(text) for name, text in pairs if text is not None}

    @guarded
    def save_health(self, account: str, health: Iterable[BookHealth]) -> None:
        text = json.dumps([asdict(book) for book in health])
        self._redis.set(keys.book_health(account), text, px=self._ttl_ms)

    @guarded
    def load_health(self, account: str) -> list[BookHealth]:
        text = self._redis.get(keys.book_health(account))
        return [] if text is None else [BookHealth(**fields) for fields in json.loads(text)]


def book_to_json(snapshot: BookSnapshot) -> str:
    """Write a snapshot; every number of the book is a decimal string."""
    return json.dumps(
        {
            "account": snapshot.account,
            "symbol": snapshot.symbol,
            "bids": _to_texts(snapshot.book.bids),
            "asks": _to_texts(snapshot.book.asks),
            "exchange_ms": snapshot.exchange_ms,
            "received_ms": snapshot.received_ms,
            "sequence": snapshot.sequence,
        },
        separators=(",", ":"),
    )


def book_from_json(text: str) -> BookSnapshot:
    """Read what `book_to_json` wrote. Raises StoreUnavailable for anything else."""
    try:
        doc = json.loads(text)
        bids, asks = (_from_texts(doc[side]) for side in ("bids", "asks"))
        return BookSnapshot(
            account=doc["account"],
            symbol=doc["symbol"],
            book=Book(doc["symbol"], bids, asks),
            exchange_ms=doc["exchange_ms"],
            received_ms=int(doc["received_ms"]),
            sequence=doc["sequence"],
        )
    except (LookupError, TypeError, ValueError) as error:
        raise StoreUnavailable(f"a stored book is unreadable: {text[:80]!r}") from error


def _to_texts(levels: Iterable[Level]) -> list[list[str]]:
    return [[to_text(price), to_text(amount)] for price, amount in levels]


def _from_texts(levels: Iterable[Iterable[str]]) -> tuple[Level, ...]:
    return tuple((to_decimal(price), to_decimal(amount)) for price, amount in levels)
