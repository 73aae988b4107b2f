"""One symbol that cannot be asked about does not take its account, or its exchange, with it."""

from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal

import pytest

from execution.exchanges.port import Exchange
from execution.model.errors import (
    ExchangeUnavailable,
    IllegalTransition,
    NotInQuarantine,
    RequestRefused,
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
from execution.positions.valuation import MarkSource, Valuer
from execution.reconciliation.run import DriftPolicy
from execution.reconciliation.symbol_failures import SymbolFailures
from execution.reconciliation.symbol_sync import pairs_that_explain
from tests.support.exchange import MARKET, SYMBOL, FakeExchange, is_lost
from tests.support.fakes import ACCOUNT, Rig

GONE = "AAA/USDT"


def with_symbols(rig: Rig, *symbols: str) -> Rig:
    for symbol in symbols:
        rig.exchange.markets[symbol] = replace(MARKET, symbol=symbol)
    return rig


def rig_with_dust() -> Rig:
    """It holds a bit of a symbol that comes first, and knows its opening balances."""
    rig = with_symbols(Rig(), GONE)
    for _ in range(2):
        rig.reconcile()
        rig.clock.advance(1_000)
    rig.exchange.fill_next.append([("99", "1")])
    rig.manager.submit(rig.order(signal_id="dust", symbol=GONE))
    rig.reconcile()
    return rig


def test_a_symbol_that_is_not_listed_any_more_is_reported_and_the_others_are_read() -> None:
    rig = rig_with_dust()
    order = rig.manager.submit(rig.order())
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    rig.exchange.delisted.add(GONE)
    found = rig.reconcile()
    assert found.symbols == [GONE, SYMBOL]
    assert found.symbols_failed == {GONE: f"BadSymbol: {GONE} is not listed"}
    assert (found.fills_applied, found.error, found.balances_checked) == (1, None, True)
    assert rig.stored(order).filled == Decimal("0.25")


@pytest.mark.parametrize("state", [OrderState.OPEN, OrderState.SUBMITTING])
def test_an_order_of_a_symbol_that_is_gone_does_not_keep_balances_from_being_judged(
    state: OrderState,
) -> None:
    rig = rig_with_dust()
    if state is OrderState.SUBMITTING:
        rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order(symbol=GONE))
    assert order.state is state
    rig.exchange.delisted.add(GONE)
    rig.exchange.deposits["ETH"] += 3
    for _ in range(2):
        found = rig.reconcile()
    assert (found.balances_checked, found.drift) == (True, {"ETH": Decimal(3)})
    assert found.drift_confirmed


def test_an_answer_that_cannot_be_read_is_no_more_than_its_own_symbols_failure() -> None:
    rig = rig_with_dust()
    rig.manager.submit(rig.order())

    def garbled() -> None:
        raise RequestRefused("ValueError: no order id")

    rig.exchange.on("fills_since", garbled)
    found = rig.reconcile()
    assert (found.symbols_failed, found.error) == ({GONE: "ValueError: no order id"}, None)
    assert rig.exchange.calls.count("open_orders") >= 2


def test_drift_that_a_symbol_which_was_not_read_may_explain_is_not_confirmed() -> None:
    rig = rig_with_dust()
    rig.exchange.deposits["USDT"] += 5
    rig.exchange.deposits["ETH"] += 5

    def garbled() -> None:
        raise RequestRefused("ValueError: no order id")

    for _ in range(4):
        for _ in range(2):
            rig.exchange.on("fills_since", garbled)
        found = rig.reconcile(DriftPolicy.ADOPT)
        assert not found.drift_confirmed
    assert found.drift == {"USDT": Decimal(5), "ETH": Decimal(5)}


def test_an_exchange_that_does_not_answer_is_not_asked_for_symbol_after_symbol() -> None:
    symbols = [f"C{number}/USDT" for number in range(50)]
    rig = with_symbols(Rig(), *symbols)
    for symbol in symbols:
        rig.manager.submit(rig.order(signal_id=symbol, symbol=symbol))
    for _ in range(200):
        rig.exchange.fail("fills_since")
        rig.exchange.fail("open_orders")
    rig.exchange.calls.clear()
    with pytest.raises(ExchangeUnavailable):
        rig.reconcile()
    assert rig.exchange.calls.count("fills_since") <= 2


