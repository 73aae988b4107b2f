"""One contract for every ledger: what port.Ledger promises, of memory and of databases alike.

Where the environment names a PostgreSQL of no other use (ONEORDER_TEST_POSTGRES_URL), it has to
keep the contract too.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from execution.ledger.memory import MemoryLedger
from execution.ledger.port import Checkpoint, Ledger, Snapshot
from execution.ledger.sql.ledger import SqlLedger, open_ledger
from execution.ledger.sql.schema import revisions
from execution.ledger.sql.tables import metadata
from execution.model.errors import LedgerUnavailable, StoreUnavailable
from execution.model.order import (
    LIVE,
    Attempt,
    Fee,
    Fill,
    Order,
    OrderState,
    OrderType,
    Side,
    TimeInForce,
    Verdict,
)
from execution.orders.store import Halt
from tests.support.clock import EPOCH, START_MS
from tests.support.depth import examples
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, Rig, fill

POSTGRES_URL = os.environ.get("ONEORDER_TEST_POSTGRES_URL")
TWINS = ["memory", "sqlite", *(["postgresql"] if POSTGRES_URL else [])]
NOW = EPOCH + timedelta(milliseconds=START_MS)
RIG = Rig()


@pytest.fixture(params=TWINS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    url = f"sqlite:///{tmp_path / 'history' / 'ledger.db'}"
    if request.param == "postgresql":
        url = str(POSTGRES_URL)
        engine = create_engine(url)
        metadata.drop_all(engine)
        revisions.drop(engine, checkfirst=True)
        engine.dispose()
    opened = SqlLedger(url)
    yield opened
    opened.close()


def an_order(number: int = 1, **changes: Any) -> Order:
    """The order of signal number so-and-so, one second younger than the one before."""
    now = NOW + timedelta(seconds=number)
    return replace(RIG.order(signal_id=f"signal-{number}", now=now), version=1, **changes)


def later(order: Order, **changes: Any) -> Order:
    """The next state of the order, a second later."""
    moment = order.updated_at + timedelta(seconds=1)
    return replace(order, version=order.version + 1, updated_at=moment, **changes)


def numbered(trade_id: str, sequence: int, **changes: Any) -> Fill:
    return replace(fill(trade_id, "buy", "1", "100"), sequence=sequence, **changes)


_TIMES = st.integers(0, 200 * 365 * 86_400 * 1_000_000).map(
    lambda micros: EPOCH + timedelta(microseconds=micros)
)
_NUMBERS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=18),
    st.sampled_from([Decimal("12345678901234567890.123456789012345678"), Decimal("1E+2")]),
)
_IDS = st.text("abcXYZ019-_", min_size=1, max_size=12)
_ASSETS = st.sampled_from(["USDT", "BNB", "BTC", 'odd "asset"'])
_FILLS = st.builds(
    Fill,
    trade_id=_IDS,
    side=st.sampled_from(Side),
    price=_NUMBERS,
    amount=_NUMBERS,
    fees=st.lists(st.builds(Fee, _ASSETS, _NUMBERS), max_size=3).map(tuple),
    time=_TIMES,
    sequence=st.integers(0, 10**12),
)
_ATTEMPTS = st.builds(
    Attempt,
    number=st.integers(1, 9),
    stamp_ms=st.integers(0, 10**14),
    valid_until_ms=st.integers(0, 10**14),
    provable_at_ms=st.integers(0, 10**14),
    verdict=st.none() | st.sampled_from(Verdict),
    reason=st.none() | st.text(max_size=20),
)
_ORDERS = st.builds(
    Order,
    order_id=_IDS,
    signal_id=_IDS,
    account=_IDS,
    symbol=st.sampled_from([SYMBOL, "BTC/USDT:USDT-300628"]),
    side=st.sampled_from(Side),
    type=st.sampled_from(OrderType),
    time_in_force=st.none() | st.sampled_from(TimeInForce),
    amount=_NUMBERS,
    price=st.none() | _NUMBERS,
    client_order_id=_IDS,
    created_at=_TIMES,
    updated_at=_TIMES,
    expires_at=st.none() | _TIMES,
    strategy=st.none() | st.text(max_size=20),
    reference_price=st.none() | _NUMBERS,
    state=st.sampled_from(OrderState),
    reason=st.none() | st.text(max_size=40),
    exchange_order_id=st.none() | _IDS,
    filled=_NUMBERS,
    average=st.none() | _NUMBERS,
    cancel_requested=st.booleans(),
    attempts=st.lists(_ATTEMPTS, max_size=3, unique_by=lambda a: a.number).map(tuple),
    fills=st.lists(_FILLS, max_size=4, unique_by=lambda f: f.trade_id).map(tuple),
    entry_id=st.none() | _IDS,
    version=st.integers(1, 10**9),
    revision=_IDS,
)
_FRESH = itertools.count()


@settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(drawn=_ORDERS)
def test_whatever_an_order_holds_comes_back_the_same(ledger: Ledger, drawn: Order) -> None:
    number = next(_FRESH)
    order = replace(drawn, order_id=f"oo{number}", account=f"account-{number}")
    ledger.write([order])
    assert ledger.order(order.order_id) == order
    assert list(ledger.orders(account=order.account)) == [order]
    told = list(ledger.fills(order.account, order.symbol))
    assert sorted(told, key=str) == sorted(order.fills, key=str)
    for found in told:
        assert (type(found.side), type(found.price)) == (Side, Decimal)
        assert found.time.utcoffset() == timedelta(0)


def test_an_answer_with_the_character_nul_in_it_is_no_hindrance(ledger: Ledger) -> None:
    order = an_order(reason="refused:\0garbage", strategy="\0")
    ledger.write([order])
    assert ledger.order(order.order_id) == order


def test_what_was_never_written_is_not_there(ledger: Ledger) -> None:
    assert ledger.order("oo-unknown") is None
    assert ledger.order_by_exchange_id(ACCOUNT, SYMBOL, "77") is None
    assert list(ledger.orders()) == []
    assert ledger.traded() == []
    assert list(ledger.fills(ACCOUNT, SYMBOL)) == []
    assert list(ledger.snapshots()) == []


def test_writing_nothing_is_no_error(ledger: Ledger) -> None:
    ledger.write([])
    ledger.write_snapshots([])
    assert list(ledger.orders()) == []


def test_writing_the_same_twice_changes_nothing(ledger: Ledger) -> None:
    orders = [an_order(1, fills=(numbered("t1", 1),)), an_order(2)]
    ledger.write(orders)
    ledger.write(orders)
    ledger.write(orders + orders)
    assert list(ledger.orders()) == orders
    assert list(ledger.fills(ACCOUNT, SYMBOL)) == [numbered("t1", 1)]


def test_a_newer_state_takes_the_place_of_the_older_one(ledger: Ledger) -> None:
    order = an_order()
    attempted = later(order, attempts=(Attempt(1, 5, 6, 7),), state=OrderState.SUBMITTING)
    verdict = replace(attempted.attempts[0], verdict=Verdict.REJECTED, reason="no")
    rejected = later(attempted, attempts=(verdict,), state=OrderState.REJECTED)
    for state in (order, attempted, rejected):
        ledger.write([state])
        assert ledger.order(order.order_id) == state
    assert list(ledger.orders()) == [rejected]


def test_a_late_writer_of_an_older_state_does_no_harm(ledger: Ledger) -> None:
    order = an_order()
    filled = later(order, state=OrderState.FILLED, fills=(numbered("t1", 1),))
    ledger.write([filled])
    ledger.write([order])
    assert ledger.order(order.order_id) == filled


def test_a_state_older_by_its_version_alone_is_news(ledger: Ledger) -> None:
    """The store came back from an earlier time, and counts from there again."""
    order = an_order()
    lost = later(later(later(order)), state=OrderState.OPEN)
    again = replace(order, version=2, updated_at=lost.updated_at + timedelta(seconds=1))
    ledger.write([lost])
    ledger.write([again])
    assert ledger.order(order.order_id) == again


def test_a_state_older_by_its_time_alone_is_news(ledger: Ledger) -> None:
    """The worker that made it has a clock that is behind the last one's."""
    order = an_order()
    behind = replace(later(order), updated_at=order.updated_at - timedelta(seconds=1))
    ledger.write([order])
    ledger.write([behind])
    assert ledger.order(order.order_id) == behind


