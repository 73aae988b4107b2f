"""How long a request may be accepted, and how soon one that vanished is sent again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from execution.exchanges.guarantees import ExchangeGuarantees
from execution.exchanges.profiles import binance, bybit, kraken, okx
from execution.exchanges.registry import GUARANTEES
from execution.model.order import Order, OrderState
from tests.support.exchange import is_lost
from tests.support.fakes import ACCOUNT, Rig

FENCED = [guarantees for guarantees in GUARANTEES.values() if guarantees.is_fenced]
# A clock that is known to within 50 ms, and a sweep every second.
UNCERTAINTY_MS, SWEEP_MS = 50, 1_000
EACH = pytest.mark.parametrize("guarantees", FENCED, ids=lambda guarantees: guarantees.exchange)


def sent_window_ms(order: Order) -> int:
    attempt = order.attempts[0]
    return attempt.valid_until_ms - attempt.stamp_ms


@EACH
def test_a_request_that_vanished_is_sent_again_as_soon_as_is_promised(
    guarantees: ExchangeGuarantees,
) -> None:
    rig = Rig(guarantees=guarantees, recv_window_ms=None, uncertainty_ms=UNCERTAINTY_MS)
    rig.exchange.script.append(is_lost)
    began_ms = rig.clock.now_ms()
    order = rig.manager.submit(rig.order())
    while rig.placements == 1:
        rig.sweep(for_ms=500)
    took_ms = rig.clock.now_ms() - began_ms + SWEEP_MS
    assert took_ms <= (15_000 if guarantees is binance.GUARANTEES else 20_000)
    assert rig.stored(order).state is OrderState.OPEN
    assert rig.accepted == 1


@EACH
def test_no_proof_is_earlier_than_the_bound_that_the_contract_names(
    guarantees: ExchangeGuarantees,
) -> None:
    assert guarantees.engine_bound_ms >= (1_000 if guarantees is kraken.GUARANTEES else 10_000)
    assert guarantees.within_window(guarantees.window_ms) == guarantees.window_ms
    rig = Rig(guarantees=guarantees, recv_window_ms=None)
    attempt = rig.manager.submit(rig.order()).attempts[0]
    after_ms = attempt.provable_at_ms - attempt.valid_until_ms
    assert after_ms == guarantees.engine_bound_ms + guarantees.read_lag_ms


def test_an_accounts_own_window_comes_before_the_general_one_and_that_before_the_default() -> None:
    assert sent_window_ms(Rig(recv_window_ms=None).manager.submit(Rig().order())) == 2_000
    assert sent_window_ms(Rig(recv_window_ms=3_000).manager.submit(Rig().order())) == 3_000
    rig = Rig(recv_window_ms=3_000, windows={ACCOUNT: 4_000, "another": 1_000})
    assert sent_window_ms(rig.manager.submit(rig.order())) == 4_000


@pytest.mark.parametrize(
    ("guarantees", "wanted_ms", "window_ms"),
    [
        (kraken.GUARANTEES, 1_000, 3_000),
        (bybit.GUARANTEES, 60_000, 5_000),
        (okx.GUARANTEES, 60_000, 30_000),
    ],
    ids=["kraken", "bybit", "okx"],
)
def test_a_window_that_the_exchange_does_not_take_is_never_sent(
    guarantees: ExchangeGuarantees, wanted_ms: int, window_ms: int
) -> None:
    rig = Rig(guarantees=guarantees, recv_window_ms=wanted_ms)
    assert sent_window_ms(rig.manager.submit(rig.order())) == window_ms


def test_an_order_that_expires_sooner_than_the_exchange_can_be_asked_to_refuse_it_is_not_sent() -> (
    None
):
    rig = Rig(guarantees=kraken.GUARANTEES)
    expires_at = rig.clock.now() + timedelta(milliseconds=2_999)
    order = rig.manager.submit(rig.order(expires_at=expires_at))
    assert order.state is OrderState.REFUSED
    assert order.reason == (
        f"expires_at: {expires_at.isoformat()} is too near, because kraken takes no window below "
        "3000 ms"
    )
    assert rig.placements == 0


# A clock that is not known well enough.


def test_a_clock_less_certain_than_the_window_allows_makes_an_order_wait_and_says_so() -> None:
    rig = Rig(recv_window_ms=None, uncertainty_ms=1_500)
    order = rig.manager.submit(rig.order())
    assert (order.state, rig.placements) == (OrderState.RECEIVED, 0)
    assert order.reason == (
        "exchange unreachable since 2027-01-15T08:00:00Z: its clock is known to within 1501 ms "
        "only, and a window of 2000 ms (window_ms) allows 1000 ms"
    )
    rig.exchange.uncertainty_ms = 20
    rig.sweep(for_ms=5_000)
    assert rig.stored(order).state is OrderState.OPEN
    assert len(rig.stored(order).attempts) == 1


def test_a_longer_window_allows_a_less_certain_clock_up_to_what_an_exchange_takes_as_ahead() -> (
    None
):
    certain = {"uncertainty_ms": 700}
    rig = Rig(recv_window_ms=1_000, **certain)
    assert rig.manager.submit(rig.order()).state is OrderState.RECEIVED
    rig = Rig(recv_window_ms=2_000, **certain)
    assert rig.manager.submit(rig.order()).state is OrderState.OPEN
    rig = Rig(recv_window_ms=60_000, uncertainty_ms=1_100)
    assert rig.manager.submit(rig.order()).state is OrderState.RECEIVED


def test_where_no_request_is_refused_for_being_late_the_clock_does_not_matter() -> None:
    rig = Rig(guarantees=GUARANTEES["upbit"], uncertainty_ms=30_000)
    assert rig.manager.submit(rig.order()).state is OrderState.OPEN


def test_a_contract_says_when_an_order_may_have_been_forgotten() -> None:
    kept = replace(binance.GUARANTEES, ended_kept_ms=1_000)
    assert not kept.may_have_forgotten(5_000, 5_999)
    assert kept.may_have_forgotten(5_000, 6_000)
    assert not replace(binance.GUARANTEES, ended_kept_ms=None).may_have_forgotten(0, 10**15)
