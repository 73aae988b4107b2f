"""One symbol that cannot be asked about does not take its account, or its exchange, with it."""

from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal

import pytest
from fakes import ACCOUNT, MARKET, SYMBOL, Desk, FakeExchange, is_lost

from execution.exchanges.port import Exchange
from execution.model.errors import (
    ExchangeUnavailable,
    IllegalTransition,
    NotInQuarantine,
    QuestionRefused,
    UnknownAccount,
    UnknownOrder,
    UnknownSymbol,
)
from execution.model.order import Attempt, Order, OrderState
from execution.operations.missing_accounts import (
    ANNOUNCED_AGAIN_MS,
    MissingAccount,
    announce_missing,
    missing_accounts,
)
from execution.positions.pricing import QUESTIONS_MAX
from execution.positions.valuation import Holder, Valuer
from execution.reconciliation.drift_pairs import pairs_that_explain
from execution.reconciliation.run import DriftPolicy
from execution.reconciliation.symbol_failures import SymbolFailures

GONE = "AAA/USDT"


def with_symbols(desk: Desk, *symbols: str) -> Desk:
    for symbol in symbols:
        desk.exchange.markets[symbol] = replace(MARKET, symbol=symbol)
    return desk


def desk_with_dust() -> Desk:
    """It holds a bit of a symbol that comes first, and knows its opening balances."""
    desk = with_symbols(Desk(), GONE)
    for _ in range(2):
        desk.reconcile()
        desk.clock.advance(1_000)
    desk.exchange.fill_next.append([("99", "1")])
    desk.manager.submit(desk.order(signal_id="dust", symbol=GONE))
    desk.reconcile()
    return desk


def test_a_symbol_that_is_not_listed_any_more_is_reported_and_the_others_are_read() -> None:
    desk = desk_with_dust()
    order = desk.manager.submit(desk.order())
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    desk.exchange.delisted.add(GONE)
    found = desk.reconcile()
    assert found.symbols == [GONE, SYMBOL]
    assert found.symbols_failed == {GONE: f"BadSymbol: {GONE} is not listed"}
    assert (found.fills_applied, found.error, found.balances_checked) == (1, None, True)
    assert desk.stored(order).filled == Decimal("0.25")


@pytest.mark.parametrize("state", [OrderState.OPEN, OrderState.SUBMITTING])
def test_an_order_of_a_symbol_that_is_gone_does_not_keep_balances_from_being_judged(
    state: OrderState,
) -> None:
    desk = desk_with_dust()
    if state is OrderState.SUBMITTING:
        desk.exchange.script.append(is_lost)
    order = desk.manager.submit(desk.order(symbol=GONE))
    assert order.state is state
    desk.exchange.delisted.add(GONE)
    desk.exchange.deposits["ETH"] += 3
    for _ in range(2):
        found = desk.reconcile()
    assert (found.balances_checked, found.drift) == (True, {"ETH": Decimal(3)})
    assert found.drift_confirmed


def test_an_answer_that_cannot_be_read_is_no_more_than_its_own_symbols_failure() -> None:
    desk = desk_with_dust()
    desk.manager.submit(desk.order())

    def garbled() -> None:
        raise QuestionRefused("ValueError: no order id")

    desk.exchange.on("fills_since", garbled)
    found = desk.reconcile()
    assert (found.symbols_failed, found.error) == ({GONE: "ValueError: no order id"}, None)
    assert desk.exchange.calls.count("open_orders") >= 2


def test_drift_that_a_symbol_which_was_not_read_may_explain_is_not_confirmed() -> None:
    desk = desk_with_dust()
    desk.exchange.deposits["USDT"] += 5
    desk.exchange.deposits["ETH"] += 5

    def garbled() -> None:
        raise QuestionRefused("ValueError: no order id")

    for _ in range(4):
        for _ in range(2):
            desk.exchange.on("fills_since", garbled)
        found = desk.reconcile(DriftPolicy.ADOPT)
        assert not found.drift_confirmed
    assert found.drift == {"USDT": Decimal(5), "ETH": Decimal(5)}


def test_an_exchange_that_does_not_answer_is_not_asked_for_symbol_after_symbol() -> None:
    symbols = [f"C{number}/USDT" for number in range(50)]
    desk = with_symbols(Desk(), *symbols)
    for symbol in symbols:
        desk.manager.submit(desk.order(signal_id=symbol, symbol=symbol))
    for _ in range(200):
        desk.exchange.fail("fills_since")
        desk.exchange.fail("open_orders")
    desk.exchange.calls.clear()
    with pytest.raises(ExchangeUnavailable):
        desk.reconcile()
    assert desk.exchange.calls.count("fills_since") <= 2