def test_an_exchange_that_answers_all_with_garbage_is_not_asked_for_each_symbol() -> None:
    symbols = [f"C{number}/USDT" for number in range(50)]
    rig = with_symbols(Rig(), *symbols)
    for symbol in symbols:
        rig.manager.submit(rig.order(signal_id=symbol, symbol=symbol))

    def garbled() -> None:
        raise RequestRefused("BadResponse: <html>")

    for _ in range(200):
        rig.exchange.on("fills_since", garbled)
        rig.exchange.on("open_orders", garbled)
    rig.exchange.calls.clear()
    with pytest.raises(ExchangeUnavailable):
        rig.reconcile()
    assert rig.exchange.calls.count("fills_since") <= 5


def test_an_exchange_that_asks_to_be_left_alone_is_asked_for_nothing_more() -> None:
    rig = rig_with_dust()
    rig.manager.submit(rig.order())
    rig.exchange.fail("fills_since", retry_after_s=30)
    rig.exchange.calls.clear()
    with pytest.raises(ExchangeUnavailable):
        rig.reconcile()
    assert rig.exchange.calls.count("fills_since") == 1


def test_one_symbol_without_an_answer_does_not_keep_the_others_from_being_read() -> None:
    rig = rig_with_dust()
    order = rig.manager.submit(rig.order())
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    rig.exchange.fail("fills_since")
    with pytest.raises(ExchangeUnavailable):
        rig.reconcile()
    assert rig.stored(order).filled == Decimal("0.25")
    assert rig.book.runs(1)[0].balances_checked


# Cancel and settle.


def test_a_cancel_in_a_symbol_that_is_gone_says_why_and_what_to_do() -> None:
    rig = rig_with_dust()
    order = rig.manager.submit(rig.order(symbol=GONE))
    rig.exchange.delisted.add(GONE)
    after = rig.manager.cancel(order.order_id)
    assert after.state is OrderState.OPEN
    assert (after.reason or "").startswith("not canceled since ")
    assert (after.reason or "").endswith(
        f": BadSymbol: {GONE} is not listed; if the exchange has no such order any more, run "
        f"`oneorder settle {order.order_id} --not-there`"
    )
    version = after.version
    rig.sweep(for_ms=5_000)
    assert rig.stored(order).version == version


def test_an_open_order_in_a_symbol_that_is_gone_is_settled_by_hand() -> None:
    rig = rig_with_dust()
    order = rig.manager.submit(rig.order(symbol=GONE))
    rig.exchange.trade(order.client_order_id, "99", "0.25")
    rig.reconcile()
    rig.exchange.delisted.add(GONE)
    settled = rig.manager.settle(order.order_id, None)
    assert (settled.state, settled.filled) == (OrderState.CANCELED, Decimal("0.25"))
    assert settled.reason == "settled by hand: it is not at the exchange any more"
    assert rig.store.live_orders(ACCOUNT) == []
    rig.sweep(for_ms=5_000)
    assert rig.store.position(ACCOUNT, GONE).amount == Decimal("1.25")


def test_an_order_under_way_in_a_symbol_that_is_gone_is_settled_by_hand() -> None:
    rig = rig_with_dust()
    rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order(symbol=GONE))
    rig.exchange.delisted.add(GONE)
    assert rig.manager.settle(order.order_id, None).state is OrderState.REFUSED


def test_an_order_that_can_be_asked_about_is_not_settled_by_hand() -> None:
    rig = rig_with_dust()
    order = rig.manager.submit(rig.order(symbol=GONE))
    with pytest.raises(NotInQuarantine):
        rig.manager.settle(order.order_id, None)
    rig.exchange.fail("lookup")
    with pytest.raises(ExchangeUnavailable):
        rig.manager.settle(order.order_id, None)
    assert rig.stored(order) == order


# An account that is configured no more.


def without_account(rig: Rig) -> None:
    def exchange_of(name: str) -> Exchange:
        raise UnknownAccount(f"{name!r} is not configured")

    rig.connect_with(exchange_of)


@pytest.mark.parametrize("state", [OrderState.OPEN, OrderState.SUBMITTING])
def test_a_cancel_on_an_account_that_is_not_configured_says_what_is_missing(
    state: OrderState,
) -> None:
    rig = Rig()
    if state is OrderState.SUBMITTING:
        rig.exchange.script.append(is_lost)
    order = rig.manager.submit(rig.order())
    without_account(rig)
    after = rig.manager.cancel(order.order_id)
    assert (after.state, after.cancel_requested) == (state, True)
    reason = after.reason or ""
    assert f"account: '{ACCOUNT}' is not configured" in reason
    assert f"put [accounts.{ACCOUNT}] into the settings" in reason
    rig.sweep(for_ms=5_000)
    assert rig.stored(order).version == after.version
    settled = rig.manager.settle(order.order_id, None)
    ended = {OrderState.OPEN: OrderState.CANCELED, OrderState.SUBMITTING: OrderState.REFUSED}
    assert settled.state is ended[state]