def test_of_two_versions_of_the_same_time_the_higher_one_stays(ledger: Ledger) -> None:
    order = an_order()
    newer = replace(order, version=2, state=OrderState.OPEN)
    ledger.write([newer])
    ledger.write([order])
    assert ledger.order(order.order_id) == newer


@pytest.mark.parametrize("turn", [1, -1])
def test_several_states_of_one_order_may_come_at_once(ledger: Ledger, turn: int) -> None:
    order = an_order()
    opened = later(order, state=OrderState.OPEN, fills=(numbered("t1", 1),))
    closed = later(opened, state=OrderState.CANCELED)
    ledger.write([order, opened, an_order(2), closed][::turn])
    assert ledger.order(order.order_id) == closed
    assert len(list(ledger.orders())) == 2


def test_a_fill_stays_though_a_later_state_lacks_it(ledger: Ledger) -> None:
    order = an_order()
    ledger.write([later(order, fills=(numbered("t1", 1), numbered("t2", 2)))])
    restored = replace(later(later(later(order))), fills=(numbered("t2", 1),))
    ledger.write([restored])
    whole = replace(restored, fills=(numbered("t2", 1), numbered("t1", 1)))
    assert ledger.order(order.order_id) == whole
    assert list(ledger.orders()) == [whole]
    assert list(ledger.fills(ACCOUNT, SYMBOL)) == [numbered("t1", 1), numbered("t2", 1)]


