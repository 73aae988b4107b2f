"""The settings: a file, overridden by the environment, and no secret ever in the file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from oneorder.errors import SettingsError
from oneorder.settings import SignalSettings
from workers.configuration.settings import (
    AccountSettings,
    Settings,
    check_worker_accounts,
    load_accounts,
    load_settings,
)

Write = Callable[[str], Path]
KEYS = {
    "ONEORDER_BINANCE_MAIN_API_KEY": "the-key",
    "ONEORDER_BINANCE_MAIN_API_SECRET": "the-secret",
}
ACCOUNT = '[accounts.binance-main]\nexchange = "binance"\n'


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write the settings file of this test, the only one that is read; it is empty at first."""
    path = tmp_path / "settings.toml"
    path.touch()
    for name in ("REDIS_URL", "BROKER_URL", "RECV_WINDOW_MS", "ACCOUNTS", "LOG_LEVEL"):
        monkeypatch.delenv(f"ONEORDER_{name}", raising=False)
    monkeypatch.setenv("ONEORDER_CONFIG", str(path))

    def write(text: str) -> Path:
        path.write_text(text)
        return path

    return write


def refusal() -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_where_the_file_says_nothing_the_defaults_hold(write: Write) -> None:
    settings = load_settings()
    assert settings.redis_url == "redis://127.0.0.1:6379/0"
    assert settings.celery_broker_url == settings.redis_url
    assert settings.accounts == {}
    assert settings.recv_window_ms is None


def test_the_file_is_read(write: Write) -> None:
    write(
        'redis_url = "redis://there:1/2"\nbroker_url = "amqp://rabbit"\nrecv_window_ms = 2000\n'
        + ACCOUNT
        + 'base_url = "http://127.0.0.1:8801"\n'
    )
    settings = load_settings()
    assert settings.redis_url == "redis://there:1/2"
    assert settings.celery_broker_url == "amqp://rabbit"
    assert settings.recv_window_ms == 2_000
    account = settings.accounts["binance-main"]
    assert (account.exchange, account.base_url) == ("binance", "http://127.0.0.1:8801")


def test_the_environment_wins_over_the_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write('redis_url = "redis://file"\nrecv_window_ms = 2000\n')
    monkeypatch.setenv("ONEORDER_REDIS_URL", "redis://environment")
    monkeypatch.setenv("ONEORDER_RECV_WINDOW_MS", "3000")
    settings = load_settings()
    assert (settings.redis_url, settings.recv_window_ms) == ("redis://environment", 3_000)
    assert SignalSettings().redis_url == "redis://environment"


def test_a_producer_reads_the_same_file_and_ignores_what_is_not_for_it(write: Write) -> None:
    write('redis_url = "redis://file"\nrecv_window_ms = 2000\n' + ACCOUNT)
    assert SignalSettings().redis_url == "redis://file"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("recv_window_mss = 1\n", "unknown setting 'recv_window_mss'; did you mean"),
        (ACCOUNT + "exchnge = 1\n", "unknown setting 'accounts.binance-main.exchnge'; did"),
        ("recv_window_ms = 1\n", "recv_window_ms: 1 "),
        ("recv_window_ms = 60001\n", "recv_window_ms: 60001 "),
        ('recv_window_ms = "soon"\n', "recv_window_ms: 'soon' "),
        ("attempts_max = 0\n", "attempts_max: 0 "),
        ('log_level = "LOUD"\n', "log_level: 'LOUD' "),
        ("accounts = 3\n", "accounts: 3 "),
        ("[accounts.x]\n", "accounts.x.exchange: is required"),
        (ACCOUNT + "timeout_s = 60\n", "accounts.binance-main.timeout_s: 60 "),
    ],
)
def test_a_setting_that_is_misspelt_or_out_of_bounds_is_refused_by_name(
    text: str, named: str, write: Write
) -> None:
    path = write(text)
    sentence = refusal()
    assert sentence.startswith(named)
    assert sentence.endswith(f"({path})")


def test_a_file_that_is_not_toml_is_refused(write: Write) -> None:
    path = write("redis_url = [\n")
    assert refusal().startswith(f"{path}: ")


@pytest.mark.parametrize("field", ["api_key", "api_secret", "api_password"])
def test_a_key_in_the_file_is_refused(field: str, write: Write) -> None:
    write(ACCOUNT + f'{field} = "hunter2"\n')
    assert refusal().startswith(f"accounts.binance-main.{field}: ")


def account_settings(**fields: Any) -> Settings:
    return Settings(accounts={"binance-main": AccountSettings(exchange="binance", **fields)})


def test_keys_come_from_the_environment(write: Write) -> None:
    environment = {**KEYS, "ONEORDER_BINANCE_MAIN_API_PASSWORD": "the-password"}
    account = load_accounts(account_settings(timeout_s=3), environment)["binance-main"]
    assert (account.api_key, account.api_secret) == ("the-key", "the-secret")
    assert account.api_password == "the-password"
    assert (account.name, account.exchange, account.timeout_s) == ("binance-main", "binance", 3)


