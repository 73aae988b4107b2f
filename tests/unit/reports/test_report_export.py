"""The report's files hold exactly what it found, and read back as it was."""

import csv
import json
import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.support.report_kit import NOW, START, at, snapshot, traded
from workers.reports import Report, build_report
from workers.reports.export import (
    LATENCY_COLUMNS,
    NUMBER_COLUMNS,
    SUMMARY_COLUMNS,
    headline_rows,
    latency_rows,
    report_view,
    summary_rows,
    write_csv,
    write_parquet,
)
from workers.reports.trades import COLUMNS, MAPS, NUMBERS

TEXTS = set(COLUMNS) - set(NUMBERS) - set(MAPS) - {"time"}
PLAIN = re.compile(r"-?\d+(\.\d*[1-9])?")
ISO_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture(scope="module")
def report() -> Report:
    """Fees in two assets, one unknown, a fill without a reference price, one without a strategy."""
    return build_report(
        [
            traded(
                1,
                "buy",
                ("0.12345678", "50000.01"),
                fees=[("USDT", "1.1"), ("XYZ", "7")],
                reference="50000",
                strategy="trend",
            ),
            traded(2, "sell", ("0.1", "51000"), ("0.02345678", "49000"), fees=[("BTC", "0.00001")]),
            traded(3, "buy", ("2", "0.05"), symbol="ETH/BTC", strategy="a,\"b\"\n'c'"),
        ],
        [snapshot(5, "12.5", "-3")],
        since=None,
        now=NOW,
    )


EMPTY = build_report([], [], since=None, now=NOW)


def rows_of(report: Report) -> list[dict[str, Any]]:
    return [dict(row) for row in report.trades[list(COLUMNS)].to_dict("records")]


def read_csv_row(row: dict[str, str]) -> dict[str, Any]:
    return {
        name: json.loads(text or "{}", parse_float=Decimal) if name in MAPS else text or None
        for name, text in row.items()
    }


def test_csv_reads_back_as_the_very_same_trades(report: Report, tmp_path: Path) -> None:
    write_csv(report, tmp_path / "trades.csv")
    with (tmp_path / "trades.csv").open(newline="", encoding="utf-8") as file:
        read = [read_csv_row(row) for row in csv.DictReader(file)]
    wanted = rows_of(report)
    assert len(read) == len(wanted) == 4
    for found, row in zip(read, wanted, strict=True):
        assert {name: found[name] for name in TEXTS} == {name: row[name] for name in TEXTS}
        for name in NUMBERS:
            assert (found[name] and Decimal(found[name])) == row[name], name
            assert found[name] is None or PLAIN.fullmatch(found[name])
        for name in MAPS:
            assert {asset: Decimal(fee) for asset, fee in found[name].items()} == row[name]
        assert found["time"] == row["time"].isoformat().replace("+00:00", "Z")


FORMULAS = [
    "=cmd|' /C calc'!A1",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "=",
    "\N{FULLWIDTH EQUALS SIGN}1",
]


@pytest.mark.parametrize("evil", FORMULAS)
def test_a_csv_cell_from_outside_is_no_formula(evil: str, tmp_path: Path) -> None:
    order = traded(1, "sell", ("0.5", "100"), fees=[(evil, "1")], strategy=evil)
    fills = tuple(replace(one, trade_id=evil) for one in order.fills)
    order = replace(order, fills=fills, signal_id=evil, order_id=evil, account=evil, reason=evil)
    back = traded(2, "buy", ("0.5", "101"), account=evil, strategy="-fine-")
    report = build_report([order, back], [], since=None, now=NOW)
    write_csv(report, tmp_path / "trades.csv")
    with (tmp_path / "trades.csv").open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    for name in ("strategy", "signal_id", "order_id", "trade_id", "account"):
        assert first[name] == "'" + evil.replace("\r", "\\r")
    for row in (first, second):
        for name in TEXTS | set(MAPS):
            assert row[name].lstrip(" ")[:1] not in tuple("=+-@\t\r\n\N{FULLWIDTH EQUALS SIGN}"), (
                name
            )
    assert second["net_pnl"] == "-0.5"
    assert second["strategy"] == "'-fine-"


def test_a_name_that_is_not_given_stays_a_dash(report: Report, tmp_path: Path) -> None:
    write_csv(report, tmp_path / "trades.csv")
    with (tmp_path / "trades.csv").open(newline="", encoding="utf-8") as file:
        assert [row["strategy"] for row in csv.DictReader(file)][1] == "-"


def test_parquet_holds_names_as_they_came(tmp_path: Path) -> None:
    report = build_report([traded(1, "buy", ("1", "1"), strategy="=1")], [], since=None, now=NOW)
    write_parquet(report, tmp_path / "trades.parquet")
    assert pq.read_table(tmp_path / "trades.parquet")["strategy"].to_pylist() == ["=1"]


def test_a_parquet_file_that_cannot_be_written_is_not_removed(
    report: Report, tmp_path: Path
) -> None:
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_parquet(report, full)
    assert full.is_symlink()
    assert full.resolve().is_char_device()


def test_parquet_reads_back_as_the_very_same_trades(report: Report, tmp_path: Path) -> None:
    write_parquet(report, tmp_path / "trades.parquet")
    table = pq.read_table(tmp_path / "trades.parquet")
    assert tuple(table.column_names) == COLUMNS
    read = [{**row, **{name: dict(row[name]) for name in MAPS}} for row in table.to_pylist()]
    assert read == rows_of(report)


