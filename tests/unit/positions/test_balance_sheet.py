"""What balances should be, given what we know of, and what is left over."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from execution.model.position import Position, fold
from execution.positions.balance_sheet import (
    DUST,
    SEEN_MAX,
    BalanceSheet,
    accepted,
    looked_at,
    moved_by,
    moved_by_trade,
    with_external_trades,
)
from tests.support.clock import EPOCH
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, fill

NOW = EPOCH + timedelta(days=1)
LATER = NOW + timedelta(hours=1)


def held(**balances: str) -> dict[str, Decimal]:
    return {asset: Decimal(amount) for asset, amount in balances.items()}


def opened(**balances: str) -> BalanceSheet:
    return BalanceSheet(opening=held(**balances), opened_at=NOW)


def test_opening_balances_are_believed_when_two_looks_agree() -> None:
    first, confirmed = looked_at(BalanceSheet(), held(USDT="100"), {}, NOW)
    assert (first.opening, first.opened_at, confirmed) == (None, None, False)
    second, confirmed = looked_at(first, held(USDT="100"), {}, LATER)
    assert (second.opening, second.opened_at) == (held(USDT="100"), LATER)
    assert (second.candidate, second.suspected, confirmed) == (None, {}, False)


def test_opening_balances_on_which_two_looks_differ_are_looked_at_once_more() -> None:
    first, _ = looked_at(BalanceSheet(), held(USDT="100"), {}, NOW)
    second, _ = looked_at(first, held(USDT="90"), {}, NOW)
    assert second.opening is None
    third, _ = looked_at(second, held(USDT="90"), {}, LATER)
    assert third.opening == held(USDT="90")


def test_opening_balances_are_those_before_our_fills() -> None:
    flows = held(BTC="1", USDT="-99")
    sheet, _ = looked_at(BalanceSheet(), held(BTC="3", USDT="1"), flows, NOW)
    sheet, _ = looked_at(sheet, held(BTC="3", USDT="1"), flows, NOW)
    assert sheet.opening == held(BTC="2", USDT="100")


def test_what_our_fills_moved_is_no_drift() -> None:
    flows = held(BTC="1", USDT="-99")
    sheet, confirmed = looked_at(opened(USDT="100"), held(BTC="1", USDT="1"), flows, LATER)
    assert (sheet.suspected, confirmed) == ({}, False)


def test_an_asset_that_is_reported_no_more_was_withdrawn() -> None:
    sheet, _ = looked_at(opened(USDT="100", BNB="2"), held(USDT="100"), {}, LATER)
    assert sheet.suspected == held(BNB="-2")


def test_drift_is_confirmed_when_two_looks_see_the_same() -> None:
    balances = held(USDT="150")
    first, confirmed = looked_at(opened(USDT="100"), balances, {}, LATER)
    assert (first.suspected, confirmed) == (held(USDT="50"), False)
    second, confirmed = looked_at(first, balances, {}, LATER)
    assert (second.suspected, confirmed) == (held(USDT="50"), True)


def test_drift_that_changes_or_goes_away_is_not_confirmed() -> None:
    first, _ = looked_at(opened(USDT="100"), held(USDT="150"), {}, LATER)
    second, confirmed = looked_at(first, held(USDT="151"), {}, LATER)
    assert (second.suspected, confirmed) == (held(USDT="51"), False)
    third, confirmed = looked_at(second, held(USDT="100"), {}, LATER)
    assert (third.suspected, confirmed) == ({}, False)


@pytest.mark.parametrize(("more", "drifts"), [(DUST, False), (DUST * 2, True)])
def test_what_is_finer_than_exchanges_book_is_no_drift(more: Decimal, drifts: bool) -> None:
    balances = {"BTC": Decimal(1) + more}
    sheet, _ = looked_at(opened(BTC="1"), balances, {}, LATER)
    assert bool(sheet.suspected) is drifts


def test_large_balances_are_compared_to_the_last_decimal() -> None:
    large = "12345678901234567890123456789.12345678"
    sheet, _ = looked_at(opened(SHIB=large), held(SHIB=large), {}, LATER)
    assert sheet.suspected == {}
    sheet, _ = looked_at(opened(SHIB=large), held(SHIB=large[:-1] + "9"), {}, LATER)
    assert sheet.suspected == {}
    sheet, _ = looked_at(opened(SHIB=large), held(SHIB=large[:-2] + "98"), {}, LATER)
    assert sheet.suspected == held(SHIB="0.00000020")


def test_drift_that_is_accepted_was_there_from_the_beginning() -> None:
    balances = held(USDT="150", BTC="1")
    sheet, _ = looked_at(opened(USDT="100"), balances, {}, LATER)
    sheet = accepted(sheet)
    assert (sheet.opening, sheet.opened_at) == (balances, NOW)
    assert looked_at(sheet, balances, {}, LATER)[0].suspected == {}


def test_accepting_where_nothing_drifts_changes_nothing() -> None:
    sheet = opened(USDT="100")
    assert accepted(sheet) == sheet


def test_an_external_trade_explains_what_it_moved() -> None:
    trade = ("BTC/USDT buy 1", held(BTC="1", USDT="-99"))
    sheet = with_external_trades(opened(USDT="100"), [trade])
    sheet, _ = looked_at(sheet, held(BTC="1", USDT="1"), {}, LATER)
    assert sheet.suspected == {}


def test_an_external_trade_that_is_reported_again_counts_once() -> None:
    trade = ("BTC/USDT buy 1", held(BTC="1", USDT="-99"))
    once = with_external_trades(opened(), [trade])
    assert with_external_trades(once, [trade]) == once
    assert once.external_trades == held(BTC="1", USDT="-99")


def test_both_sides_of_an_external_trade_with_itself_count() -> None:
    bought = ("BTC/USDT buy 1", held(BTC="1", USDT="-99"))
    sold = ("BTC/USDT sell 1", held(BTC="-1", USDT="98"))
    sheet = with_external_trades(opened(), [bought, sold])
    assert sheet.external_trades == held(USDT="-1")


def test_only_the_last_external_trades_are_remembered_by_name() -> None:
    trades = [(f"BTC/USDT buy {n}", held(BTC="1")) for n in range(SEEN_MAX + 50)]
    sheet = opened()
    for trade in trades:
        sheet = with_external_trades(sheet, [trade])
    assert sheet.seen == tuple(name for name, _ in trades[50:])
    assert sheet.external_trades == {"BTC": Decimal(SEEN_MAX + 50)}
    assert with_external_trades(sheet, trades[50:]) == sheet


def test_a_buy_moves_base_in_and_quote_and_fees_out() -> None:
    bought = fill("1", "buy", "2", "50", [("BNB", "0.01"), ("USDT", "0.1")])
    assert moved_by_trade(SYMBOL, bought) == held(BTC="2", USDT="-100.1", BNB="-0.01")


def test_a_sale_moves_base_out_and_quote_in_and_a_rebate_too() -> None:
    sold = fill("1", "sell", "2", "50", [("USDT", "-0.1"), ("BTC", "0.002")])
    assert moved_by_trade(SYMBOL, sold) == held(BTC="-2.002", USDT="100.1")


@pytest.mark.parametrize("fee_asset", ["BTC", "USDT", "BNB"])
def test_a_position_moved_what_its_fills_moved(fee_asset: str) -> None:
    fills = [
        fill("1", "buy", "2", "50", [(fee_asset, "0.002")]),
        fill("2", "sell", "3", "60", [(fee_asset, "0.003")]),
        fill("3", "buy", "0.7", "55.5", [(fee_asset, "0.0007")]),
    ]
    total: dict[str, Decimal] = {}
    for each in fills:
        for asset, amount in moved_by_trade(SYMBOL, each).items():
            total[asset] = total.get(asset, Decimal(0)) + amount
    moved = moved_by([fold(Position(ACCOUNT, SYMBOL), fills)])
    assert {a: n for a, n in moved.items() if n} == {a: n for a, n in total.items() if n}


def test_positions_of_one_account_add_up_by_asset() -> None:
    one = fold(Position(ACCOUNT, SYMBOL), [fill("1", "buy", "1", "50")])
    other = fold(Position(ACCOUNT, "ETH/BTC"), [fill("2", "buy", "10", "0.05")])
    assert moved_by([one, other]) == held(BTC="0.5", USDT="-50", ETH="10")
    assert moved_by([]) == {}


def test_contracts_move_no_balance() -> None:
    contract = replace(Position(ACCOUNT, "BTC/USDT:USDT"), contract_size=Decimal("0.01"))
    held_contract = fold(contract, [fill("1", "buy", "5", "50")])
    assert moved_by([held_contract]) == {}