def test_a_fill_that_only_an_older_state_has_is_kept_too(ledger: Ledger) -> None:
    order = an_order()
    newer = later(order, fills=(numbered("t2", 2),))
    ledger.write([newer])
    ledger.write([replace(order, fills=(numbered("t1", 1), numbered("t2", 9)))])
    assert ledger.order(order.order_id) == replace(
        newer, fills=(numbered("t2", 2), numbered("t1", 1))
    )
    assert list(ledger.fills(ACCOUNT, SYMBOL)) == [numbered("t1", 1), numbered("t2", 2)]


def test_a_fill_is_known_by_account_symbol_trade_and_side(ledger: Ledger) -> None:
    bought = numbered("t1", 1)
    sold = replace(bought, side=Side.SELL, sequence=2)
    ledger.write(
        [
            an_order(1, fills=(bought,)),
            an_order(2, fills=(sold,), side=Side.SELL),
            an_order(3, fills=(bought,), account="other"),
            an_order(4, fills=(bought,), symbol="ETH/USDT"),
        ]
    )
    assert list(ledger.fills(ACCOUNT, SYMBOL)) == [bought, sold]
    assert list(ledger.fills("other", SYMBOL)) == [bought]
    assert list(ledger.fills(ACCOUNT, "ETH/USDT")) == [bought]
    assert ledger.traded() == [(ACCOUNT, SYMBOL), (ACCOUNT, "ETH/USDT"), ("other", SYMBOL)]


def test_a_trade_that_two_orders_claim_is_one_fill_of_the_first(ledger: Ledger) -> None:
    first = an_order(1, fills=(numbered("t1", 1),))
    second = an_order(2, fills=(numbered("t1", 5),))
    ledger.write([first])
    ledger.write([second])
    assert list(ledger.fills(ACCOUNT, SYMBOL)) == [numbered("t1", 1)]
    assert list(ledger.orders()) == [first, second]


def test_fills_come_by_sequence_then_time_then_trade_id(ledger: Ledger) -> None:
    early = NOW - timedelta(hours=1)
    fills = [
        numbered("a", 0, time=early),
        numbered("B", 0),
        numbered("a2", 0),
        numbered("z", 1),
        numbered("c", 2, time=early),
        numbered("y", 10),
    ]
    ledger.write([an_order(number, fills=(one,)) for number, one in enumerate(reversed(fills))])
    assert list(ledger.fills(ACCOUNT, SYMBOL)) == fills


def test_orders_come_oldest_first_then_by_id(ledger: Ledger) -> None:
    twins = [an_order(2, order_id=name) for name in ("oo-B", "oo-a", "oo-b")]
    orders = [an_order(1), *twins, an_order(3)]
    ledger.write(reversed(orders))
    assert list(ledger.orders()) == orders
    assert list(ledger.orders(newest_first=True)) == orders[::-1]