def test_live_orders_of_accounts_that_are_not_configured_are_found() -> None:
    rig = Rig()
    standing = rig.manager.submit(rig.order())
    rig.exchange.fill_next.append([("99", "1")])
    rig.manager.submit(rig.order(signal_id="signal-2"))
    assert missing_accounts(rig.store, rig.arbitrages, [ACCOUNT]) == []
    (found,) = missing_accounts(rig.store, rig.arbitrages, ["another"])
    assert (found.account, found.orders, found.arbitrages) == (ACCOUNT, (standing,), ())
    assert found.sentence.endswith(f"it has 1 live orders ({standing.order_id})")


def test_an_account_that_is_missing_is_announced_once_a_day_by_whichever_process() -> None:
    rig, heard = Rig(), list[MissingAccount]()
    rig.manager.submit(rig.order())
    for _ in range(3):
        announce_missing(rig.store, rig.arbitrages, rig.store, [], heard.append)
    assert [found.account for found in heard] == [ACCOUNT]
    rig.clock.advance(ANNOUNCED_AGAIN_MS)
    announce_missing(rig.store, rig.arbitrages, rig.store, [], heard.append)
    assert len(heard) == 2


# Marks.


class Priced(FakeExchange):
    """It counts what it is asked, and spoils every question about some symbols."""

    def __init__(self, rig: Rig, *symbols: str) -> None:
        super().__init__(rig.clock)
        self.markets = {symbol: replace(MARKET, symbol=symbol) for symbol in symbols}
        self.spoiled: set[str] = set()
        self.asked = 0

    def prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        self.asked += 1
        if self.spoiled & set(symbols):
            raise RequestRefused("KeyError: 'bid'")
        return super().prices(symbols)


def holding(rig: Rig, *symbols: str) -> Valuer:
    for symbol in symbols:
        rig.exchange.markets[symbol] = replace(MARKET, symbol=symbol)
        rig.exchange.fill_next.append([("99", "1")])
        rig.manager.submit(rig.order(signal_id=symbol, symbol=symbol))
    return Valuer(rig.store, rig.valuations, rig.clock)


SYMBOLS = [f"C{number}/USDT" for number in range(40)]


def test_a_symbol_that_is_gone_does_not_keep_the_others_from_being_marked() -> None:
    rig = Rig()
    valuer = holding(rig, *SYMBOLS)
    exchange = Priced(rig, *SYMBOLS)
    exchange.delisted.add("C7/USDT")
    failures = valuer.mark([MarkSource(ACCOUNT, "m", lambda: exchange)])
    assert failures == ["m C7/USDT: BadSymbol: C7/USDT is not listed"]
    assert set(rig.valuations.marks(ACCOUNT)) == set(SYMBOLS) - {"C7/USDT"}
    assert exchange.asked == 3


def test_a_ticker_that_cannot_be_read_does_not_keep_the_others_from_being_marked() -> None:
    rig = Rig()
    valuer = holding(rig, *SYMBOLS)
    exchange = Priced(rig, *SYMBOLS)
    exchange.spoiled.add("C33/USDT")
    failures = valuer.mark([MarkSource(ACCOUNT, "m", lambda: exchange)])
    assert failures == ["m C33/USDT: KeyError: 'bid'"]
    assert set(rig.valuations.marks(ACCOUNT)) == set(SYMBOLS) - {"C33/USDT"}


def test_an_exchange_that_refuses_every_request_for_prices_is_not_called_for_each_symbol() -> None:
    rig = Rig()
    valuer = holding(rig, *SYMBOLS)
    exchange = Priced(rig, *SYMBOLS)
    exchange.spoiled |= set(SYMBOLS)
    assert len(valuer.mark([MarkSource(ACCOUNT, "m", lambda: exchange)])) == len(SYMBOLS)
    assert exchange.asked == QUESTIONS_MAX


