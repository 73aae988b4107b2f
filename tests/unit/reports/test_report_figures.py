"""Known answers of the report, each worked out by hand."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.model.decimals import total
from execution.model.order import Order, OrderState
from execution.model.position import Position, fold
from tests.support.depth import examples
from tests.support.fakes import ACCOUNT
from tests.support.report_kit import NOW, START, at, numbered, snapshot, timed, traded
from workers.reports import Report, build_report
from workers.reports.summary import Summary, drawdowns, percentile


def reported(*orders: Order, **options: Any) -> Report:
    return build_report(orders, **{"snapshots": (), "since": None, "now": NOW, **options})


def total_of(*orders: Order, **options: Any) -> Summary:
    (summary,) = reported(*orders, **options).totals
    return summary


def column(report: Report, name: str) -> list[Any]:
    return report.trades[name].tolist()


def test_a_round_trip_is_reported_before_and_after_its_fees() -> None:
    # Bought 2 at 100 and sold them at 110: 20, less 0.2 and 0.22 of fees.
    summary = total_of(
        traded(1, "buy", ("2", "100"), fees=[("USDT", "0.2")]),
        traded(2, "sell", ("2", "110"), fees=[("USDT", "0.22")]),
    )
    assert summary.gross_pnl == 20
    assert summary.fees == Decimal("0.42")
    assert summary.net_pnl == summary.realised_pnl == Decimal("19.58")
    assert summary.turnover == 420
    assert (summary.trades, summary.orders) == (2, 2)


def test_each_fill_says_what_it_realised_itself() -> None:
    report = reported(
        traded(1, "buy", ("2", "100"), fees=[("USDT", "0.2")]),
        traded(2, "sell", ("1", "110"), ("1", "95"), fees=[("USDT", "0.1")]),
    )
    assert column(report, "realised_pnl") == [Decimal("-0.2"), Decimal("9.9"), Decimal("-5.1")]
    assert column(report, "gross_pnl") == [0, 10, -5]
    assert column(report, "notional") == [200, 110, 95]


def test_a_base_fee_counts_at_the_price_of_its_fill() -> None:
    report = reported(traded(1, "buy", ("2", "100"), fees=[("BTC", "0.002")]))
    assert column(report, "fee_quote") == [Decimal("0.2")]
    assert column(report, "realised_pnl") == [Decimal("-0.2")]
    assert column(report, "gross_pnl") == [0]
    assert column(report, "fees") == [{"BTC": Decimal("0.002")}]


def test_a_fee_in_another_asset_is_valued_at_the_given_rate_and_comes_off_the_net_alone() -> None:
    report = reported(
        traded(1, "buy", ("2", "100"), fees=[("BNB", "0.01"), ("USDT", "0.3")]),
        rates={"BNB/USDT": Decimal(600)},
    )
    assert column(report, "fee_quote") == [Decimal("6.3")]
    assert column(report, "realised_pnl") == [Decimal("-0.3")]
    assert column(report, "net_pnl") == [Decimal("-6.3")]
    assert report.totals[0].fees == Decimal("6.3")
    assert any("600 USDT" in note for note in report.notes)


def test_a_fee_without_a_known_price_is_unknown_and_not_zero() -> None:
    report = reported(
        traded(1, "buy", ("2", "100"), fees=[("BNB", "0.01"), ("USDT", "0.3")]),
        traded(2, "buy", ("1", "100"), fees=[("BNB", "0.02")]),
        rates={"BNB/EUR": Decimal(500)},
    )
    assert column(report, "fee_quote") == [None, None]
    summary = report.totals[0]
    assert summary.fees == Decimal("0.3")
    assert summary.unvalued_fees == {"BNB": Decimal("0.03")}
    assert any("Fees of 0.03 BNB are in no figure" in note for note in report.notes)


def test_the_win_rate_counts_the_orders_that_closed_something() -> None:
    # Closed at 110, 90 and 100: one won, one lost, one came out even; the buys closed nothing.
    summary = total_of(
        traded(1, "buy", ("3", "100")),
        traded(2, "sell", ("1", "110")),
        traded(3, "sell", ("1", "90")),
        traded(4, "sell", ("1", "100")),
    )
    assert (summary.winning_orders, summary.closing_orders) == (1, 3)
    assert summary.win_rate == Decimal("0.3333")


def test_an_order_that_closes_in_pieces_wins_or_loses_once() -> None:
    # Pieces of +10, -2 and -3 are one order that won 5.
    summary = total_of(
        traded(1, "buy", ("3", "100")), traded(2, "sell", ("1", "110"), ("1", "98"), ("1", "97"))
    )
    assert (summary.winning_orders, summary.closing_orders) == (1, 1)
    assert summary.profit_factor is None


def test_a_closing_bears_its_share_of_the_fees_of_the_entry() -> None:
    # 0.3 for the entry of 3: each closed unit bears 0.1, so +0.15 less 0.1 of its own has lost.
    report = reported(
        traded(1, "buy", ("3", "100"), fees=[("USDT", "0.3")]),
        traded(2, "sell", ("1", "100.15"), fees=[("USDT", "0.1")]),
        traded(3, "sell", ("2", "101"), fees=[("USDT", "0.1")]),
    )
    assert column(report, "closed_pnl") == [None, Decimal("-0.05"), Decimal("1.7")]
    assert report.totals[0].win_rate == Decimal("0.5")


def test_a_flip_closes_with_a_part_of_its_fee_and_opens_with_the_rest() -> None:
    # Of 3 sold at 110, one closes (+10 less a third of 0.6) and two open a short at 0.4.
    report = reported(
        traded(1, "buy", ("1", "100")),
        traded(2, "sell", ("3", "110"), fees=[("USDT", "0.6")]),
        traded(3, "buy", ("2", "109")),
    )
    assert column(report, "closed_pnl") == [None, Decimal("9.8"), Decimal("1.6")]


def test_the_profit_factor_is_what_was_won_over_what_was_lost() -> None:
    # Won 30 and 6, lost 24.
    summary = total_of(
        traded(1, "buy", ("3", "100")),
        traded(2, "sell", ("1", "130")),
        traded(3, "sell", ("1", "76")),
        traded(4, "sell", ("1", "106")),
    )
    assert summary.profit_factor == Decimal("1.5")


def test_the_drawdown_is_the_deepest_fall_from_a_peak() -> None:
    # Runs 0, 5, 15, 3, 8, -1, 20: the deepest fall is from 15 to -1.
    results = [Decimal(step) for step in (5, 10, -12, 5, -9, 21)]
    assert drawdowns(results) == [0, 0, 12, 7, 16, 0]
    trades = [
        order
        for number, step in enumerate(results)
        for order in (
            traded(2 * number, "buy", ("1", "100")),
            traded(2 * number + 1, "sell", ("1", str(100 + step))),
        )
    ]
    assert total_of(*trades).max_drawdown == 16


def test_a_loss_from_the_very_beginning_is_a_drawdown_too() -> None:
    assert drawdowns([Decimal(-3), Decimal(1)]) == [3, 2]


@pytest.mark.parametrize(
    ("side", "price", "slippage", "slippage_bps"),
    [
        ("buy", "101", "2", "100"),
        ("buy", "99.5", "-1", "-50"),
        ("sell", "99", "2", "100"),
        ("sell", "100.5", "-1", "-50"),
    ],
)
def test_slippage_is_positive_where_it_cost_something(
    side: str, price: str, slippage: str, slippage_bps: str
) -> None:
    report = reported(traded(1, side, ("2", price), reference="100"))
    assert column(report, "slippage") == [Decimal(slippage)]
    assert column(report, "slippage_bps") == [Decimal(slippage_bps)]


def test_the_mean_slippage_weighs_each_fill_by_its_notional() -> None:
    # 9 bought at 101 for 100 and 1 sold at 100 for 100: 9 of 1,000 is 90 bps, not 50.
    summary = total_of(
        traded(1, "buy", ("9", "101"), reference="100"),
        traded(2, "sell", ("1", "100"), reference="100"),
    )
    assert summary.slippage == 9
    assert summary.slippage_bps == 90


def test_without_a_reference_price_there_is_no_slippage() -> None:
    report = reported(
        traded(1, "buy", ("1", "100")), traded(2, "buy", ("1", "101"), reference="100")
    )
    assert column(report, "slippage") == [None, 1]
    assert report.totals[0].slippage_bps == 100
    assert "1 fill of 2 had no reference price; slippage is that of the others." in report.notes
    assert total_of(traded(1, "buy", ("1", "100"))).slippage is None


def test_the_fill_ratio_is_the_mean_over_the_orders_that_ended_at_the_exchange() -> None:
    whole = traded(1, "buy", ("1", "100"))
    half = replace(traded(2, "buy", ("1", "100")), amount=Decimal(2), state=OrderState.CANCELED)
    nothing = replace(traded(3, "buy"), amount=Decimal(5), state=OrderState.EXPIRED)
    others = [
        replace(traded(number, "buy"), amount=Decimal(1), state=state)
        for number, state in enumerate(
            (OrderState.REFUSED, OrderState.OPEN, OrderState.QUARANTINED), start=4
        )
    ]
    assert total_of(whole, half, nothing, *others).fill_ratio == Decimal("0.5")
    assert total_of(*others).fill_ratio is None


def test_percentiles_are_values_that_really_occurred() -> None:
    ranked = list(range(10, 1010, 10))
    assert [percentile(ranked, rank) for rank in (50, 95, 99)] == [500, 950, 990]
    assert [percentile([7, 9], rank) for rank in (50, 51)] == [7, 9]
    assert percentile([], 50) is None


def test_latency_runs_from_the_publication_to_the_attempt_and_to_the_first_fill() -> None:
    order = traded(1, "buy", ("1", "100"))
    summary = total_of(
        timed(order, sent_ms=12, filled_ms=80),
        timed(replace(order, order_id="b"), sent_ms=15, filled_ms=None),
        timed(replace(order, order_id="c"), sent_ms=None, filled_ms=None),
    )
    assert (summary.sent.count, summary.sent.p50_ms, summary.sent.p99_ms) == (2, 12, 15)
    assert (summary.filled.count, summary.filled.p50_ms) == (1, 80)


def test_latency_begins_with_the_order_where_no_stream_entry_tells_the_publication() -> None:
    order = timed(traded(1, "buy", ("1", "100"), minutes=0), sent_ms=40, filled_ms=None)
    summary = total_of(replace(order, entry_id=None, created_at=START + timedelta(milliseconds=10)))
    assert summary.sent.p50_ms == 30


def test_what_happened_before_since_is_not_shown_but_still_counts() -> None:
    report = reported(
        traded(1, "buy", ("2", "100"), fees=[("USDT", "1")]),
        traded(2, "sell", ("1", "110")),
        traded(3, "sell", ("1", "120")),
        since=at(3),
    )
    assert column(report, "order_id") == ["order-3"]
    (summary,) = report.totals
    assert (summary.gross_pnl, summary.trades, summary.orders) == (20, 1, 1)
    assert column(report, "closed_pnl") == [Decimal("19.5")]
    assert report.notes[0].startswith("2 earlier fills are not shown")


def test_a_late_fill_belongs_to_its_own_day_and_its_order_to_the_day_it_was_made() -> None:
    order = traded(1, "buy", ("1", "100"))
    late = replace(order, fills=(replace(order.fills[0], time=START + timedelta(days=1)),))
    days = reported(late).by_day
    assert [(day.name, day.orders, day.trades) for day in days] == [
        ("2026-09-01", 1, 0),
        ("2026-09-02", 0, 1),
    ]


def test_a_day_is_a_day_in_utc() -> None:
    order = traded(1, "buy", ("1", "100"))
    east = datetime(2026, 9, 2, 1, tzinfo=timezone(timedelta(hours=9)))
    moved = replace(order, created_at=east, fills=(replace(order.fills[0], time=east),))
    assert [day.name for day in reported(moved).by_day] == ["2026-09-01"]


def test_quote_assets_are_never_added() -> None:
    report = reported(
        traded(1, "buy", ("1", "100")),
        traded(2, "buy", ("1", "0.05"), symbol="ETH/BTC"),
        traded(3, "sell", ("1", "3000"), symbol="ETH/USDT"),
    )
    assert [(one.quote, one.turnover) for one in report.totals] == [
        ("BTC", Decimal("0.05")),
        ("USDT", 3100),
    ]
    assert [(one.quote, one.name) for one in report.by_symbol] == [
        ("BTC", "ETH/BTC"),
        ("USDT", "BTC/USDT"),
        ("USDT", "ETH/USDT"),
    ]


def test_accounts_do_not_share_a_position_and_strategies_do() -> None:
    report = reported(
        traded(1, "buy", ("1", "100"), strategy="trend"),
        traded(2, "sell", ("1", "110"), strategy=None),
        traded(3, "sell", ("1", "110"), account="other", strategy="trend"),
    )
    assert {one.name: one.net_pnl for one in report.by_account} == {ACCOUNT: 10, "other": 0}
    assert {one.name: one.net_pnl for one in report.by_strategy} == {"-": 10, "trend": 0}


def test_fills_are_folded_in_the_order_in_which_they_moved_the_position() -> None:
    # The sale came to be known first, though it happened later: the ledger's number decides.
    buy, sell = numbered([traded(1, "buy", ("1", "100")), traded(2, "sell", ("1", "110"))])
    assert total_of(sell, buy).net_pnl == 10
    assert total_of(*numbered([sell, buy])).gross_pnl == 10
    assert column(reported(*numbered([sell, buy])), "gross_pnl") == [10, 0]


def test_sums_hold_more_digits_than_a_default_context_would() -> None:
    fee = "0.00000000000000000001"
    summary = total_of(
        traded(1, "buy", ("1", "99999999999999999999")),
        traded(2, "buy", ("1", "99999999999999999999"), fees=[("USDT", fee)]),
    )
    assert summary.turnover + summary.fees == Decimal("199999999999999999998") + Decimal(fee)
    assert summary.net_pnl == -Decimal(fee)
    assert total_of(
        traded(1, "buy", ("1.00000000000000000001", "99999999999999999999"))
    ).turnover == Decimal("99999999999999999999.99999999999999999999")


def test_snapshots_of_all_accounts_add_up_and_stand_on_the_reports_zero() -> None:
    report = reported(
        traded(1, "buy", ("2", "100")),
        traded(2, "sell", ("1", "110")),
        traded(4, "sell", ("1", "120"), fees=[("BNB", "0.01")]),
        since=at(3),
        rates={"BNB/USDT": Decimal(600)},
        snapshots=[
            snapshot(3, "10", "7"),
            snapshot(5, "30", "0"),
            snapshot(2, "10", "5", account="other"),
            snapshot(5, "1", "2", account="other"),
        ],
    )
    assert [(point.time, point.equity) for point in report.equity] == [(at(3), 22), (at(5), 17)]
    assert report.equity[-1].unrealised_pnl == 2
    assert report.equity[-1].exposure == 100


def test_an_inverse_contract_is_reported_in_the_asset_that_it_settles_in() -> None:
    # 100 contracts of 100 USD: bought at 50,000 for 0.2 BTC, sold at 62,500 for 0.16 BTC.
    symbol = "BTC/USD:BTC"
    report = reported(
        traded(1, "buy", ("100", "50000"), symbol=symbol, reference="40000"),
        traded(2, "sell", ("100", "62500"), symbol=symbol),
        contract_sizes={(ACCOUNT, symbol): Decimal(100)},
    )
    (summary,) = report.totals
    assert (summary.quote, summary.net_pnl) == ("BTC", Decimal("0.04"))
    assert summary.turnover == Decimal("0.36")
    assert column(report, "slippage")[0] == Decimal("0.05")
    assert not [note for note in report.notes if "contract size" in note]


def test_a_contract_of_unknown_size_is_noted() -> None:
    report = reported(traded(1, "buy", ("1", "50000"), symbol="BTC/USDT:USDT"))
    assert f"The contract size of BTC/USDT:USDT on {ACCOUNT} is not known and taken as 1." in (
        report.notes
    )


def test_what_may_be_missing_is_noted() -> None:
    short = replace(traded(1, "buy", ("1", "100")), filled=Decimal(2), amount=Decimal(2))
    stuck = replace(traded(2, "buy"), amount=Decimal(1), state=OrderState.QUARANTINED)
    notes = reported(short, stuck).notes
    assert any(note.startswith("1 order had more filled") for note in notes)
    assert any(note.startswith("1 order in quarantine") for note in notes)


def test_no_orders_make_a_report_that_says_so() -> None:
    report = reported()
    assert report.is_empty
    assert report.totals == report.by_day == ()
    assert report.notes == ("There are no orders yet.",)
    assert reported(since=START).notes == ("There are no orders in this time.",)


def test_orders_without_a_fill_are_counted() -> None:
    report = reported(replace(traded(1, "buy"), amount=Decimal(1), state=OrderState.REJECTED))
    assert report.states == {"rejected": 1}
    assert (report.totals[0].orders, report.totals[0].turnover) == (1, 0)
    assert report.notes == ("Nothing has been filled yet.",)


@pytest.mark.parametrize("name", ["since", "now"])
def test_a_time_without_a_zone_is_refused(name: str) -> None:
    times = {"since": START, "now": NOW, name: datetime(2026, 9, 1)}  # noqa: DTZ001  # The point.
    with pytest.raises(ValueError, match=f"{name}: '2026-09-01T00:00:00' has no time zone"):
        build_report([], [], **times)


steps = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell"]),
        st.decimals("0.01", "5", places=2),
        st.decimals("50", "150", places=2),
        st.sampled_from(["USDT", "BNB"]),
        st.decimals("-0.5", "2", places=3),
    ),
    max_size=12,
)


@settings(max_examples=examples(40), deadline=None)
@given(steps)
def test_fills_and_closings_add_up_to_what_the_position_made(steps: list[tuple[Any, ...]]) -> None:
    orders = [
        traded(number, side, (str(amount), str(price)), fees=[(asset, str(fee))])
        for number, (side, amount, price, asset, fee) in enumerate(steps)
    ]
    # Selling all that is held leaves no entry cost that no closing has borne.
    held = fold(Position(ACCOUNT, "BTC/USDT"), [order.fills[0] for order in orders])
    if held.amount:
        side = "sell" if held.amount > 0 else "buy"
        orders.append(traded(99, side, (str(abs(held.amount)), "100")))
    end = fold(Position(ACCOUNT, "BTC/USDT"), [order.fills[0] for order in orders])
    report = reported(*orders, rates={"BNB/USDT": Decimal(3)})
    trades = report.trades
    assert total(trades["realised_pnl"]) == end.realised_pnl
    assert total(trades["net_pnl"]) == end.realised_pnl - 3 * end.fees.get("BNB", Decimal(0))
    assert total(trades["gross_pnl"]) - total(trades["fee_quote"]) == total(trades["net_pnl"])
    assert total(trades["closed_pnl"].dropna()) == total(trades["net_pnl"])
    for group in (report.by_day, report.by_symbol, report.by_account, report.by_strategy):
        assert total(one.net_pnl for one in group) == total(trades["net_pnl"])