def test_parquet_can_be_queried_as_decimals_and_times_in_utc(
    report: Report, tmp_path: Path
) -> None:
    write_parquet(report, tmp_path / "trades.parquet")
    table = pq.read_table(tmp_path / "trades.parquet")
    assert {table.schema.field(name).type for name in NUMBERS} == {pa.decimal128(38, 18)}
    assert table.schema.field("time").type == pa.timestamp("us", "UTC")
    assert pc.sum(table["notional"]).as_py() == sum(report.trades["notional"])


def test_parquet_widens_a_column_that_would_not_fit(tmp_path: Path) -> None:
    fine = "0.00000000000000000001"
    big = "99999999999999999999"
    report = build_report([traded(1, "buy", (fine, big))], [], since=None, now=NOW)
    write_parquet(report, tmp_path / "trades.parquet")
    table = pq.read_table(tmp_path / "trades.parquet")
    assert table["amount"].to_pylist() == [Decimal(fine)]
    assert table.schema.field("amount").type == pa.decimal256(76, 20)
    assert table["price"].to_pylist() == [Decimal(big)]
    assert table.schema.field("price").type == pa.decimal128(38, 18)


def test_files_of_an_empty_report_have_their_columns_and_no_rows(tmp_path: Path) -> None:
    write_csv(EMPTY, tmp_path / "trades.csv")
    assert (tmp_path / "trades.csv").read_text() == ",".join(COLUMNS) + "\n"
    write_parquet(EMPTY, tmp_path / "trades.parquet")
    table = pq.read_table(tmp_path / "trades.parquet")
    assert (table.num_rows, tuple(table.column_names)) == (0, COLUMNS)
    assert table.schema.field("price").type == pa.decimal128(38, 18)


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def test_json_holds_no_binary_fraction_and_times_that_end_in_z(report: Report) -> None:
    view = json.loads(json.dumps(report_view(report)))
    assert not [leaf for leaf in leaves(view) if isinstance(leaf, float)]
    for name in NUMBERS:
        for trade in view["trades"]:
            assert trade[name] is None or PLAIN.fullmatch(trade[name])
    times = [
        view["generated_at"],
        *(trade["time"] for trade in view["trades"]),
        *(point["time"] for point in view["equity"]),
    ]
    assert all(ISO_UTC.fullmatch(time) for time in times)


def test_json_says_what_the_report_says(report: Report) -> None:
    view = report_view(report)
    assert [one["quote"] for one in view["totals"]] == ["BTC", "USDT"]
    for found, summary in zip(view["totals"], report.totals, strict=True):
        assert Decimal(found["net_pnl"]) == summary.net_pnl
        assert found["sent"] == {"count": 0, "p50_ms": None, "p95_ms": None, "p99_ms": None}
    assert view["totals"][1]["unvalued_fees"] == {"XYZ": "7"}
    assert view["trades"][0]["fee_quote"] is None
    assert view["trades"][2]["strategy"] == "-"
    assert view["equity"][0]["equity"] == "9.5"
    assert view["since"] is None
    assert view["notes"] == list(report.notes)


def test_json_of_an_empty_report_has_every_part() -> None:
    assert set(report_view(EMPTY)) == {
        "generated_at",
        "since",
        "notes",
        "states",
        "totals",
        "by_day",
        "by_symbol",
        "by_account",
        "by_strategy",
        "equity",
        "trades",
    }
    assert report_view(EMPTY)["notes"] == ["There are no orders yet."]


def test_json_says_since_when() -> None:
    view = report_view(build_report([], [], since=START, now=NOW))
    assert view["since"] == "2026-09-01T12:00:00Z"


def test_tables_have_every_column_as_text(report: Report) -> None:
    tables = [
        (summary_rows(report.by_symbol), SUMMARY_COLUMNS),
        (latency_rows(report), LATENCY_COLUMNS),
    ]
    for rows, columns in tables:
        assert rows
        for row in rows:
            assert set(columns) <= set(row)
            assert all(isinstance(text, str) for text in row.values())
    assert set(SUMMARY_COLUMNS) - NUMBER_COLUMNS == {"quote", "name"}


def test_the_headline_has_a_column_for_each_quote_asset() -> None:
    report = build_report(
        [
            traded(1, "buy", ("20", "1000"), fees=[("USDT", "1.005")]),
            traded(2, "sell", ("20", "1100"), minutes=5),
            traded(3, "buy", ("1", "0.05"), symbol="ETH/BTC", fees=[("BTC", "0.00005")]),
        ],
        [],
        since=at(0),
        now=NOW,
    )
    rows = {row["figure"]: row for row in headline_rows(report)}
    assert rows["Net result"] == {"figure": "Net result", "BTC": "-0.00005000", "USDT": "+1,999.00"}
    assert rows["Turnover"]["USDT"] == "42,000.00"
    assert rows["Win rate"] == {"figure": "Win rate", "BTC": "", "USDT": "100.0%"}
    assert headline_rows(EMPTY) == []


def test_fees_without_a_known_price_stand_beside_the_others(report: Report) -> None:
    rows = {row["figure"]: row for row in headline_rows(report)}
    assert rows["Fees"]["USDT"].endswith(" + 7 XYZ")


def test_small_groups_are_shown_with_the_places_of_the_whole() -> None:
    orders = [
        traded(1, "buy", ("1", "90000"), strategy="large"),
        traded(2, "buy", ("1", "9"), symbol="SOL/USDT", strategy="small"),
    ]
    rows = summary_rows(build_report(orders, [], since=None, now=NOW).by_strategy)
    assert [row["turnover"] for row in rows] == ["90,000.00", "9.00"]


def test_a_report_without_a_page_loads_no_drawing_library() -> None:
    probe = "import sys, workers.reports.export; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