def test_an_account_that_cannot_be_reached_leaves_the_prices_to_the_next_one() -> None:
    rig = Rig()
    valuer = holding(rig, SYMBOL)
    exchange = Priced(rig, SYMBOL)

    def unreachable() -> Exchange:
        raise ExchangeUnavailable("AuthenticationError: no such key")

    mark_sources = [
        MarkSource("dead", "m", unreachable),
        MarkSource(ACCOUNT, "m", lambda: exchange),
    ]
    assert valuer.mark(mark_sources) == []
    assert set(rig.valuations.marks(ACCOUNT)) == {SYMBOL}


# Pairs that may explain drift.


def test_every_listed_pair_with_an_asset_that_drifts_may_explain_it_the_likeliest_first() -> None:
    listed = ["ADA/USDT", "BTC/USDT", "ETH/BTC", "ETH/USDT", "SOL/EUR", "XRP/BTC"]
    pairs = pairs_that_explain({"BTC", "USDT"}, listed, {"ETH"})
    assert pairs == ["BTC/USDT", "ETH/BTC", "ETH/USDT", "ADA/USDT", "XRP/BTC"]
    assert pairs_that_explain({"SOL"}, listed, ()) == ["SOL/EUR"]
    assert pairs_that_explain((), listed, ()) == []


def by_hand(rig: Rig, symbol: str, price: str, number: int = 0, **changes: object) -> Order:
    """Another program trades one unit with the same key."""
    order = rig.order(signal_id=f"by hand {symbol} {number}", symbol=symbol, **changes)
    order = replace(order, client_order_id=f"by-hand-{symbol}-{number}")
    now_ms = rig.clock.now_ms()
    rig.exchange.arrive(order, Attempt(1, now_ms, now_ms + 5_000, now_ms + 6_000))
    rig.exchange.trade(order.client_order_id, price, "1")
    return order


@pytest.mark.parametrize("symbol", ["C0/USDT", "C19/USDT", "C39/USDT"])
def test_drift_is_not_confirmed_before_every_pair_that_may_explain_it_was_asked(
    symbol: str,
) -> None:
    """Bought and sold again on one pair among forty: only the loss is left in the balances."""
    rig = with_symbols(Rig(), *SYMBOLS)
    for _ in range(2):
        rig.reconcile(DriftPolicy.ADOPT)
        rig.clock.advance(1_000)
    opening = rig.book.sheet(ACCOUNT).opening
    by_hand(rig, symbol, "99")
    standing = rig.exchange.standing[-1]
    sold = replace(standing.fills[0], side=standing.fills[0].side.SELL, price=Decimal(90))
    standing.fills.append(replace(sold, trade_id="9000"))
    for _ in range(10):
        found = rig.reconcile(DriftPolicy.ADOPT)
        assert not found.drift_confirmed
        assert found.calls.get("trades", 0) <= 7
        rig.clock.advance(5_000)
    assert found.drift == {}
    assert rig.book.sheet(ACCOUNT).opening == opening


def test_drift_that_no_pair_explains_is_confirmed_once_all_were_asked() -> None:
    rig = with_symbols(Rig(), *SYMBOLS)
    for _ in range(2):
        rig.reconcile()
        rig.clock.advance(1_000)
    rig.exchange.deposits["USDT"] += 500
    runs = [rig.reconcile() for _ in range(9)]
    assert [run.pairs_unasked for run in runs] == [35, 29, 23, 17, 11, 5, 0, 0, 0]
    assert [run.drift_confirmed for run in runs] == [False] * 6 + [True] * 3
    assert runs[-1].calls.get("trades", 0) == 0


def test_other_drift_has_its_pairs_asked_from_the_beginning() -> None:
    rig = with_symbols(Rig(), *SYMBOLS)
    for _ in range(2):
        rig.reconcile()
        rig.clock.advance(1_000)
    rig.exchange.deposits["USDT"] += 500
    for _ in range(3):
        rig.reconcile()
    rig.exchange.deposits["USDT"] += 1
    assert rig.reconcile().pairs_unasked == 35


def test_a_pair_that_is_gone_does_not_keep_drift_from_being_confirmed() -> None:
    rig = with_symbols(Rig(), "ETH/USDT")
    for _ in range(2):
        rig.reconcile()
        rig.clock.advance(1_000)
    rig.exchange.deposits["USDT"] += 500

    def gone() -> None:
        raise UnknownSymbol("BadSymbol: BTC/USDT")

    rig.exchange.on("fills_since", gone)
    rig.reconcile()
    assert rig.reconcile().drift_confirmed


@pytest.mark.parametrize("error", [UnknownOrder("no record"), IllegalTransition("two ids")])
def test_a_record_that_does_not_fit_a_report_is_its_own_symbols_failure(
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