def test_an_exchange_that_answers_all_with_garbage_is_not_asked_for_each_symbol() -> None:
    symbols = [f"C{number}/USDT" for number in range(50)]
    desk = with_symbols(Desk(), *symbols)
    for symbol in symbols:
        desk.manager.submit(desk.order(signal_id=symbol, symbol=symbol))

    def garbled() -> None:
        raise QuestionRefused("BadResponse: <html>")

    for _ in range(200):
        desk.exchange.on("fills_since", garbled)
        desk.exchange.on("open_orders", garbled)
    desk.exchange.calls.clear()
    with pytest.raises(ExchangeUnavailable):
        desk.reconcile()
    assert desk.exchange.calls.count("fills_since") <= 5


def test_an_exchange_that_asks_to_be_left_alone_is_asked_for_nothing_more() -> None:
    desk = desk_with_dust()
    desk.manager.submit(desk.order())
    desk.exchange.fail("fills_since", retry_after_s=30)
    desk.exchange.calls.clear()
    with pytest.raises(ExchangeUnavailable):
        desk.reconcile()
    assert desk.exchange.calls.count("fills_since") == 1


def test_one_symbol_without_an_answer_does_not_keep_the_others_from_being_read() -> None:
    desk = desk_with_dust()
    order = desk.manager.submit(desk.order())
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    desk.exchange.fail("fills_since")
    with pytest.raises(ExchangeUnavailable):
        desk.reconcile()
    assert desk.stored(order).filled == Decimal("0.25")
    assert desk.book.runs(1)[0].balances_checked


# Cancel and settle.


def test_a_cancel_in_a_symbol_that_is_gone_says_why_and_what_to_do() -> None:
    desk = desk_with_dust()
    order = desk.manager.submit(desk.order(symbol=GONE))
    desk.exchange.delisted.add(GONE)
    after = desk.manager.cancel(order.order_id)
    assert after.state is OrderState.OPEN
    assert (after.reason or "").startswith("not canceled since ")
    assert (after.reason or "").endswith(
        f": BadSymbol: {GONE} is not listed; if the exchange has no such order any more, run "
        f"`oneorder settle {order.order_id} --not-there`"
    )
    version = after.version
    desk.sweep(for_ms=5_000)
    assert desk.stored(order).version == version


def test_an_open_order_in_a_symbol_that_is_gone_is_settled_by_hand() -> None:
    desk = desk_with_dust()
    order = desk.manager.submit(desk.order(symbol=GONE))
    desk.exchange.trade(order.client_order_id, "99", "0.25")
    desk.reconcile()
    desk.exchange.delisted.add(GONE)
    settled = desk.manager.settle(order.order_id, None)
    assert (settled.state, settled.filled) == (OrderState.CANCELED, Decimal("0.25"))
    assert settled.reason == "settled by hand: it is not at the exchange any more"
    assert desk.store.live_orders(ACCOUNT) == []
    desk.sweep(for_ms=5_000)
    assert desk.store.position(ACCOUNT, GONE).amount == Decimal("1.25")


def test_an_order_under_way_in_a_symbol_that_is_gone_is_settled_by_hand() -> None:
    desk = desk_with_dust()
    desk.exchange.script.append(is_lost)
    order = desk.manager.submit(desk.order(symbol=GONE))
    desk.exchange.delisted.add(GONE)
    assert desk.manager.settle(order.order_id, None).state is OrderState.REFUSED


def test_an_order_that_can_be_asked_about_is_not_settled_by_hand() -> None:
    desk = desk_with_dust()
    order = desk.manager.submit(desk.order(symbol=GONE))
    with pytest.raises(NotInQuarantine):
        desk.manager.settle(order.order_id, None)
    desk.exchange.fail("lookup")
    with pytest.raises(ExchangeUnavailable):
        desk.manager.settle(order.order_id, None)
    assert desk.stored(order) == order


# An account that is configured no more.


def without_account(desk: Desk) -> None:
    def exchange_of(name: str) -> Exchange:
        raise UnknownAccount(f"{name!r} is not configured")

    desk.connect_with(exchange_of)


@pytest.mark.parametrize("state", [OrderState.OPEN, OrderState.SUBMITTING])
def test_a_cancel_on_an_account_that_is_not_configured_says_what_is_missing(
    state: OrderState,
) -> None:
    desk = Desk()
    if state is OrderState.SUBMITTING:
        desk.exchange.script.append(is_lost)
    order = desk.manager.submit(desk.order())
    without_account(desk)
    after = desk.manager.cancel(order.order_id)
    assert (after.state, after.cancel_requested) == (state, True)
    reason = after.reason or ""
    assert f"account: '{ACCOUNT}' is not configured" in reason
    assert f"put [accounts.{ACCOUNT}] into the settings" in reason
    desk.sweep(for_ms=5_000)
    assert desk.stored(order).version == after.version
    settled = desk.manager.settle(order.order_id, None)
    ended = {OrderState.OPEN: OrderState.CANCELED, OrderState.SUBMITTING: OrderState.REFUSED}
    assert settled.state is ended[state]


