"""An exchange that blames our time: it is measured again, and a read is made once more."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from execution.api.connections import Connections
from execution.exchanges.account import Account
from execution.exchanges.address_holds import AddressHolds
from execution.exchanges.clocks import MEASURE_EVERY_MS, ExchangeClocks
from execution.exchanges.port import ClockOffset
from execution.model.clock import SystemClock, steady_ms
from execution.model.errors import ExchangeUnavailable
from execution.model.order import Attempt, Verdict
from execution.store.memory.holds import MemoryAddressHolds
from tests.support.api.canned_server import CannedServer, Reply
from tests.support.api.exchange_kits import KITS
from tests.support.api.kit import order_for
from tests.support.whole_stores import MemoryStore

# What says so, and the path of a signed read and of the question for the time.
REFUSED = {
    "binance": Reply({"code": -1021, "msg": "Timestamp for this request was 1000ms ahead"}, 400),
    "bybit": Reply({"retCode": 10002, "retMsg": "invalid request, check your timestamp"}),
    "okx": Reply({"code": "50102", "msg": "Timestamp request expired", "data": []}, 401),
    "okx 50112": Reply({"code": "50112", "msg": "Invalid OK-ACCESS-TIMESTAMP", "data": []}, 401),
    "kraken": Reply({"error": ["EAPI:Invalid nonce"]}),
}
READ = {
    "binance": ("GET /api/v3/account", {"balances": []}),
    "bybit": (
        "GET /v5/account/wallet-balance",
        {"retCode": 0, "result": {"list": [{"accountType": "UNIFIED", "coin": []}]}},
    ),
    "okx": ("GET /api/v5/account/balance", {"code": "0", "data": [{"details": []}]}),
    "kraken": ("POST /0/private/BalanceEx", {"error": [], "result": {}}),
}
TIME = {
    "binance": "GET /api/v3/time",
    "bybit": "GET /v5/market/time",
    "okx": "GET /api/v5/public/time",
    "kraken": "GET /0/public/Time",
}
OLD_MS = 60_000


class Site:
    def __init__(self, name: str) -> None:
        self.name = name
        self.server = CannedServer()
        self.server.reset(KITS[name].at_start())
        self.clock = SystemClock()
        self.store = MemoryStore(self.clock)
        # Measured a minute ago, and wrong by ten seconds since.
        wrong = ClockOffset(-10_000, 1, self.clock.now_ms() - OLD_MS)
        self.store.set_clock_offset("main", "here", wrong)
        self.clocks = ExchangeClocks(self.store, self.clock, "here")
        account = Account(
            "main", name, "the-key", KITS[name].secret, "the-password", self.server.url
        )
        connections = Connections(
            {"main": account},
            self.clock,
            self.clocks,
            AddressHolds(MemoryAddressHolds(self.store), self.clock),
        )
        self.exchange: Any = connections.exchange("main")

    def refuse(self, reply: Reply, times: int) -> None:
        """Let the exchange blame our time so often, and then answer."""
        route, good = READ[self.name]
        answers = [reply] * times
        self.server.answers[route] = lambda _: answers.pop() if answers else good
        self.server.requests.clear()

    def reads(self) -> int:
        return len(self.server.sent(READ[self.name][0]))

    def measurements(self) -> int:
        return len(self.server.sent(TIME[self.name]))


@pytest.fixture(params=REFUSED)
def refused(request: pytest.FixtureRequest) -> Iterator[tuple[Site, Reply]]:
    site = Site(request.param.split()[0])
    with closing(site.server):
        yield site, REFUSED[request.param]


def test_a_read_is_made_once_more_with_the_time_measured_again(
    refused: tuple[Site, Reply],
) -> None:
    site, reply = refused
    site.refuse(reply, times=1)
    assert site.exchange.balances() == {}
    assert site.reads() == 2
    if site.name != "kraken":
        # Kraken's nonce is not the exchange's time, so that none is asked for.
        assert site.measurements() == 1
        stamps = [_stamp(request) for request in site.server.sent(READ[site.name][0])]
        assert stamps[1] - stamps[0] > 5_000, "the ten seconds are put right"


def test_an_exchange_that_goes_on_blaming_is_not_asked_for_ever(
    refused: tuple[Site, Reply],
) -> None:
    site, reply = refused
    site.refuse(reply, times=100)
    began_ms = steady_ms()
    for _ in range(5):
        with pytest.raises(ExchangeUnavailable):
            site.exchange.balances()
    assert site.reads() == 6
    # Once, and again only after so long; a machine that stalls may take longer than that here.
    assert site.measurements() <= 1 + (steady_ms() - began_ms) // MEASURE_EVERY_MS


@pytest.mark.parametrize("name", ["binance", "bybit", "okx"])
def test_a_placement_is_never_repeated_but_the_time_is_measured_before_the_next(name: str) -> None:
    site = Site(name)
    with closing(site.server):
        route = KITS[name].new_order
        site.server.answers[route] = REFUSED[name]
        site.refuse(REFUSED[name], times=0)
        before_ms = site.clocks.now_ms("main", site.exchange)
        order = replace(order_for(name), account="main")
        attempt = Attempt(1, before_ms, before_ms + 5_000, before_ms + 7_000)
        outcome = site.exchange.place(order, attempt)
        assert outcome.verdict is Verdict.NOT_SENT
        assert len(site.server.sent(route)) == 1
        assert site.measurements() == 0
        assert site.clocks.now_ms("main", site.exchange) - before_ms > 5_000
        assert site.measurements() == 1


def _stamp(request: Any) -> int:
    headers = {name.lower(): value for name, value in request.headers.items()}
    if "timestamp" in request.params:
        return int(request.params["timestamp"])
    if "x-bapi-timestamp" in headers:
        return int(headers["x-bapi-timestamp"])
    return int(datetime.fromisoformat(headers["ok-access-timestamp"]).timestamp() * 1_000)


def test_reads_of_all_threads_are_signed_by_the_one_offset() -> None:
    site = Site("binance")
    with closing(site.server):
        site.refuse(REFUSED["binance"], times=0)
        site.exchange.balances()
        site.clocks.measure("main", site.exchange)
        site.exchange.balances()
        first, second = (_stamp(r) for r in site.server.sent("GET /api/v3/account"))
    assert second - first > 5_000
