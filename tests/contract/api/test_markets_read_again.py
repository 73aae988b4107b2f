"""Markets that change after start: read again before a signal is refused by them."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from execution.exchanges.account import Account
from execution.exchanges.port import Exchange
from execution.model.errors import ExchangeUnavailable
from execution.model.order import Order
from execution.orders.placement.rules import broken_rule
from tests.support.api.canned_server import CannedServer, Reply
from tests.support.clock import EPOCH, START_MS, FakeClock
from tests.support.fakes import Rig, connections_alone

LISTED = json.loads((Path(__file__).parents[1] / "data" / "exchange_info.json").read_text())
MARKETS = "GET /api/v3/exchangeInfo"


class Listing:
    """An exchange whose list of markets can be changed."""

    def __init__(self) -> None:
        self.server = CannedServer()
        self.clock = FakeClock()
        self.list_of()
        account = Account("main", "binance", "the-key", "secret", base_url=self.server.url)
        self.connections = connections_alone(
            {"main": account}, self.clock, steady_ms=self.clock.now_ms
        )
        self.exchange: Exchange = self.connections.exchange("main")

    def list_of(self, **changes: dict[str, Any]) -> None:
        """The usual markets, and new ones, which are BTCUSDT with changes, by their base coin."""
        usual = next(one for one in LISTED["symbols"] if one["symbol"] == "BTCUSDT")
        symbols = {one["baseAsset"]: one for one in LISTED["symbols"]}
        for base, change in changes.items():
            symbols[base] = {**usual, "symbol": f"{base}USDT", "baseAsset": base, **change}
        listed = {**LISTED, "symbols": list(symbols.values())}
        self.server.reset({MARKETS: listed})

    def order(self, symbol: str = "NEW/USDT", **changes: Any) -> Order:
        now = EPOCH + timedelta(milliseconds=self.clock.now_ms())
        return replace(Rig().order(), symbol=symbol, created_at=now, **changes)

    def broken_rule(self, order: Order) -> str | None:
        return broken_rule(order, self.connections.exchange("main"), self.clock.now_ms())

    def reads(self) -> int:
        return len(self.server.sent(MARKETS))


@pytest.fixture
def listing() -> Iterator[Listing]:
    listing = Listing()
    with closing(listing.server):
        yield listing


def test_a_symbol_that_was_listed_after_start_is_traded_at_once(listing: Listing) -> None:
    listing.clock.advance(120_000)
    order = listing.order()
    listing.list_of(NEW={})
    assert listing.broken_rule(order) is None
    assert listing.reads() == 1


def test_a_symbol_that_does_not_exist_is_refused_after_the_markets_were_read_again(
    listing: Listing,
) -> None:
    listing.clock.advance(1_000)
    listing.server.requests.clear()
    assert listing.broken_rule(
        listing.order()
    ) == "symbol: 'NEW/USDT' is not traded on account " + (Rig().order().account)
    assert listing.reads() == 1


def test_markets_are_read_once_a_minute_at_most_and_signals_wait_meanwhile(
    listing: Listing,
) -> None:
    listing.clock.advance(1_000)
    listing.server.requests.clear()
    assert listing.broken_rule(listing.order()) is not None
    listing.clock.advance(5_000)
    waiting = listing.order("SOON/USDT")
    for _ in range(5):
        with pytest.raises(ExchangeUnavailable, match="are read again in") as told:
            listing.broken_rule(waiting)
        assert 0 < told.value.wait_s <= 60
    assert listing.reads() == 1
    listing.list_of(SOON={})
    listing.clock.advance(60_000)
    assert listing.broken_rule(waiting) is None
    assert listing.reads() == 1


def test_a_signal_waits_while_the_markets_cannot_be_read_again(listing: Listing) -> None:
    listing.clock.advance(120_000)
    listing.server.answers[MARKETS] = Reply("<html>", 502)
    order = listing.order()
    for _ in range(3):
        with pytest.raises(ExchangeUnavailable):
            listing.broken_rule(order)
    # What is traded goes on meanwhile.
    assert listing.broken_rule(listing.order("BTC/USDT", price=Decimal(100))) is None


@pytest.mark.parametrize("status", ["HALT", "BREAK"])
def test_a_market_that_was_closed_and_opens_again_is_found_open(
    status: str, listing: Listing
) -> None:
    listing.list_of(NEW={"status": status})
    listing.clock.advance(120_000)
    assert listing.broken_rule(listing.order()) is not None
    listing.list_of(NEW={})
    listing.clock.advance(120_000)
    assert listing.broken_rule(listing.order()) is None


def test_a_step_that_became_finer_does_not_use_a_signal_up(listing: Listing) -> None:
    fine = Decimal("0.0000001")
    order = listing.order("BTC/USDT", amount=Decimal(1) + fine, price=Decimal(100))
    assert "not a multiple of the step" in (listing.broken_rule(order) or "")
    usual = next(one for one in LISTED["symbols"] if one["symbol"] == "BTCUSDT")
    filters = [
        {**one, "stepSize": str(fine), "minQty": str(fine)}
        if one["filterType"] == "LOT_SIZE"
        else one
        for one in usual["filters"]
    ]
    listing.list_of(BTC={"filters": filters, "baseAssetPrecision": 8})
    listing.clock.advance(120_000)
    assert listing.broken_rule(order) is None


def test_a_good_order_reads_no_markets(listing: Listing) -> None:
    listing.clock.advance(3_000_000)
    listing.server.requests.clear()
    for _ in range(3):
        assert listing.broken_rule(listing.order("BTC/USDT", price=Decimal(100))) is None
    assert listing.reads() == 0
    assert listing.clock.now_ms() > START_MS
