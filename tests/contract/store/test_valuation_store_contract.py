"""What ValuationStore promises, of memory and of a real server alike."""

from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution.ledger.port import Snapshot
from execution.model.errors import StoreUnavailable
from execution.positions.valuation import Mark, Totals, ValuationStore
from execution.store.access import keys
from execution.store.access.connection import connect
from execution.store.redis.valuations import RedisValuations
from tests.support.clock import EPOCH, START_MS
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT
from tests.support.stores_kit import AWAY, PARAMS, stores_of

PRICE = Decimal("12345678901234567890.123456789012345678")
TOTALS = Totals(
    account=ACCOUNT,
    quote="USDT",
    realised_pnl=PRICE,
    unrealised_pnl=Decimal("-0.000000000000000001"),
    exposure=Decimal("7.5"),
    net_exposure=Decimal("-2.5"),
    turnover=Decimal(1_000),
    fees={"BNB": Decimal("0.00001"), "USDT": Decimal("-1.5")},
    updated_at=datetime(2030, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
    marked_at_ms=START_MS,
    unmarked=["ETH/USDT"],
)


@pytest.fixture(params=PARAMS)
def store(request: pytest.FixtureRequest) -> ValuationStore:
    return stores_of(request.param, request).valuations


def snapshot(number: int, account: str = ACCOUNT) -> Snapshot:
    time = EPOCH + timedelta(minutes=number, microseconds=7)
    return Snapshot(account, "USDT", time, PRICE, Decimal(-number), Decimal("0.5"))


def test_a_mark_is_exact_and_knows_when_it_was_read(store: ValuationStore) -> None:
    assert store.mark(ACCOUNT, SYMBOL) is None
    store.set_marks(ACCOUNT, {SYMBOL: PRICE, "X/Y": Decimal("1E-18")}, START_MS)
    assert store.mark(ACCOUNT, SYMBOL) == Mark(PRICE, START_MS)
    assert store.mark(ACCOUNT, "X/Y") == Mark(Decimal("0.000000000000000001"), START_MS)
    assert store.mark("other", SYMBOL) is None


def test_marks_that_are_not_read_again_keep_their_age(store: ValuationStore) -> None:
    store.set_marks(ACCOUNT, {SYMBOL: Decimal(1), "X/Y": Decimal(2)}, START_MS)
    store.set_marks(ACCOUNT, {SYMBOL: Decimal(3)}, START_MS + 5)
    store.set_marks(ACCOUNT, {}, START_MS + 9)
    store.set_marks("other", {SYMBOL: Decimal(4)}, START_MS)
    marks = {SYMBOL: Mark(Decimal(3), START_MS + 5), "X/Y": Mark(Decimal(2), START_MS)}
    assert store.marks(ACCOUNT) == marks
    assert store.marks("nobody") == {}


def test_totals_come_back_with_every_field(store: ValuationStore) -> None:
    for each in fields(Totals):
        unset = each.default if each.default is not MISSING else None
        assert getattr(TOTALS, each.name) not in (unset, []), f"{each.name} is not set"
    bare = replace(TOTALS, quote="BTC", fees={}, marked_at_ms=None, unmarked=[])
    store.set_totals([TOTALS, bare])
    assert store.totals() == [bare, TOTALS]


def test_totals_are_kept_by_account_and_quote_and_the_last_ones_count(
    store: ValuationStore,
) -> None:
    other = replace(TOTALS, account="another")
    store.set_totals([TOTALS, other])
    later = replace(TOTALS, exposure=Decimal(9), marked_at_ms=None)
    store.set_totals([later])
    store.set_totals([])
    assert store.totals() == [other, later]
    assert store.totals(ACCOUNT) == [later]
    assert store.totals("nobody") == []


def test_snapshots_wait_for_the_ledger_oldest_first(store: ValuationStore) -> None:
    store.add_snapshots([snapshot(1), snapshot(2, "other")])
    store.add_snapshots([snapshot(3)])
    store.add_snapshots([])
    waiting = store.unarchived_snapshots(10)
    assert [each for _, each in waiting] == [snapshot(1), snapshot(2, "other"), snapshot(3)]
    assert len({name for name, _ in waiting}) == 3
    assert store.unarchived_snapshots(2) == waiting[:2]


def test_snapshots_that_the_ledger_has_wait_no_more(store: ValuationStore) -> None:
    store.add_snapshots(snapshot(number) for number in range(1, 5))
    (_, (second, _)) = store.unarchived_snapshots(2)
    store.mark_snapshots_archived(second)
    assert [each for _, each in store.unarchived_snapshots(10)] == [snapshot(3), snapshot(4)]
    store.mark_snapshots_archived(store.unarchived_snapshots(10)[-1][0])
    assert store.unarchived_snapshots(10) == []
    store.add_snapshots([snapshot(5)])
    assert [each for _, each in store.unarchived_snapshots(10)] == [snapshot(5)]


def test_two_equal_snapshots_are_two(store: ValuationStore) -> None:
    store.add_snapshots([snapshot(1), snapshot(1)])
    (first, _), _ = store.unarchived_snapshots(10)
    store.mark_snapshots_archived(first)
    assert [each for _, each in store.unarchived_snapshots(10)] == [snapshot(1)]


def test_the_series_does_not_grow_for_ever(valkey_url: str) -> None:
    """The server lets go of whole nodes of a hundred entries, so it is bounded by a few more."""
    client: Any = connect(valkey_url)
    client.flushall()
    full = client.pipeline(transaction=False)
    for _ in range(keys.SNAPSHOTS_MAX + 500):
        full.xadd(keys.SNAPSHOTS, {"snapshot": "an old one"})
    full.execute()
    RedisValuations(client).add_snapshots([snapshot(1)])
    assert keys.SNAPSHOTS_MAX <= client.xlen(keys.SNAPSHOTS) <= keys.SNAPSHOTS_MAX + 100
    client.delete(keys.SNAPSHOTS)


CALLS: dict[str, Callable[[ValuationStore], object]] = {
    "mark": lambda s: s.mark(ACCOUNT, SYMBOL),
    "marks": lambda s: s.marks(ACCOUNT),
    "set_marks": lambda s: s.set_marks(ACCOUNT, {SYMBOL: PRICE}, 1),
    "totals": lambda s: s.totals(),
    "set_totals": lambda s: s.set_totals([TOTALS]),
    "add_snapshots": lambda s: s.add_snapshots([snapshot(1)]),
    "unarchived_snapshots": lambda s: s.unarchived_snapshots(1),
    "mark_snapshots_archived": lambda s: s.mark_snapshots_archived("1-1"),
}


@pytest.mark.parametrize("method", CALLS)
def test_a_server_that_is_not_there_is_a_store_unavailable(method: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"^cannot reach Redis at "):
        CALLS[method](RedisValuations(connect(AWAY)))


def test_every_method_of_the_port_has_its_failure_here() -> None:
    assert set(CALLS) == {name for name in vars(ValuationStore) if not name.startswith("_")}


def test_every_key_is_named_for_the_project(valkey_url: str) -> None:
    client = connect(valkey_url)
    client.flushall()
    for call in CALLS.values():
        call(RedisValuations(client))
    found = sorted(client.scan_iter())
    assert len(found) == 5
    assert all(key.startswith("oneorder:") for key in found)