def test_more_than_a_page_of_orders_and_fills_comes_whole_and_in_order(ledger: Ledger) -> None:
    together = NOW + timedelta(seconds=5)
    orders = [
        replace(an_order(fills=(numbered(f"t{n:05}", n // 7),)), order_id=f"oo{n:05}",
                created_at=together)
        for n in range(2100)
    ]  # fmt: skip
    ledger.write(orders)
    assert list(ledger.orders()) == orders
    assert list(ledger.orders(newest_first=True)) == orders[::-1]
    assert [one.trade_id for one in ledger.fills(ACCOUNT, SYMBOL)] == [
        f"t{n:05}" for n in range(2100)
    ]


def test_orders_are_asked_for_by_creation_by_change_and_by_account(ledger: Ledger) -> None:
    first, second, third = (an_order(number) for number in (1, 2, 3))
    first = later(later(first))
    second = replace(second, account="other")
    ledger.write([first, second, third])
    assert list(ledger.orders(since=second.created_at)) == [second, third]
    assert list(ledger.orders(since=second.created_at, account="other")) == [second]
    assert list(ledger.orders(changed_since=third.updated_at)) == [first, third]
    assert list(ledger.orders(changed_since=third.updated_at, since=third.created_at)) == [third]
    assert list(ledger.orders(account="nobody")) == []


def test_a_time_may_be_asked_for_in_any_zone(ledger: Ledger) -> None:
    first, second = an_order(1), an_order(2)
    ledger.write([first, second])
    seoul = second.created_at.astimezone(timezone(timedelta(hours=9)))
    assert list(ledger.orders(since=seoul)) == [second]


def test_a_time_without_a_zone_is_refused_by_name(ledger: Ledger) -> None:
    bare = datetime(2027, 1, 1)  # noqa: DTZ001 The very thing that must not be taken.
    with pytest.raises(ValueError, match="changed_since: 2027-01-01 00:00:00 has no time zone"):
        list(ledger.orders(changed_since=bare))
    with pytest.raises(ValueError, match="since: 2027-01-01 00:00:00 has no time zone"):
        list(ledger.snapshots(since=bare))


def test_of_orders_that_are_written_together_all_are_kept_or_none(ledger: Ledger) -> None:
    bad = an_order(2, updated_at=datetime(2027, 1, 1))  # noqa: DTZ001 What makes it a bad one.
    with pytest.raises(ValueError, match="2027-01-01 00:00:00 has no time zone"):
        ledger.write([an_order(1), bad])
    assert list(ledger.orders()) == []
    ledger.write([an_order(1)])
    assert list(ledger.orders()) == [an_order(1)]


def test_an_order_is_found_by_the_exchanges_id(ledger: Ledger) -> None:
    order = an_order(1, exchange_order_id="77", fills=(numbered("t1", 1),))
    ledger.write([order, an_order(2, exchange_order_id="78"), an_order(3)])
    assert ledger.order_by_exchange_id(ACCOUNT, SYMBOL, "77") == order
    assert ledger.order_by_exchange_id(ACCOUNT, "ETH/USDT", "77") is None
    assert ledger.order_by_exchange_id("other", SYMBOL, "77") is None


def test_of_two_orders_that_an_exchange_gave_one_id_the_youngest_is_meant(ledger: Ledger) -> None:
    orders = [an_order(number, exchange_order_id="77") for number in (2, 3, 1)]
    ledger.write(orders)
    assert ledger.order_by_exchange_id(ACCOUNT, SYMBOL, "77") == orders[1]


def a_snapshot(minute: int, **changes: Any) -> Snapshot:
    taken = Snapshot(
        account=ACCOUNT,
        quote="USDT",
        time=NOW + timedelta(minutes=minute),
        realised_pnl=Decimal("-12345678901234567890.123456789012345678"),
        unrealised_pnl=Decimal("0.000000000000000001"),
        exposure=Decimal("1E+3"),
    )
    return replace(taken, **changes)


def test_snapshots_come_oldest_first_and_as_they_were_taken(ledger: Ledger) -> None:
    taken = [a_snapshot(1), a_snapshot(2, account="a"), a_snapshot(2, account="b"), a_snapshot(3)]
    ledger.write_snapshots(reversed(taken))
    assert list(ledger.snapshots()) == taken
    assert list(ledger.snapshots(since=taken[1].time)) == taken[1:]
    assert list(ledger.snapshots(since=taken[1].time, account=ACCOUNT)) == [taken[3]]


def test_equity_is_both_profits_to_the_last_digit() -> None:
    assert a_snapshot(1).equity == Decimal("-12345678901234567890.123456789012345677")


def test_a_snapshot_of_the_same_account_quote_and_time_is_replaced(ledger: Ledger) -> None:
    ledger.write_snapshots([a_snapshot(1), a_snapshot(1, quote="EUR")])
    ledger.write_snapshots([a_snapshot(1, exposure=Decimal(7))])
    assert list(ledger.snapshots()) == [
        a_snapshot(1, quote="EUR"),
        a_snapshot(1, exposure=Decimal(7)),
    ]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def ledger_away(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    if request.param == "memory":
        away = MemoryLedger()
        away.away = True
        return away
    if request.param == "postgresql":
        # Nobody listens on the port of discard.
        return open_ledger("postgresql+psycopg://trader:hunter2@127.0.0.1:9/ledger")
    (tmp_path / "hunter2").write_text("a file where a folder has to be")
    return open_ledger(f"sqlite:///{tmp_path / 'hunter2' / 'ledger.db'}")


EVERY_METHOD: dict[str, Callable[[Ledger], object]] = {
    "write": lambda ledger: ledger.write([an_order()]),
    "order": lambda ledger: ledger.order("oo1"),
    "order_by_exchange_id": lambda ledger: ledger.order_by_exchange_id(ACCOUNT, SYMBOL, "77"),
    "orders": lambda ledger: list(ledger.orders()),
    "unsettled": lambda ledger: list(ledger.unsettled()),
    "identity": lambda ledger: ledger.identity(),
    "checkpoint": lambda ledger: ledger.checkpoint(),
    "write_checkpoint": lambda ledger: ledger.write_checkpoint(Checkpoint(1, "a", EPOCH)),
    "write_halts": lambda ledger: ledger.write_halts([]),
    "halts": lambda ledger: ledger.halts(),
    "probe": lambda ledger: ledger.probe(),
    "traded": lambda ledger: ledger.traded(),
    "fills": lambda ledger: list(ledger.fills(ACCOUNT, SYMBOL)),
    "write_snapshots": lambda ledger: ledger.write_snapshots([a_snapshot(1)]),
    "snapshots": lambda ledger: list(ledger.snapshots()),
}


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_every_method_of_a_ledger_that_is_away_says_so(ledger_away: Ledger, method: str) -> None:
    with pytest.raises(LedgerUnavailable) as refused:
        EVERY_METHOD[method](ledger_away)
    assert isinstance(refused.value, StoreUnavailable)
    assert str(refused.value).startswith("the ledger in memory") or ": " in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_the_list_of_methods_is_complete() -> None:
    assert set(EVERY_METHOD) == {name for name in vars(Ledger) if not name.startswith("_")}


def test_a_ledger_keeps_its_identity_and_no_other_has_it(ledger: Ledger) -> None:
    assert ledger.identity() == ledger.identity() != MemoryLedger().identity()


def test_the_halts_of_now_take_the_place_of_those_before(ledger: Ledger) -> None:
    assert ledger.halts() == []
    ledger.write_halts([Halt(None, "by hand", EPOCH), Halt(ACCOUNT, "drift", EPOCH)])
    assert ledger.halts() == [Halt(None, "by hand", EPOCH), Halt(ACCOUNT, "drift", EPOCH)]
    ledger.write_halts([])
    assert ledger.halts() == []


def test_what_has_not_ended_is_distinguished_from_the_rest(ledger: Ledger) -> None:
    states = list(OrderState)
    ledger.write([an_order(n, state=state) for n, state in enumerate(states, start=1)])
    unsettled = {order.state for order in ledger.unsettled()}
    assert unsettled == {*LIVE, OrderState.QUARANTINED}


def test_a_ledger_keeps_its_last_checkpoint(ledger: Ledger) -> None:
    assert ledger.checkpoint() is None
    for number in (1, 2):
        ledger.write_checkpoint(Checkpoint(number, f"token {number}", EPOCH))
    assert ledger.checkpoint() == Checkpoint(2, "token 2", EPOCH)
