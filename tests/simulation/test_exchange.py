"""The simulated exchange keeps Binance's contract: no stricter, so that doubles can happen, and no
laxer, so that what happens could have happened."""

from dataclasses import replace
from decimal import Decimal

import pytest

from execution.exchanges.port import Outcome
from execution.exchanges.profiles import binance
from execution.model.order import Attempt, Order, OrderState, OrderType, Side, Verdict
from execution.orders.factory import new_order
from tests.support.clock import FakeClock, moment
from tests.support.exchange import Request, Tells

from .exchange import SteppedExchange, signed
from .producer import SYMBOL
from .steps import Asked, Happening, Mood, Setting, Way
from .worker import ACCOUNT

WINDOW_MS = 5_000


class Alone:
    """The exchange with nobody around it."""

    def __init__(self, **setting: object) -> None:
        asked = Asked(market=bool(setting.pop("market", False)), at_once=int(setting.pop("at", 0)))  # type: ignore[call-overload]
        self.clock = FakeClock()
        setting = {"signals": (asked,), **setting}
        self.exchange = SteppedExchange(self.clock, Setting(**setting), binance.GUARANTEES)  # type: ignore[arg-type]
        self.order = new_order(
            signal_id="signal-0",
            account=ACCOUNT,
            symbol=SYMBOL,
            side=Side.BUY,
            type=OrderType.MARKET if asked.market else OrderType.LIMIT,
            amount=Decimal(1),
            price=None if asked.market else Decimal(100),
            now=moment(self.clock.ms),
        )

    def sent(self) -> Request:
        stamp_ms = self.exchange.now_ms()
        return self.exchange.send(self.order, Attempt(1, stamp_ms, stamp_ms + WINDOW_MS, 0))

    def placed(self) -> Outcome:
        return self.exchange.deliver(self.sent())

    def known(self, outcome: Outcome) -> Order:
        assert outcome.report is not None
        return replace(self.order, exchange_order_id=outcome.report.exchange_order_id)


@pytest.mark.parametrize("offset_ms", [0, -3_000, 3_000])
def test_a_request_is_accepted_until_its_window_has_passed_on_the_exchanges_clock(
    offset_ms: int,
) -> None:
    alone = Alone(offset_ms=offset_ms)
    request = alone.sent()
    alone.clock.ms += WINDOW_MS
    assert alone.exchange.deliver(request).verdict is Verdict.ACCEPTED
    late = alone.sent()
    alone.clock.ms += WINDOW_MS + 1
    assert alone.exchange.deliver(late).verdict is Verdict.NOT_SENT


def test_a_request_that_passed_the_first_check_may_be_matched_while_forwarding_takes() -> None:
    alone = Alone()
    request, later = alone.sent(), alone.sent()
    for under_way in (request, later):
        alone.exchange.move(under_way, Way.ARRIVES)
    alone.clock.ms += WINDOW_MS + binance.GUARANTEES.engine_bound_ms
    alone.exchange.move(request, Way.MATCHED)
    assert alone.exchange.accepted["signal-0"] == 1
    alone.clock.ms += 1
    alone.exchange.move(later, Way.MATCHED)
    assert alone.exchange.accepted["signal-0"] == 1


def test_a_request_from_the_future_is_refused() -> None:
    alone = Alone()
    request = alone.sent()
    alone.clock.ms -= 1_001
    assert alone.exchange.deliver(request).verdict is Verdict.NOT_SENT


def test_an_id_is_refused_while_its_order_is_open_and_taken_again_after_that() -> None:
    alone = Alone()
    assert alone.placed().verdict is Verdict.ACCEPTED
    assert alone.placed().verdict is Verdict.UNKNOWN
    assert alone.exchange.accepted["signal-0"] == 1
    alone.exchange.happen(alone.exchange.standing[0], Happening.FILLS)
    assert alone.placed().verdict is Verdict.ACCEPTED
    assert alone.exchange.accepted["signal-0"] == 2


def test_a_market_order_trades_at_once_so_that_a_second_request_doubles_it() -> None:
    alone = Alone(market=True)
    assert [alone.placed().verdict for _ in range(2)] == [Verdict.ACCEPTED] * 2
    traded = [signed(fill) for standing in alone.exchange.standing for fill in standing.fills]
    assert sum(traded) == 2


def test_without_funds_an_order_is_rejected_and_none_comes_of_it() -> None:
    alone = Alone()
    alone.exchange.set_mood(Mood(funds=False))
    assert alone.placed().verdict is Verdict.REJECTED
    assert not alone.exchange.standing


def test_reads_lag_and_then_tell_how_it_was() -> None:
    alone = Alone()
    order = alone.known(alone.placed())
    alone.exchange.set_mood(Mood(lag_ms=1_000))
    alone.clock.ms += 999
    assert alone.exchange.lookup(order) is None
    alone.exchange.happen(alone.exchange.standing[0], Happening.TRADES)
    alone.clock.ms += 1
    seen = alone.exchange.lookup(order)
    assert seen is not None
    assert (seen.status, seen.filled) == (OrderState.OPEN, Decimal(0))
    assert alone.exchange.order_fills(order) == []
    alone.clock.ms += 999
    assert len(alone.exchange.order_fills(order)) == 1


@pytest.mark.parametrize(
    ("tells", "filled", "fills"),
    [(Tells.FILLS, Decimal(1), 2), (Tells.FILLED, Decimal(1), 0), (Tells.NOTHING, None, 0)],
)
def test_an_answer_tells_as_much_as_the_setting_says(
    tells: Tells, filled: Decimal | None, fills: int
) -> None:
    report = Alone(market=True, tells=tells).placed().report
    assert report is not None
    assert (report.filled, len(report.fills)) == (filled, fills)


def test_a_cancel_ends_an_open_order_and_finds_nothing_in_an_ended_one() -> None:
    alone = Alone(at=4)
    order = alone.known(alone.placed())
    report = alone.exchange.cancel(order)
    assert report is not None
    assert (report.status, report.filled) == (OrderState.CANCELED, Decimal("0.4"))
    assert alone.exchange.cancel(order) is None
    assert alone.exchange.open_orders(SYMBOL) == []


@pytest.mark.parametrize("error", [-1, 0, 1])
def test_a_measured_clock_is_off_by_no_more_than_it_says(error: int) -> None:
    alone = Alone(offset_ms=700, uncertainty_ms=50)
    alone.exchange.set_mood(Mood(error=error))
    measured = alone.exchange.measured(alone.clock.ms)
    assert measured.offset_ms == 700 + error * 50
    assert measured.uncertainty_ms == 50
