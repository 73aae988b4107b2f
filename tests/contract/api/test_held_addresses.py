"""An address that asks to be left alone: nothing is sent there, by any worker, for any account."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from execution.api.accounts.account_services import placement_address
from execution.api.connections import BINANCE_ADAPTER, Connections, addresses_of
from execution.api.other_exchange_api import ADAPTERS
from execution.exchanges.account import Account
from execution.exchanges.address_holds import READ_EVERY_MS, AddressHolds, address_of
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.registry import GUARANTEES, client_order_id_of
from execution.model.clock import SystemClock
from execution.model.errors import AddressHeld, ExchangeUnavailable, StoreUnavailable
from execution.model.order import Attempt, Verdict
from execution.orders.store import Change, Committed
from execution.store.memory.holds import MemoryAddressHolds
from execution.store.stores import Stores
from tests.support.api.canned_server import CannedServer, Reply
from tests.support.api.exchange_kits import KITS
from tests.support.clock import START_MS, FakeClock
from tests.support.stores_kit import PARAMS, an_order, kept, stores_of
from tests.support.whole_stores import MemoryStore

ADDRESS, OTHER = "https://api.one.test:443", "https://api.two.test:443"
ATTEMPT = Attempt(1, START_MS + 42, START_MS + 3_042, START_MS + 5_042)


@pytest.fixture(params=PARAMS)
def stores(request: pytest.FixtureRequest) -> Stores:
    return stores_of(request.param, request)


def test_an_attempt_does_not_begin_at_a_held_address_and_does_at_another(stores: Stores) -> None:
    order = kept(stores, an_order())
    stores.address_holds.hold_address(ADDRESS, 60, "HTTP 418")
    after = replace(order, version=2, revision="2")
    epoch = stores.epochs.epoch()
    begins = Change(order, after, 5, epoch=epoch, begins_attempt=True, address=ADDRESS)
    assert stores.orders.commit(begins) is Committed.HELD
    assert stores.orders.order(order.order_id) == order
    assert stores.orders.commit(replace(begins, address=OTHER)) is Committed.DONE


def test_what_begins_no_attempt_is_written_though_the_address_is_held(stores: Stores) -> None:
    order = kept(stores, an_order())
    stores.address_holds.hold_address(ADDRESS, 60, "HTTP 418")
    after = replace(order, version=2, revision="2")
    assert stores.orders.commit(Change(order, after, 5, address=ADDRESS)) is Committed.DONE


def test_a_hold_is_never_shortened_and_keeps_its_reason(stores: Stores) -> None:
    holds = stores.address_holds
    assert holds.address_hold(ADDRESS) is None
    holds.hold_address(ADDRESS, 120, "a ban")
    holds.hold_address(ADDRESS, 1, "a short wait")
    hold = holds.address_hold(ADDRESS)
    assert hold is not None
    assert hold.reason == "a ban"
    assert hold.until_ms - START_MS > 100_000
    assert holds.address_hold(OTHER) is None


def test_a_hold_that_is_ended_by_hand_is_over_for_attempts_too(stores: Stores) -> None:
    holds, order = stores.address_holds, kept(stores, an_order())
    assert not holds.end_address_hold(ADDRESS)
    holds.hold_address(ADDRESS, 60, "HTTP 418")
    stores.holds.hold(order.account, 60)
    assert holds.end_address_hold(ADDRESS)
    assert stores.holds.end_hold(order.account)
    assert not stores.holds.end_hold(order.account)
    after = replace(order, version=2, revision="2")
    begins = Change(
        order, after, 5, epoch=stores.epochs.epoch(), begins_attempt=True, address=ADDRESS
    )
    assert stores.orders.commit(begins) is Committed.DONE


def test_every_process_that_knows_of_a_hold_soon_learns_that_it_was_ended(stores: Stores) -> None:
    clock = FakeClock()
    holding, other = (AddressHolds(stores.address_holds, clock) for _ in range(2))
    holding.hold(ADDRESS, 60, "HTTP 418")
    for look, holds in ((True, other), (False, holding)):
        with pytest.raises(AddressHeld):
            holds.check(ADDRESS, read_shared=look)
    stores.address_holds.end_address_hold(ADDRESS)
    clock.advance(READ_EVERY_MS)
    for holds in (holding, other):
        holds.check(ADDRESS, read_shared=False)


def test_a_hold_that_could_not_be_stored_is_not_taken_for_one_that_was_ended() -> None:
    clock = FakeClock()
    store = NotListening(MemoryStore(clock))
    holds = AddressHolds(store, clock)
    holds.hold(ADDRESS, 60, "HTTP 418")
    for _ in range(3):
        clock.advance(READ_EVERY_MS)
        with pytest.raises(AddressHeld):
            holds.check(ADDRESS, read_shared=True)


class NotListening(MemoryAddressHolds):
    """A store that can be asked and takes nothing."""

    def hold_address(self, address: str, seconds: int, reason: str) -> None:
        raise StoreUnavailable("READONLY")


@pytest.mark.parametrize("exchange", sorted(GUARANTEES))
def test_the_addresses_of_an_account_include_the_one_that_placements_go_to(exchange: str) -> None:
    account = Account("main", exchange, "the-key", "c2VjcmV0", "passphrase")
    client = {"binance": BINANCE_ADAPTER, **ADAPTERS}[exchange].client(account)
    assert placement_address(client) in addresses_of(account)
    moved = replace(account, base_url="http://127.0.0.1:8801")
    assert addresses_of(moved) == ["http://127.0.0.1:8801"]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://api.binance.com/api/v3/order?x=1", "https://api.binance.com:443"),
        ("http://user:password@127.0.0.1:8801/api", "http://127.0.0.1:8801"),
        ("wss://stream.binance.com:9443/ws", "https://stream.binance.com:9443"),
        ("ws://127.0.0.1:8801/ws/0", "http://127.0.0.1:8801"),
    ],
)
def test_an_address_is_scheme_host_and_port_and_shows_no_password(url: str, address: str) -> None:
    assert address_of(url) == address


class AwayStore:
    """A store of holds that is away for as long as `is_away`."""

    def __init__(self, store: MemoryAddressHolds) -> None:
        self.is_away = True
        self._store = store

    def hold_address(self, address: str, seconds: int, reason: str) -> None:
        if self.is_away:
            raise StoreUnavailable("connection refused")
        self._store.hold_address(address, seconds, reason)

    def end_address_hold(self, address: str) -> bool:
        return self._store.end_address_hold(address)

    def address_hold(self, address: str) -> Any:
        if self.is_away:
            raise StoreUnavailable("connection refused")
        return self._store.address_hold(address)


def test_a_wait_that_could_not_be_shared_is_obeyed_here_and_shared_later() -> None:
    clock = FakeClock()
    shared = MemoryAddressHolds(MemoryStore(clock))
    away = AwayStore(shared)
    holds = AddressHolds(away, clock)
    holds.hold(ADDRESS, 60, "HTTP 429")
    with pytest.raises(AddressHeld):
        holds.check(ADDRESS, read_shared=False)
    away.is_away = False
    clock.advance(1_000)
    with pytest.raises(AddressHeld):
        holds.check(ADDRESS, read_shared=True)
    other = AddressHolds(shared, clock)
    with pytest.raises(AddressHeld, match=r"until 20.* \(HTTP 429\)"):
        other.check(ADDRESS, read_shared=True)
    clock.advance(60_000)
    holds.check(ADDRESS, read_shared=True)
    other.check(ADDRESS, read_shared=True)


@pytest.mark.parametrize("step_ms", [-3_600_000, 3_600_000])
@pytest.mark.parametrize("is_ours", [True, False], ids=["heard here", "heard elsewhere"])
def test_a_wait_is_as_long_as_was_asked_for_though_our_clock_is_set(
    step_ms: int, is_ours: bool
) -> None:
    true = FakeClock()
    wall = FakeClock()
    # Whoever counts the time in Redis has a clock that nobody sets.
    shared = MemoryAddressHolds(MemoryStore(true))
    holds = AddressHolds(shared, wall, true.now_ms)
    if is_ours:
        holds.hold(ADDRESS, 60, "HTTP 418")
    else:
        shared.hold_address(ADDRESS, 60, "HTTP 418")
        with pytest.raises(AddressHeld):
            holds.check(ADDRESS, read_shared=True)
    wall.advance(step_ms)
    for clock in (true, wall):
        clock.advance(59_000)
    with pytest.raises(AddressHeld):
        holds.check(ADDRESS, read_shared=False)
    for clock in (true, wall):
        clock.advance(2_000)
    holds.check(ADDRESS, read_shared=False)


class CountingStore:
    def __init__(self, store: MemoryAddressHolds) -> None:
        self.looks = 0
        self._store = store

    def hold_address(self, address: str, seconds: int, reason: str) -> None:
        self._store.hold_address(address, seconds, reason)

    def end_address_hold(self, address: str) -> bool:
        return self._store.end_address_hold(address)

    def address_hold(self, address: str) -> Any:
        self.looks += 1
        return self._store.address_hold(address)


def test_reads_ask_the_store_now_and_then_and_placements_never() -> None:
    clock = FakeClock()
    store = CountingStore(MemoryAddressHolds(MemoryStore(clock)))
    holds = AddressHolds(store, clock)
    for _ in range(100):
        holds.check(ADDRESS, read_shared=False)
    assert store.looks == 0
    for _ in range(100):
        holds.check(ADDRESS, read_shared=True)
        clock.advance(20)
    assert 2 <= store.looks <= 5


# On the wire


class Town:
    """One address, with accounts of several exchanges behind it, and workers on one store."""

    def __init__(self) -> None:
        self.server = CannedServer()
        self.clock = SystemClock()
        self.store = MemoryStore(self.clock)
        self.shared = MemoryAddressHolds(self.store)

    def worker(self, *exchanges: str) -> Connections:
        accounts = {
            name: Account(name, name, "the-key", KITS[name].secret, "the-password", self.server.url)
            for name in exchanges
        }
        return Connections(
            accounts,
            self.clock,
            ExchangeClocks(self.store, self.clock, "here"),
            AddressHolds(self.shared, self.clock),
        )


@pytest.fixture
def town() -> Iterator[Town]:
    town = Town()
    with closing(town.server):
        yield town


BANNED = {
    "binance": Reply({"code": -1003, "msg": "banned"}, 418, {"Retry-After": "60"}),
    "bybit": Reply("access too frequent", 403),
    "okx": Reply({"code": "50011", "msg": "Requests too frequent", "data": []}, 200),
    "kraken": Reply({"error": ["EGeneral:Temporary lockout"]}, 200),
    "coinbase": Reply({"error": "rate"}, 429, {"Retry-After": "60"}),
    "upbit": Reply({"error": {"name": "blocked", "message": "blocked for 60 seconds"}}, 418),
}


@pytest.mark.parametrize("name", BANNED)
@pytest.mark.parametrize("by", ["a placement", "a read"])
def test_after_a_ban_nothing_is_sent_for_any_account_by_any_worker(
    name: str, by: str, town: Town
) -> None:
    neighbour = "okx" if name != "okx" else "binance"
    town.server.reset({**KITS[name].at_start(), **KITS[neighbour].at_start()})
    here, there = town.worker(name, neighbour), town.worker(name, neighbour)
    banned = here.exchange(name)
    elsewhere = there.exchange(neighbour)
    here.exchange(neighbour)
    kit = KITS[name]
    every = dict.fromkeys([kit.new_order, *_routes(kit)], BANNED[name])
    town.server.answers.update(every)
    if by == "a read":
        with pytest.raises(ExchangeUnavailable):
            banned.order_book("BTC/USDT", 5)
    else:
        order = replace(an_order(), account=name)
        outcome = banned.place(replace(order, client_order_id=_id_for(name)), ATTEMPT)
        assert outcome.verdict in (Verdict.NOT_SENT, Verdict.UNKNOWN, Verdict.REJECTED)
    time.sleep(0.6)
    town.server.requests.clear()
    adapters: list[Callable[[], object]] = [
        lambda: here.exchange(name),
        lambda: here.exchange(neighbour),
        lambda: banned.balances(),
        lambda: banned.measure_clock(),
        lambda: banned.prices(["BTC/USDT"]),
        lambda: elsewhere.balances(),
        lambda: elsewhere.measure_clock(),
        lambda: elsewhere.cancel(replace(an_order(), exchange_order_id="7")),
        lambda: town.worker(name).exchange(name),
    ]
    for adapter in adapters:
        with pytest.raises(AddressHeld, match="asked for no requests until"):
            adapter()
    refused = banned.place(replace(an_order(), client_order_id=_id_for(name)), ATTEMPT)
    assert refused.verdict is Verdict.NOT_SENT
    assert town.server.requests == []


def _routes(kit: Any) -> list[str]:
    return [kit.book] if hasattr(kit, "book") else ["GET /api/v3/depth"]


def _id_for(name: str) -> str:
    return client_order_id_of(an_order().order_id, name)


PLACEMENTS: dict[str, tuple[str, list[str]]] = {
    "binance": ("order", ["private"]),
    "bybit": ("v5/order/create", ["private"]),
    "okx": ("trade/order", ["private"]),
    "kraken": ("AddOrder", ["private"]),
    "coinbase": ("brokerage/orders", ["v3", "private"]),
    "upbit": ("orders", ["private"]),
}


@pytest.mark.parametrize("name", PLACEMENTS)
@pytest.mark.parametrize("base_url", [None, "http://127.0.0.1:8801"])
def test_the_address_of_placements_is_the_one_that_they_are_sent_to(
    name: str, base_url: str | None
) -> None:
    account = Account(name, name, "the-key", KITS[name].secret, "the-password", base_url)
    client = (BINANCE_ADAPTER if name == "binance" else ADAPTERS[name]).client(account)
    path, api = PLACEMENTS[name]
    signed = client.sign(path, api, "POST", {})
    assert placement_address(client) == address_of(signed["url"])