def test_live_orders_of_accounts_that_are_not_configured_are_found() -> None:
    desk = Desk()
    standing = desk.manager.submit(desk.order())
    desk.exchange.fill_next.append([("99", "1")])
    desk.manager.submit(desk.order(signal_id="signal-2"))
    assert missing_accounts(desk.store, desk.arbitrages, [ACCOUNT]) == []
    (found,) = missing_accounts(desk.store, desk.arbitrages, ["another"])
    assert (found.account, found.orders, found.arbitrages) == (ACCOUNT, (standing,), ())
    assert found.sentence.endswith(f"it has 1 live orders ({standing.order_id})")


def test_an_account_that_is_missing_is_announced_once_a_day_by_whichever_process() -> None:
    desk, heard = Desk(), list[MissingAccount]()
    desk.manager.submit(desk.order())
    for _ in range(3):
        announce_missing(desk.store, desk.arbitrages, [], heard.append)
    assert [found.account for found in heard] == [ACCOUNT]
    desk.clock.advance(ANNOUNCED_AGAIN_MS)
    announce_missing(desk.store, desk.arbitrages, [], heard.append)
    assert len(heard) == 2


# Marks.


class Priced(FakeExchange):
    """It counts what it is asked, and spoils every question about some symbols."""

    def __init__(self, desk: Desk, *symbols: str) -> None:
        super().__init__(desk.clock)
        self.markets = {symbol: replace(MARKET, symbol=symbol) for symbol in symbols}
        self.spoiled: set[str] = set()
        self.asked = 0

    def prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        self.asked += 1
        if self.spoiled & set(symbols):
            raise QuestionRefused("KeyError: 'bid'")
        return super().prices(symbols)


def holding(desk: Desk, *symbols: str) -> Valuer:
    for symbol in symbols:
        desk.exchange.markets[symbol] = replace(MARKET, symbol=symbol)
        desk.exchange.fill_next.append([("99", "1")])
        desk.manager.submit(desk.order(signal_id=symbol, symbol=symbol))
    return Valuer(desk.store, desk.valuations, desk.clock)


SYMBOLS = [f"C{number}/USDT" for number in range(40)]


def test_a_symbol_that_is_gone_does_not_keep_the_others_from_being_marked() -> None:
    desk = Desk()
    valuer = holding(desk, *SYMBOLS)
    exchange = Priced(desk, *SYMBOLS)
    exchange.delisted.add("C7/USDT")
    failures = valuer.mark([Holder(ACCOUNT, "m", lambda: exchange)])
    assert failures == ["m C7/USDT: BadSymbol: C7/USDT is not listed"]
    assert set(desk.valuations.marks(ACCOUNT)) == set(SYMBOLS) - {"C7/USDT"}
    assert exchange.asked == 3


def test_a_ticker_that_cannot_be_read_does_not_keep_the_others_from_being_marked() -> None:
    desk = Desk()
    valuer = holding(desk, *SYMBOLS)
    exchange = Priced(desk, *SYMBOLS)
    exchange.spoiled.add("C33/USDT")
    failures = valuer.mark([Holder(ACCOUNT, "m", lambda: exchange)])
    assert failures == ["m C33/USDT: KeyError: 'bid'"]
    assert set(desk.valuations.marks(ACCOUNT)) == set(SYMBOLS) - {"C33/USDT"}


def test_an_exchange_that_refuses_every_question_for_prices_is_not_asked_for_each_symbol() -> None:
    desk = Desk()
    valuer = holding(desk, *SYMBOLS)
    exchange = Priced(desk, *SYMBOLS)
    exchange.spoiled |= set(SYMBOLS)
    assert len(valuer.mark([Holder(ACCOUNT, "m", lambda: exchange)])) == len(SYMBOLS)
    assert exchange.asked == QUESTIONS_MAX


def test_an_account_that_cannot_be_reached_leaves_the_prices_to_the_next_one() -> None:
    desk = Desk()
    valuer = holding(desk, SYMBOL)
    exchange = Priced(desk, SYMBOL)

    def unreachable() -> Exchange:
        raise ExchangeUnavailable("AuthenticationError: no such key")

    holders = [Holder("dead", "m", unreachable), Holder(ACCOUNT, "m", lambda: exchange)]
    assert valuer.mark(holders) == []
    assert set(desk.valuations.marks(ACCOUNT)) == {SYMBOL}


