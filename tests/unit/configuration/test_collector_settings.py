"""What the [collector] table may say, and whose books are collected then."""

from pathlib import Path
from typing import Any

import pytest

from execution.model.errors import UnsupportedExchange
from oneorder.errors import SettingsError
from workers.configuration.settings import Settings
from workers.market.collector import book_sources

ACCOUNTS = {"one": {"exchange": "binance"}, "two": {"exchange": "bybit"}}
BITCOIN = {"symbols": ["BTC/USDT"]}


@pytest.fixture(autouse=True)
def _nobodys_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.toml"
    path.touch()
    monkeypatch.setenv("ONEORDER_CONFIG", str(path))


def settings(configured: Any = ACCOUNTS, /, **collector: Any) -> Settings:
    return Settings(accounts=configured, collector=collector)


def collected(found: Settings) -> list[tuple[str, str]]:
    return [(one.account, one.symbol) for source in book_sources(found) for one in source.health()]


def test_without_accounts_the_books_of_all_are_collected() -> None:
    assert collected(settings(symbols=["BTC/USDT", "ETH/USDT"])) == [
        ("one", "BTC/USDT"),
        ("one", "ETH/USDT"),
        ("two", "BTC/USDT"),
        ("two", "ETH/USDT"),
    ]


def test_accounts_that_are_named_are_the_only_ones() -> None:
    assert collected(settings(symbols=["BTC/USDT"], accounts=["two"])) == [("two", "BTC/USDT")]


@pytest.mark.parametrize(
    ("configured", "collector", "complaint"),
    [
        (ACCOUNTS, {}, "collector.symbols: name at least one"),
        (ACCOUNTS, {**BITCOIN, "accounts": ["three"]}, "'three' is not configured"),
        (ACCOUNTS, {**BITCOIN, "accounts": []}, "collector.accounts: no account"),
        ({}, BITCOIN, "collector.accounts: no account"),
    ],
)
def test_what_cannot_be_collected_is_refused_by_name(
    configured: Any, collector: Any, complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint):
        book_sources(settings(configured, **collector))


def test_an_exchange_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnsupportedExchange, match=r"accounts\.one\.exchange"):
        book_sources(settings({"one": {"exchange": "nonsuch"}}, symbols=["BTC/USDT"]))


@pytest.mark.parametrize(
    "table",
    [{"symbols": ["BTCUSDT"]}, {"symbols": ["BTC/USDT:USDT"]}, {"depth": 0}, {"ttl_s": 1},
     {"symbol": ["BTC/USDT"]}],
)  # fmt: skip
def test_a_table_that_makes_no_sense_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        settings(**table)
