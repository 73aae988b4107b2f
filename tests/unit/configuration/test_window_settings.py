"""The window of each account: its own, the general one, and what an exchange does not take."""

from typing import Any

import pytest

from execution.exchanges.registry import GUARANTEES
from oneorder.errors import SettingsError
from workers.configuration.settings import (
    AccountSettings,
    Settings,
    load_accounts,
    windows_of,
)

KEYS = {"ONEORDER_MAIN_API_KEY": "k", "ONEORDER_MAIN_API_SECRET": "s"}


def settings_of(exchange: str, window_ms: int | None = None, **general: Any) -> Settings:
    account = AccountSettings(exchange=exchange, window_ms=window_ms, accept_quarantine=True)
    return Settings(accounts={"main": account}, **general)


def refusal(settings: Settings) -> str:
    with pytest.raises(SettingsError) as refused:
        load_accounts(settings, KEYS)
    return str(refused.value)


@pytest.mark.parametrize("exchange", [*GUARANTEES, "gate"])
def test_without_a_window_every_exchange_starts_with_its_own(exchange: str) -> None:
    settings = settings_of(exchange)
    assert load_accounts(settings, KEYS)
    assert windows_of(settings) == {}


def test_an_accounts_own_window_is_handed_on() -> None:
    settings = settings_of("kraken", 4_000, recv_window_ms=1_000)
    assert load_accounts(settings, KEYS)
    assert windows_of(settings) == {"main": 4_000}


@pytest.mark.parametrize(
    ("exchange", "window_ms", "takes"),
    [
        ("kraken", 2_000, "kraken takes 3000 to 60000 ms"),
        ("bybit", 6_000, "bybit takes 1 to 5000 ms"),
        ("okx", 30_001, "okx takes 1 to 30000 ms"),
    ],
)
def test_a_window_that_the_exchange_does_not_take_is_refused_at_start(
    exchange: str, window_ms: int, takes: str
) -> None:
    own = refusal(settings_of(exchange, window_ms))
    assert own == f"accounts.main.window_ms: {window_ms} is not possible, because {takes}"
    general = refusal(settings_of(exchange, recv_window_ms=window_ms))
    assert general == (
        f"recv_window_ms: {window_ms} is not possible for account main, because {takes}; "
        "set accounts.main.window_ms"
    )


@pytest.mark.parametrize("exchange", ["coinbase", "upbit", "gate"])
def test_a_window_where_no_request_is_refused_for_being_late_has_no_meaning(exchange: str) -> None:
    assert refusal(settings_of(exchange, 2_000)) == (
        f"accounts.main.window_ms: 2000 has no meaning, because {exchange} refuses no request for "
        "being late"
    )
    assert load_accounts(settings_of(exchange, recv_window_ms=2_000), KEYS)


@pytest.mark.parametrize("window_ms", [0, 99, 60_001, "soon"])
def test_a_window_out_of_all_bounds_is_refused_by_its_name(window_ms: Any) -> None:
    with pytest.raises(ValueError, match="window_ms"):
        AccountSettings(exchange="binance", window_ms=window_ms)