# Pairs that may explain drift.


def test_every_listed_pair_with_an_asset_that_drifts_may_explain_it_the_likeliest_first() -> None:
    listed = ["ADA/USDT", "BTC/USDT", "ETH/BTC", "ETH/USDT", "SOL/EUR", "XRP/BTC"]
    pairs = pairs_that_explain({"BTC", "USDT"}, listed, {"ETH"})
    assert pairs == ["BTC/USDT", "ETH/BTC", "ETH/USDT", "ADA/USDT", "XRP/BTC"]
    assert pairs_that_explain({"SOL"}, listed, ()) == ["SOL/EUR"]
    assert pairs_that_explain((), listed, ()) == []


def by_hand(desk: Desk, symbol: str, price: str, number: int = 0, **changes: object) -> Order:
    """Another program trades one unit with the same key."""
    order = desk.order(signal_id=f"by hand {symbol} {number}", symbol=symbol, **changes)
    order = replace(order, client_order_id=f"by-hand-{symbol}-{number}")
    now_ms = desk.clock.now_ms()
    desk.exchange.arrive(order, Attempt(1, now_ms, now_ms + 5_000, now_ms + 6_000))
    desk.exchange.trade(order.client_order_id, price, "1")
    return order


@pytest.mark.parametrize("symbol", ["C0/USDT", "C19/USDT", "C39/USDT"])
def test_drift_is_not_confirmed_before_every_pair_that_may_explain_it_was_asked(
    symbol: str,
) -> None:
    """Bought and sold again on one pair among forty: only the loss is left in the balances."""
    desk = with_symbols(Desk(), *SYMBOLS)
    for _ in range(2):
        desk.reconcile(DriftPolicy.ADOPT)
        desk.clock.advance(1_000)
    opening = desk.book.sheet(ACCOUNT).opening
    by_hand(desk, symbol, "99")
    standing = desk.exchange.standing[-1]
    sold = replace(standing.fills[0], side=standing.fills[0].side.SELL, price=Decimal(90))
    standing.fills.append(replace(sold, trade_id="9000"))
    for _ in range(10):
        found = desk.reconcile(DriftPolicy.ADOPT)
        assert not found.drift_confirmed
        assert found.calls.get("trades", 0) <= 7
        desk.clock.advance(5_000)
    assert found.drift == {}
    assert desk.book.sheet(ACCOUNT).opening == opening


def test_drift_that_no_pair_explains_is_confirmed_once_all_were_asked() -> None:
    desk = with_symbols(Desk(), *SYMBOLS)
    for _ in range(2):
        desk.reconcile()
        desk.clock.advance(1_000)
    desk.exchange.deposits["USDT"] += 500
    runs = [desk.reconcile() for _ in range(9)]
    assert [run.pairs_unasked for run in runs] == [35, 29, 23, 17, 11, 5, 0, 0, 0]
    assert [run.drift_confirmed for run in runs] == [False] * 6 + [True] * 3
    assert runs[-1].calls.get("trades", 0) == 0


def test_other_drift_has_its_pairs_asked_from_the_beginning() -> None:
    desk = with_symbols(Desk(), *SYMBOLS)
    for _ in range(2):
        desk.reconcile()
        desk.clock.advance(1_000)
    desk.exchange.deposits["USDT"] += 500
    for _ in range(3):
        desk.reconcile()
    desk.exchange.deposits["USDT"] += 1
    assert desk.reconcile().pairs_unasked == 35


def test_a_pair_that_is_gone_does_not_keep_drift_from_being_confirmed() -> None:
    desk = with_symbols(Desk(), "ETH/USDT")
    for _ in range(2):
        desk.reconcile()
        desk.clock.advance(1_000)
    desk.exchange.deposits["USDT"] += 500

    def gone() -> None:
        raise UnknownSymbol("BadSymbol: BTC/USDT")

    desk.exchange.on("fills_since", gone)
    desk.reconcile()
    assert desk.reconcile().drift_confirmed


@pytest.mark.parametrize("error", [UnknownOrder("no record"), IllegalTransition("two ids")])
def test_a_record_that_does_not_fit_what_is_told_is_its_own_symbols_failure(
    error: Exception,
) -> None:
    def fails() -> bool:
        raise error

    sentences: dict[str, str] = {}
    failures = SymbolFailures(sentences)
    assert failures.attempt(GONE, fails) is False
    assert failures.attempt(SYMBOL, lambda: True) is True
    failures.raise_silence()
    assert (sentences, failures.unread) == ({GONE: str(error)}, {GONE})
