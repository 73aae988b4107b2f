"""What a terminal shows: every text as it is, ids whole, and a line a field where it is narrow."""

import io
from typing import Any

import pytest
from rich.console import Console

from workers.cli.app import lay_out
from workers.views import tables
from workers.views.plain_text import plain
from workers.views.tables import ORDER_COLUMNS

ORDER_ID = "oo" + "abcdefgh" * 3
ORDER = {
    "created_at": "2030-01-02T03:04:05.678901Z",
    "order_id": ORDER_ID,
    "signal_id": "signal-1",
    "account": "binance-main",
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "limit",
    "amount": "0.12345678901",
    "price": "45000",
    "state": "filled",
    "filled": "0.12345678901",
    "average": "44999.5",
    "reason": None,
}
EVIL = [
    r"x\[/x]",
    "[/]",
    "[red]x[/red]",
    "[link=https://evil.example]here[/link]",
    ":smiley:",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "two\nlines\r\nand\ttabs",
    "\u202egnp.exe",
    "zero\u200bwidth",
    "\x00\x9b\x7f",
    "half \ud800",
]


def shown(rows: list[dict[str, Any]], width: int = 200, columns: Any = ORDER_COLUMNS) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, markup=False, emoji=False, highlight=False)
    console.print(tables.table("Orders", rows, columns), crop=False)
    return out.getvalue()


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("width", [80, 250])
def test_text_from_outside_is_shown_as_it_is(text: str, width: int) -> None:
    for column in ("signal_id", "reason", "account"):
        found = shown([{**ORDER, column: text}], width)
        assert plain(text) in found
        assert found.replace("\n", "").isprintable()


@pytest.mark.parametrize("text", EVIL)
def test_texts_between_tables_are_shown_as_they_are(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lay_out(f"account {text} could not be read")
    assert capsys.readouterr().out == f"account {plain(text)} could not be read\n"


@pytest.mark.parametrize("text", ["plain", "BTC/USDT", "日本語", "a b", r"x\[/x]", "ñ"])
def test_what_shows_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize("width", [20, 80, 120, 250])
def test_an_id_is_never_cut_or_folded(width: int) -> None:
    long_id = "s" * 128
    found = shown([{**ORDER, "signal_id": long_id}], width)
    assert ORDER_ID in found
    assert long_id in found


def test_where_the_table_does_not_fit_each_row_is_a_field_a_line() -> None:
    found = shown([ORDER, {**ORDER, "reason": "why " * 40}], 80)
    first, second = found.split("\n\n")
    assert [line.split("  ")[0] for line in first.splitlines()] == [
        "Orders", "created at", "order id", "signal id", "account", "symbol", "side", "type",
        "amount", "price", "state", "filled", "average",
    ]  # fmt: skip
    assert f"order id    {ORDER_ID}" in first
    assert second.splitlines()[-1] == f"reason      {'why ' * 40}".rstrip()


@pytest.mark.parametrize("width", [80, 100, 200])
def test_a_table_is_no_wider_than_the_terminal(width: int) -> None:
    found = shown([{"account": "a", "reason": "why " * 100}], width, ("account", "reason"))
    assert max(map(len, found.splitlines())) <= width
    assert "┃" in found


def test_prose_gives_way_before_anything_else_does() -> None:
    row = {"account": "a" * 30, "amount": "1" * 20, "reason": "why " * 100}
    found = shown([row], 90, ("account", "amount", "reason"))
    assert "a" * 30 in found
    assert "1" * 20 in found
    assert "┃" in found


def test_an_id_within_prose_is_not_folded_either() -> None:
    reason = f"orders {ORDER_ID}, {ORDER_ID} and 0e4b2c52-8f3a-4d0e-9f5e-aaaaaaaaaaaa remain"
    for width in (50, 60, 80, 120):
        found = shown([{"account": "a", "reason": reason}], width, ("account", "reason"))
        assert found.count(ORDER_ID) == 2
        assert "0e4b2c52-8f3a-4d0e-9f5e-aaaaaaaaaaaa" in found


def test_times_are_shown_to_the_second_and_numbers_to_eight_places() -> None:
    found = shown([ORDER])
    assert "2030-01-02T03:04:05Z" in found
    assert "0.12345679" in found


@pytest.mark.parametrize("column", ["published_at", "waiting_since", "opened_at", "expires_at"])
def test_every_time_is_shown_to_the_second(column: str) -> None:
    found = shown([{column: "2030-01-02T03:04:05.678000Z"}], columns=(column,))
    assert "2030-01-02T03:04:05Z" in found


def test_what_is_no_number_in_a_column_of_numbers_is_shown_as_it_is() -> None:
    assert "12.abcdefghijklm" in shown([{**ORDER, "amount": "12.abcdefghijklm"}])


def test_an_empty_table_shows_its_columns_or_its_title() -> None:
    assert "order id" in shown([])
    assert shown([], 20).strip() == "Orders"


def test_a_record_of_an_earlier_release_shows_no_secret() -> None:
    assert "hunter2" not in shown([{**ORDER, "reason": "GET /order?signature=hunter2"}])


def test_wide_letters_take_the_room_that_they_need() -> None:
    found = shown([{"symbol": "币安人生/USDT", "reason": "x" * 300}], 80, ("symbol", "reason"))
    assert "币安人生/USDT" in found
