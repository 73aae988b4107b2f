"""When a signal was published, and how old a market order may be when it is sent."""

from datetime import timedelta

import pytest

from execution.model.order import Order, OrderState, OrderType
from execution.orders.codec import order_from_json, order_to_json
from execution.orders.placement.proof import REPUBLISHED_MAX_MS
from execution.orders.signal_age import publication_time
from tests.support.exchange import is_lost
from tests.support.fakes import Rig

AGE_MAX_S = 60


class AgeDesk(Rig):
    """A set-up with an age limit, and signals that were published some time ago."""

    def __init__(self) -> None:
        super().__init__(market_age_max_s=AGE_MAX_S)

    def published(self, ago_ms: int, **changes: object) -> Order:
        return self.order(entry_id=f"{self.clock.now_ms() - ago_ms}-0", **changes)

    def market(self, ago_ms: int) -> Order:
        return self.published(ago_ms, type=OrderType.MARKET, price=None)


def test_a_market_order_that_waited_too_long_is_refused_with_a_sentence() -> None:
    rig = AgeDesk()
    order = rig.manager.submit(rig.market(75_000))
    assert order.state is OrderState.REFUSED
    published = rig.clock.now() - timedelta(seconds=75)
    assert order.reason == (
        f"published_at: {published.isoformat()} was 75 s ago; a market order is sent within 60 s "
        "(limits.signal_max_age_s)"
    )
    assert rig.placements == 0


def test_a_market_order_is_sent_up_to_its_age_limit() -> None:
    rig = AgeDesk()
    assert rig.manager.submit(rig.market(AGE_MAX_S * 1_000)).state is OrderState.OPEN


def test_a_limit_order_of_any_age_is_sent() -> None:
    rig = AgeDesk()
    assert rig.manager.submit(rig.published(10**9)).state is OrderState.OPEN


def test_a_market_order_whose_attempts_died_is_not_sent_again_when_it_is_too_old() -> None:
    rig = AgeDesk()
    rig.exchange.script.extend([is_lost] * 20)
    order = rig.manager.submit(rig.market(0))
    assert order.state is OrderState.SUBMITTING
    rig.sweep(for_ms=120_000)
    order = rig.stored(order)
    assert order.state is OrderState.REFUSED
    assert order.reason is not None
    assert order.reason.startswith("published_at: ")
    last_ms = order.attempts[-1].stamp_ms
    assert order.published_at is not None
    assert last_ms <= int(order.published_at.timestamp() * 1000) + AGE_MAX_S * 1_000


def test_without_a_limit_a_market_order_of_any_age_is_sent() -> None:
    rig = Rig()
    order = rig.order(type=OrderType.MARKET, price=None, entry_id="1-0")
    assert rig.manager.submit(order).state is OrderState.OPEN


def test_a_signal_was_published_when_its_entry_says_and_at_the_latest_now() -> None:
    now = Rig().clock.now()
    now_ms = int(now.timestamp() * 1000)
    assert publication_time(f"{now_ms - 1_500}-7", now) == now - timedelta(milliseconds=1_500)
    for entry_id in (None, "", "nonsense", f"{now_ms + 1}-0", "9" * 15 + "-0", "9" * 5_000):
        assert publication_time(entry_id, now) == now


@pytest.mark.parametrize("ahead_ms", [1, REPUBLISHED_MAX_MS * 2, 10**14])
def test_an_entry_ahead_of_now_does_not_hide_an_attempt_that_a_rollback_forgot(
    ahead_ms: int,
) -> None:
    rig = Rig()
    before = rig.store.copied()
    order = rig.order(entry_id=f"{rig.clock.now_ms() + ahead_ms}-0")
    rig.manager.submit(order)
    rig.store.roll_back(before)
    rig.clock.advance(100)
    again = rig.order(entry_id=order.entry_id)
    assert rig.manager.submit(again).state is OrderState.OPEN
    assert (rig.placements, rig.accepted) == (1, 1)


def test_a_record_of_an_earlier_release_is_read_and_is_as_old_as_its_entry() -> None:
    rig = AgeDesk()
    order = rig.market(75_000)
    written = order_to_json(order).replace("published_at", "not_known_yet")
    old = order_from_json(written)
    assert old.published_at is None
    assert rig.manager.submit(old).state is OrderState.REFUSED