def test_keys_come_from_files_that_the_environment_names(write: Write, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from-a-file\n")
    environment = {
        "ONEORDER_BINANCE_MAIN_API_KEY": "the-key",
        "ONEORDER_BINANCE_MAIN_API_SECRET_FILE": str(secret),
    }
    account = load_accounts(account_settings(), environment)["binance-main"]
    assert account.api_secret == "from-a-file"


@pytest.mark.parametrize("missing", KEYS)
def test_a_key_that_is_not_set_is_asked_for_by_its_variable(missing: str, write: Write) -> None:
    environment = {name: value for name, value in KEYS.items() if name != missing}
    with pytest.raises(SettingsError) as refused:
        load_accounts(account_settings(), environment)
    assert str(refused.value) == f"accounts.binance-main: set {missing}, or {missing}_FILE"


def test_a_key_file_that_cannot_be_read_is_refused(write: Write, tmp_path: Path) -> None:
    environment = {**KEYS, "ONEORDER_BINANCE_MAIN_API_KEY_FILE": str(tmp_path / "nothing")}
    with pytest.raises(SettingsError, match="API_KEY_FILE: the file cannot be read: No such"):
        load_accounts(account_settings(), environment)


def test_no_secret_shows_in_a_repr(write: Write) -> None:
    accounts = load_accounts(account_settings(), KEYS)
    assert "the-key" not in repr(accounts)
    assert "the-secret" not in repr(accounts)
    assert "dsn-secret" not in repr(Settings(sentry_dsn="https://dsn-secret@sentry"))


def test_a_settings_file_that_we_write_is_read_back(write: Write) -> None:
    wanted = {
        "redis_url": "redis://127.0.0.1:1/0",
        "recv_window_ms": 1_500,
        "accounts": {"a": {"exchange": "binance", "base_url": "http://127.0.0.1:2"}},
    }
    write(tomli_w.dumps(wanted))
    settings = load_settings()
    assert settings.recv_window_ms == 1_500
    assert settings.accounts["a"].base_url == "http://127.0.0.1:2"


def test_a_key_in_the_settings_file_is_refused_without_being_repeated(write: Write) -> None:
    write('[accounts.a]\nexchange = "binance"\napi_secret = "hunter2"\n')
    assert "hunter2" not in refusal()


def test_two_accounts_never_share_the_variables_of_their_keys(write: Write) -> None:
    accounts = {name: AccountSettings(exchange="binance") for name in ("main-1", "main_1")}
    keys = {"ONEORDER_MAIN_1_API_KEY": "k", "ONEORDER_MAIN_1_API_SECRET": "s"}
    with pytest.raises(SettingsError, match="main_1"):
        load_accounts(Settings(accounts=accounts), keys)


def test_a_settings_file_that_was_named_and_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEORDER_CONFIG", str(tmp_path / "oneorder.tolm"))
    assert "oneorder.tolm" in refusal()


def test_a_worker_needs_an_account_from_the_file_or_the_environment(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("")
    with pytest.raises(SettingsError) as refused:
        check_worker_accounts(load_settings())
    assert str(refused.value) == (
        f"accounts: none is configured, and a worker needs at least one ({path}, or "
        "ONEORDER_ACCOUNTS)"
    )
    monkeypatch.setenv("ONEORDER_ACCOUNTS", '{"binance-main": {"exchange": "binance"}}')
    check_worker_accounts(load_settings())
    monkeypatch.delenv("ONEORDER_ACCOUNTS")
    write(ACCOUNT)
    check_worker_accounts(load_settings())


def test_limits_are_a_table_of_their_own(write: Write) -> None:
    write("")
    assert load_settings().limits.signal_max_age_s == 60
    write("[limits]\nsignal_max_age_s = 0\n")
    assert load_settings().limits.signal_max_age_s == 0
    write("[limits]\nsignal_max_age_s = -1\n")
    with pytest.raises(SettingsError, match=r"^limits.signal_max_age_s: -1 "):
        load_settings()


def test_the_name_of_an_exchange_is_not_repeated_at_any_length(write: Write) -> None:
    write(f'[accounts.binance-main]\nexchange = "{"a" * 5_000}"\n')
    sentence = refusal()
    assert sentence.startswith("accounts.binance-main.exchange: 'aaa")
    assert "at most 64 characters" in sentence
    assert len(sentence) < 300


def test_an_address_in_the_place_of_an_exchange_is_refused_without_its_password(
    write: Write,
) -> None:
    write('[accounts.binance-main]\nexchange = "redis://user:hidden-word@host:6379/0"\n')
    sentence = refusal()
    assert sentence.startswith("accounts.binance-main.exchange: ")
    assert "hidden-word" not in sentence
