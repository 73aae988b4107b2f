"""What is said at start of settings and keys that no order could be placed with."""

from collections.abc import Callable
from pathlib import Path

import pytest

from execution.model.errors import UnsupportedExchange
from oneorder.errors import SettingsError
from workers.configuration.settings import AccountSettings, Settings, load_settings
from workers.configuration.start_check import checked_accounts
from workers.messaging.flower_guard import auth_fault

KEY, SECRET, PASSPHRASE = (f"ONEORDER_MAIN_API_{name}" for name in ("KEY", "SECRET", "PASSWORD"))
KEYS = {KEY: "the-key", SECRET: "the-secret"}
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQ==\n-----END EC PRIVATE KEY-----\n"
Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write the only settings file that is read."""
    path = tmp_path / "oneorder.toml"
    monkeypatch.setenv("ONEORDER_CONFIG", str(path))

    def write(content: str | bytes) -> Path:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    write("")
    return write


def settings(exchange: str = "binance", *, accept_quarantine: bool = False) -> Settings:
    account = AccountSettings(exchange=exchange, accept_quarantine=accept_quarantine)
    return Settings(accounts={"main": account})


def refusal(environment: dict[str, str], wanted: Settings) -> str:
    with pytest.raises((SettingsError, UnsupportedExchange)) as refused:
        checked_accounts(wanted, environment)
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert "the-key" not in sentence
    return sentence


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("the-key ", "has a blank in it"),
        (" the-key", "has a blank in it"),
        ("the key-the-key", "has a blank in it"),
        ("the-key\t", "has a blank in it"),
        ("the-key\u00a0", "has a blank in it"),
        ("the-key\r", "has a line break in it"),
        ("the-key\n", "has a line break in it"),
        ("the-key\r\n", "has a line break in it"),
        ("the-key\0", "has a character that no key has"),
        ("the-kéy", "has a character that no key has"),
        ("the-key\udcff", "has a character that no key has"),
        ("the-key\x7f", "has a character that no key has"),
        ("\ufeffthe-key", "has a character that no key has"),
    ],
)
@pytest.mark.parametrize("variable", [KEY, SECRET, PASSPHRASE])
def test_a_key_that_cannot_be_sent_is_refused_by_its_variable_and_not_repeated(
    write: Write, variable: str, key: str, fault: str
) -> None:
    sentence = refusal({**KEYS, variable: key}, settings())
    assert sentence == f"{variable}: {fault}"


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_one_line_break_at_the_end_of_a_key_file_is_no_part_of_the_key(
    write: Write, tmp_path: Path, end: str
) -> None:
    file = tmp_path / "key"
    file.write_bytes(f"the-key{end}".encode())
    environment = {SECRET: "the-secret", f"{KEY}_FILE": str(file)}
    assert checked_accounts(settings(), environment)["main"].api_key == "the-key"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"the-key\n\n", "has a line break in it"),
        (b"the-key \n", "has a blank in it"),
        (b"the-key\nthe-secret\n", "has a line break in it"),
        (b"\xff\xfet\0h\0e\0", "is not a text file"),
    ],
)
def test_a_key_file_of_another_form_is_refused_by_its_name(
    write: Write, tmp_path: Path, content: bytes, fault: str
) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    sentence = refusal({SECRET: "the-secret", f"{KEY}_FILE": str(file)}, settings())
    assert sentence == f"{KEY}_FILE: the file {fault}"


def test_a_key_file_that_is_a_folder_is_refused(write: Write, tmp_path: Path) -> None:
    sentence = refusal({SECRET: "s", f"{KEY}_FILE": str(tmp_path)}, settings())
    assert "cannot be read: Is a directory" in sentence


@pytest.mark.parametrize("key", ["a-key-that-stands-where-a-file-is-meant", "x" * 300, "\ud800"])
def test_a_key_in_the_place_of_the_name_of_its_file_is_not_repeated(write: Write, key: str) -> None:
    sentence = refusal({SECRET: "s", f"{KEY}_FILE": key}, settings())
    assert sentence.startswith(f"{KEY}_FILE: the file cannot be read: ")
    assert key not in sentence


def test_a_private_key_keeps_its_lines_and_blanks(write: Write, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(PEM)
    for environment in ({KEY: "k", SECRET: PEM}, {KEY: "k", f"{SECRET}_FILE": str(file)}):
        account = checked_accounts(settings("coinbase"), environment)["main"]
        assert account.api_secret.strip() == PEM.strip()


def test_an_exchange_that_asks_for_a_passphrase_is_not_traded_on_without_one(write: Write) -> None:
    sentence = refusal(KEYS, settings("okx"))
    assert sentence == (
        f"accounts.main: okx asks for a passphrase, too: set {PASSPHRASE}, or {PASSPHRASE}_FILE"
    )
    account = checked_accounts(settings("okx"), {**KEYS, PASSPHRASE: "p"})["main"]
    assert account.api_password == "p"
    assert "passphrase" in refusal(KEYS, settings("kucoin", accept_quarantine=True))


def test_an_exchange_that_asks_for_what_there_is_no_setting_for_is_refused(write: Write) -> None:
    sentence = refusal(KEYS, settings("hyperliquid", accept_quarantine=True))
    assert "it needs privateKey and walletAddress, which an account cannot have" in sentence


@pytest.mark.parametrize("accept_quarantine", [False, True])
def test_a_misspelt_exchange_is_answered_with_the_name_that_was_meant(
    write: Write, accept_quarantine: bool
) -> None:
    wanted = settings("binanse", accept_quarantine=accept_quarantine)
    sentence = refusal(KEYS, wanted)
    assert sentence.startswith("accounts.main.exchange: 'binanse' is ")
    assert "did you mean 'binance'" in sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('redis_ulr = "redis://h"\n', "unknown setting 'redis_ulr'; did you mean 'redis_url'?"),
        ("[acounts.a]\n", "unknown setting 'acounts'; did you mean 'accounts'?"),
        (
            '[accounts.a]\nexchange = "binance"\ntimeout = 3\n',
            "unknown setting 'accounts.a.timeout'; did you mean 'timeout_s'?",
        ),
        ("[arbitrage]\nmin_profit = 1\n", "unknown setting 'arbitrage.min_profit'; did you mean"),
        ("zzz = 1\n", "unknown setting 'zzz' ("),
        ("[accounts.a]\n", "accounts.a.exchange: is required ("),
        ('[accounts.a]\nexchange = ""\n', "accounts.a.exchange: '' string should have"),
        ('[accounts."a b"]\nexchange = "binance"\n', "accounts.a b: 'a b' string should match"),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_what_was_likely_meant(
    write: Write, text: str, sentence: str
) -> None:
    path = write(text)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).startswith(sentence)
    assert str(refused.value).endswith(f"({path})")


@pytest.mark.parametrize(
    ("field", "address", "reason"),
    [
        ("redis_url", "", "is empty"),
        ("redis_url", "localhost:6379", "is not of the form redis://HOST:PORT/NUMBER"),
        ("redis_url", "http://localhost:6379", "is not of the form redis://HOST:PORT/NUMBER"),
        ("redis_url", "redis:localhost", "is not of the form redis://HOST:PORT/NUMBER"),
        ("redis_url", "redis://", "is not of the form redis://HOST:PORT/NUMBER"),
        ("redis_url", "redis://h:0/0", "is not of the form redis://HOST:PORT/NUMBER"),
        ("redis_url", "unix:///run/redis.sock", "a Unix socket is not supported"),
        ("redis_url", "redis+socket:///run/redis.sock", "a Unix socket is not supported"),
        ("redis_url", "redis://h:port/0", "its port is not a number"),
        ("redis_url", "redis://h:99999/0", "its port is not a number"),
        ("redis_url", "redis://h/zero", "its database is not a number"),
        ("redis_url", "redis://h/0/1", "its database is not a number"),
        ("redis_url", "redis://h?db=2", "its option 'db' is not"),
        ("redis_url", "redis://h/0?ssl_cert_reqs=none", "its option 'ssl_cert_reqs' is not"),
        ("redis_url", "redis://:hunter2#@h:6379/0", "has a '#' in it"),
        ("redis_url", "redis://:hunter2 @h:6379/0", "has a character that no URL has"),
        ("redis_url", "redis://:hunter2é@h:6379/0", "has a character that no URL has"),
        ("redis_url", "redis://[::1:6379/0", "is not a URL"),
        ("broker_url", "redis://h?db=2", "its option 'db' is not"),
        ("broker_url", "unix:///run/redis.sock", "does not begin with one of redis://"),
        ("broker_url", "sqs://:hunter2@", "does not begin with one of redis://"),
        ("broker_url", "sentinel://h:26379/0", "sentinel:// is not supported yet"),
        ("broker_url", "amqp://", "does not begin with one of redis://"),
        ("accounts.a.base_url", "127.0.0.1:8801", "is not of the form https://HOST:PORT"),
        ("accounts.a.base_url", "ws://127.0.0.1:8801", "is not of the form https://HOST:PORT"),
        ("accounts.a.base_url", "http://", "is not of the form https://HOST:PORT"),
        ("accounts.a.base_url", "http://h:port", "is not of the form https://HOST:PORT"),
        ("accounts.a.base_url", "http://h/?key=hunter2", "is not of the form https://HOST:PORT"),
        ("accounts.a.base_url", "http://u:hunter2@h /", "has a character that no URL has"),
    ],
)
def test_an_address_of_another_form_is_refused_without_being_repeated(
    write: Write, field: str, address: str, reason: str
) -> None:
    table, _, name = field.rpartition(".")
    head = f'[{table}]\nexchange = "binance"\n' if table else ""
    write(f'{head}{name} = "{address}"\n')
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).startswith(f"{field}: {reason}")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "redis://127.0.0.1:6379/0",
        "redis://user:p%23ss@redis.internal:6379/15",
        "redis://[::1]:6379",
        "rediss://h:6380/0?ssl_cert_reqs=required",
    ],
)
def test_an_address_that_redis_and_celery_read_alike_is_taken(write: Write, address: str) -> None:
    write(f'redis_url = "{address}"\n')
    assert load_settings().celery_broker_url == address


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("ONEORDER_REDIS_ULR", "x", "unknown variable 'ONEORDER_REDIS_ULR'; did you mean"),
        ("ONEORDER_CONFG", "x", "unknown variable 'ONEORDER_CONFG'; did you mean 'ONEORDER_CONFIG"),
        ("ONEORDER_ACCOUNTS", "{", "ONEORDER_ACCOUNTS: is not JSON"),
        ("ONEORDER_ARBITRAGE", "[]", "ONEORDER_ARBITRAGE: is not a JSON object"),
        ("ONEORDER_COLLECTOR", "[" * 100_000, "ONEORDER_COLLECTOR: is not JSON"),
        ("ONEORDER_RECV_WINDOW_MS", "soon", "recv_window_ms: 'soon' input should be"),
        ("ONEORDER_ARBITRAGE", '{"publsh": true}', "unknown setting 'arbitrage.publsh'"),
    ],
)
def test_a_variable_that_is_wrong_is_named(
    write: Write, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).startswith(sentence)
    assert variable in str(refused.value)


@pytest.mark.parametrize(
    "variable", ["ONEORDER_POSTGRES_PASSWORD", "ONEORDER_OTHER_MAIN_API_KEY", "ONEORDERS"]
)
def test_a_variable_of_something_else_is_let_be(
    write: Write, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "x")
    load_settings()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'log_level = "\xff"\n', "is not UTF-8 (byte 13)"),
        ("log_level = 'INFO'\n".encode("utf-16"), "is not UTF-8 (byte 0)"),
        (b"a = " + b"[" * 100_000, "is nested too deeply"),
        (b"a\0 = 1\n", ""),
    ],
)
def test_a_file_that_is_no_settings_file_is_one_sentence(
    write: Write, content: bytes, reason: str
) -> None:
    path = write(content)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).startswith(f"{path}: {reason}")
    assert "\n" not in str(refused.value)


def test_a_folder_in_the_place_of_the_settings_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "oneorder.toml").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ONEORDER_CONFIG", raising=False)
    with pytest.raises(SettingsError, match=r"^oneorder\.toml: is a folder, not a file"):
        load_settings()
    monkeypatch.setenv("ONEORDER_CONFIG", str(tmp_path))
    with pytest.raises(SettingsError, match="ONEORDER_CONFIG names a folder"):
        load_settings()


def test_a_link_to_a_settings_file_that_is_gone_does_not_mean_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "oneorder.toml").symlink_to(tmp_path / "gone.toml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ONEORDER_CONFIG", raising=False)
    with pytest.raises(SettingsError, match="cannot be read as a file"):
        load_settings()


@pytest.mark.parametrize("given", ["", "user", "user:", ":password", "a:b,", "a:b c"])
def test_flower_has_no_way_in_without_a_user_and_a_password(given: str) -> None:
    assert auth_fault({"FLOWER_BASIC_AUTH": given}) is not None
    assert auth_fault({"FLOWER_BASIC_AUTH": "user:password,other:password"}) is None
