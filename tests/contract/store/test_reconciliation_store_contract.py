"""What ReconciliationStore promises, of memory and of a real server alike."""

from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from execution.model.errors import StoreUnavailable
from execution.positions.balance_sheet import BalanceSheet
from execution.reconciliation.run import Reconciliation, ReconciliationStore, Reread
from execution.store.access.connection import connect
from execution.store.redis.reconciliations import RedisReconciliations
from tests.support.clock import EPOCH
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT
from tests.support.stores_kit import AWAY, PARAMS, stores_of

EXACT = Decimal("12345678901234567890.123456789012345678")
SHEET = BalanceSheet(
    opening={"USDT": EXACT, "BTC": Decimal("1E-18")},
    opened_at=datetime(2030, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
    candidate={"ETH": Decimal("-0.000000000000000001")},
    external_trades={"BTC": Decimal("0.3")},
    suspected={"USDT": Decimal("-7.25")},
    seen=("BTC/USDT buy 901", "BTC/USDT sell 901"),
    asked=("ETH/BTC", "ETH/USDT"),
    read={SYMBOL: "901"},
)
RUN = Reconciliation(
    account=ACCOUNT,
    started_at=datetime(2030, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
    took_ms=321,
    symbols=[SYMBOL, "ETH/USDT"],
    calls={"balances": 2, "trades": 1},
    trades_read=7,
    fills_applied=3,
    orders_settled=["oo1"],
    orders_adopted=["oo2"],
    orders_recalled=["oo3"],
    external_orders=[f"{SYMBOL} 77"],
    external_open_orders=[f"{SYMBOL} 78"],
    balances_checked=True,
    drift={"USDT": EXACT},
    drift_confirmed=True,
    repaired=["index oneorder:due"],
    halted=True,
    symbols_failed={"ETH/USDT": "BadSymbol: ETH/USDT"},
    pairs_unasked=12,
    warnings=["positions are not checked"],
    error='no answer: " and \\ and ünïcode \u2028',
)


@pytest.fixture(params=PARAMS)
def store(request: pytest.FixtureRequest) -> ReconciliationStore:
    return stores_of(request.param, request).reconciliations


def a_run(number: int, account: str = ACCOUNT) -> Reconciliation:
    return Reconciliation(account, EPOCH + timedelta(seconds=number), took_ms=number)


def test_a_symbol_that_was_never_read_has_no_cursor(store: ReconciliationStore) -> None:
    assert store.cursor(ACCOUNT, SYMBOL) is None


def test_each_symbol_of_each_account_has_a_cursor_of_its_own(store: ReconciliationStore) -> None:
    store.set_cursor(ACCOUNT, SYMBOL, "101", BalanceSheet())
    store.set_cursor(ACCOUNT, SYMBOL, "102", BalanceSheet())
    store.set_cursor("other", SYMBOL, "7", BalanceSheet())
    assert store.cursor(ACCOUNT, SYMBOL) == "102"
    assert store.cursor("other", SYMBOL) == "7"
    assert store.cursor(ACCOUNT, "ETH/USDT") is None


def test_the_cursor_moves_together_with_what_the_trades_say_of_the_balances(
    store: ReconciliationStore,
) -> None:
    store.set_sheet(ACCOUNT, BalanceSheet())
    store.set_cursor(ACCOUNT, SYMBOL, "101", SHEET)
    assert store.sheet(ACCOUNT) == SHEET


def test_a_sheet_comes_back_to_the_last_decimal(store: ReconciliationStore) -> None:
    for each in fields(BalanceSheet):
        assert getattr(SHEET, each.name), f"{each.name} is not set"
    store.set_sheet(ACCOUNT, SHEET)
    found = store.sheet(ACCOUNT)
    assert found == SHEET
    assert found.opened_at is not None
    assert found.opened_at.utcoffset() == timedelta(0)
    assert str((found.opening or {})["USDT"]) == str(EXACT)


def test_an_account_without_a_sheet_begins_with_an_empty_one(store: ReconciliationStore) -> None:
    store.set_sheet("other", SHEET)
    assert store.sheet(ACCOUNT) == BalanceSheet()


def test_a_run_comes_back_with_everything_that_it_found(store: ReconciliationStore) -> None:
    for each in fields(Reconciliation):
        unset = each.default if each.default is not MISSING else None
        if each.default_factory is not MISSING:
            unset = each.default_factory()
        assert getattr(RUN, each.name) != unset, f"{each.name} is not set"
    store.add_run(RUN)
    assert store.runs(1) == [RUN]


def test_a_run_is_kept_as_it_was_when_it_was_added(store: ReconciliationStore) -> None:
    run = a_run(1)
    store.add_run(run)
    run.orders_settled.append("oo9")
    assert store.runs(1) == [a_run(1)]


def test_runs_are_listed_newest_first(store: ReconciliationStore) -> None:
    for number in (1, 2, 3):
        store.add_run(a_run(number))
    assert store.runs(2) == [a_run(3), a_run(2)]
    assert len(store.runs(10)) == 3


def test_runs_of_one_account_are_found_among_those_of_others(store: ReconciliationStore) -> None:
    for number in range(1, 7):
        store.add_run(a_run(number, ACCOUNT if number % 3 == 0 else "other"))
    assert store.runs(2, ACCOUNT) == [a_run(6), a_run(3)]
    assert store.runs(1, ACCOUNT) == [a_run(6)]
    assert store.runs(5, "nobody") == []


CALLS: dict[str, Callable[[ReconciliationStore], object]] = {
    "cursor": lambda s: s.cursor(ACCOUNT, SYMBOL),
    "set_cursor": lambda s: s.set_cursor(ACCOUNT, SYMBOL, "1", SHEET),
    "symbols_read": lambda s: s.symbols_read(ACCOUNT),
    "reread": lambda s: s.reread(ACCOUNT),
    "set_reread": lambda s: s.set_reread(ACCOUNT, Reread((SYMBOL,), RUN.started_at)),
    "sheet": lambda s: s.sheet(ACCOUNT),
    "set_sheet": lambda s: s.set_sheet(ACCOUNT, SHEET),
    "add_run": lambda s: s.add_run(RUN),
    "runs": lambda s: s.runs(1),
}


@pytest.mark.parametrize("method", CALLS)
def test_a_server_that_is_not_there_is_a_store_unavailable(method: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"^cannot reach Redis at "):
        CALLS[method](RedisReconciliations(connect(AWAY)))


def test_every_method_of_the_port_has_its_failure_here() -> None:
    assert set(CALLS) == {name for name in vars(ReconciliationStore) if not name.startswith("_")}


def test_every_key_is_named_for_the_project(valkey_url: str) -> None:
    client = connect(valkey_url)
    client.flushall()
    for call in CALLS.values():
        call(RedisReconciliations(client))
    found = sorted(client.scan_iter())
    assert len(found) == 4
    assert all(key.startswith("oneorder:") for key in found)
