"""All settings: oneorder.toml, overridden by ONEORDER_* in the environment.

Secrets come from the environment only, or from files that it names; a key in the file is refused.
"""

import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsConfigDict

from execution.exchanges.account import Account
from execution.exchanges.registry import GUARANTEES
from execution.reconciliation.run import DriftPolicy
from execution.text.redaction import redact, register_url
from oneorder.addresses import check_base_url
from oneorder.errors import SettingsError
from oneorder.settings import SignalSettings, config_path
from workers.configuration.errors import unknown_setting, variable_part, wrong_variable
from workers.configuration.keys import read_key

AccountName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]

Symbol = Annotated[str, StringConstraints(pattern=r"^[^\s/:]+/[^\s/:]+$")]


class AccountSettings(BaseModel):
    """One [accounts.NAME] table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exchange: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^/@:]+$")]
    """A ccxt id."""
    base_url: Annotated[str, AfterValidator(check_base_url)] | None = Field(
        default=None, repr=False
    )
    """Where the exchange is, if not at its own address: a paper exchange, a proxy, a test
    network (`http://` or `https://`)."""
    timeout_s: int = Field(default=10, ge=1, le=15)
    """Of one whole request, from the name lookup to the end of the body."""
    window_ms: int | None = Field(default=None, ge=100, le=60_000)
    """How long the exchange may accept a request after its time stamp, instead of
    `recv_window_ms`; none at Coinbase and Upbit."""
    accept_quarantine: bool = False
    """Allow an exchange where the outcome of some requests cannot be determined."""
    drift_policy: DriftPolicy | None = None
    """The account's own, instead of the general one."""


class CollectorSettings(BaseModel):
    """The [collector] table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    symbols: tuple[Symbol, ...] = ()
    """Whose order books are collected; required by `oneorder collect` and `oneorder scan`."""
    depth: int = Field(default=20, ge=1, le=1_000)
    """Levels a side."""
    accounts: tuple[str, ...] | None = None
    """Whose exchanges are collected from; all accounts if it is left out."""
    ttl_s: int = Field(default=15, ge=3, le=300)
    """A book that is not updated for this time expires."""


class ArbitrageSettings(BaseModel):
    """The [arbitrage] table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_profit_bps: Decimal = Field(default=Decimal(10), ge=0)
    """Least profit, of the buy notional, after both fees: of signals without their own, and of
    the scanner."""
    max_loss_bps: Decimal = Field(default=Decimal(50), ge=0)
    """What hedging unequal fills may cost, for signals without their own."""
    notional_max: Decimal = Field(default=Decimal("Infinity"), gt=0, allow_inf_nan=True)
    """The most of one arbitrage, in quote, at the buy leg's limit price."""
    leg_ttl_ms: int = Field(default=2_000, ge=100, le=60_000)
    """No attempt of a leg begins later than this after it was journaled."""
    patience_s: int = Field(default=60, ge=1, le=3_600)
    """How long to wait for prices at which the excess can be hedged."""
    book_age_max_ms: int = Field(default=2_000, ge=50, le=60_000)
    """Older books do not count in a scan."""
    cooldown_s: int = Field(default=10, ge=0, le=86_400)
    """The same route is not published again for this time."""
    publish: bool = False
    """Let `oneorder scan --watch` publish what is profitable."""


class LimitSettings(BaseModel):
    """The [limits] table: what orders are refused for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    signal_max_age_s: int = Field(default=60, ge=0, le=604_800)
    """How long after its publication a market order may be sent, first or again; 0 for any
    time. A signal that came as a bare Celery message counts from when a worker read it."""


class Settings(SignalSettings):
    """The settings of workers, beat and the command line."""

    model_config = SettingsConfigDict(env_prefix="ONEORDER_", extra="forbid", frozen=True)

    accounts: dict[AccountName, AccountSettings] = Field(default={})
    """The tables `[accounts.NAME]`; a worker needs at least one."""
    recv_window_ms: int | None = Field(default=None, ge=100, le=60_000)
    """How long an exchange may accept a request after its time stamp, on accounts without a
    `window_ms`; 2000 for Binance and 5000 elsewhere if it is left out."""
    attempts_max: int = Field(default=20, ge=1, le=1_000)
    """Attempts that provably did not arrive before the order is refused."""
    signal_wait_max_s: int = Field(default=300, ge=1, le=86_400)
    """How long a signal waits for a worker that knows its account and reads its version before
    it is refused."""
    worker_threads: int = Field(default=8, ge=1, le=256)
    """Threads of a worker. With several accounts, at most half of them work for one of them at
    a time."""
    stuck_after_s: int = Field(default=60, ge=5, le=3_600)
    """A worker that takes no message for this time, although some wait and it has free threads,
    ends itself."""
    sweep_every_s: int = Field(default=1, ge=1, le=60)
    """How often due orders, and intents that no worker took, are processed."""
    mark_every_s: int = Field(default=5, ge=1, le=3_600)
    """How often holdings are priced."""
    snapshot_every_s: int = Field(default=60, ge=1, le=86_400)
    """How often the equity series gets a point."""
    archive_every_s: int = Field(default=5, ge=1, le=3_600)
    """How often the ledger is brought up to date."""
    ledger_url: str = Field(default="sqlite:///oneorder-ledger.db", repr=False)
    """The database of history. The path of an SQLite file is relative to the settings file;
    `postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE` needs the extra `postgres`."""
    keep_settled_s: int = Field(default=86_400, ge=60, le=31_536_000)
    """How long a settled order stays in Redis once the ledger has it."""
    remember_days: int = Field(default=30, ge=1, le=3_650)
    """How long its id is known after that; a signal that is repeated later is a new one."""
    drift_policy: DriftPolicy = DriftPolicy.REPORT
    """What happens when trades or balances at the exchange do not come from oneorder."""
    reconcile_every_s: int = Field(default=5, ge=1, le=3_600)
    """How often each account is reconciled with its exchange."""
    log_level: str = Field(default="INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")
    """Of oneorder's own log lines."""
    collector: CollectorSettings = CollectorSettings()
    arbitrage: ArbitrageSettings = ArbitrageSettings()
    limits: LimitSettings = LimitSettings()
    sentry_dsn: str | None = Field(default=None, repr=False)
    """Where errors are reported."""

    @classmethod
    def _fault(cls, error: ErrorDetails) -> str:
        is_unknown = error["type"] == "extra_forbidden"
        return unknown_setting(error, cls) if is_unknown else super()._fault(error)


def load_settings() -> Settings:
    """Read the settings, and redact their passwords in every text from now on. Raises
    SettingsError."""
    wrong = wrong_variable(os.environ, Settings)
    if wrong is not None:
        raise SettingsError(redact(wrong))
    try:
        settings = Settings()
    except SettingsError as error:
        raise SettingsError(redact(str(error))) from None
    for url in (settings.redis_url, settings.broker_url, settings.ledger_url, settings.sentry_dsn):
        register_url(url)
    return settings


def load_accounts(settings: Settings, environment: Mapping[str, str]) -> dict[str, Account]:
    """Join each account with its keys from the environment. Raises SettingsError."""
    names: dict[str, str] = {}
    for name in settings.accounts:
        other = names.setdefault(variable_part(name), name)
        if other != name:
            raise SettingsError(f"accounts.{name}: its keys would be those of {other!r}, too")
        _check_window(settings, name)
        for field in ("API_KEY", "API_SECRET"):
            variable = f"ONEORDER_{variable_part(name)}_{field}"
            if not read_key(variable, environment):
                raise SettingsError(f"accounts.{name}: set {variable}, or {variable}_FILE")
    return {
        name: Account(
            name=name,
            exchange=account.exchange,
            base_url=account.base_url,
            timeout_s=account.timeout_s,
            accept_quarantine=account.accept_quarantine,
            **{
                field: read_key(f"ONEORDER_{variable_part(name)}_{field.upper()}", environment)
                for field in ("api_key", "api_secret", "api_password")
            },
        )
        for name, account in settings.accounts.items()
    }


def _check_window(settings: Settings, name: str) -> None:
    """Raise SettingsError for a window that the account's exchange does not accept."""
    account = settings.accounts[name]
    guarantees = GUARANTEES.get(account.exchange)
    own, general = account.window_ms, settings.recv_window_ms
    if guarantees is None or not guarantees.is_fenced:
        if own is not None:
            raise SettingsError(
                f"accounts.{name}.window_ms: {own} has no meaning, because {account.exchange} "
                "refuses no request for being late"
            )
        return
    takes = f"{account.exchange} takes {guarantees.window_min_ms} to {guarantees.window_max_ms} ms"
    if own is not None and guarantees.within_window(own) != own:
        raise SettingsError(f"accounts.{name}.window_ms: {own} is not possible, because {takes}")
    if own is None and general is not None and guarantees.within_window(general) != general:
        raise SettingsError(
            f"recv_window_ms: {general} is not possible for account {name}, because {takes}; "
            f"set accounts.{name}.window_ms"
        )


def windows_of(settings: Settings) -> dict[str, int]:
    """The windows of those accounts that have their own, in ms."""
    own = {name: account.window_ms for name, account in settings.accounts.items()}
    return {name: window_ms for name, window_ms in own.items() if window_ms is not None}


def ledger_url_of(settings: Settings) -> str:
    """The URL of the ledger; a SQLite file without a folder is in the settings file's folder, so
    that every process finds the same one."""
    prefix = "sqlite:///"
    path = settings.ledger_url.removeprefix(prefix)
    if path == settings.ledger_url or path.startswith(("/", ":")) or not path:
        return settings.ledger_url
    return f"{prefix}{config_path().resolve().parent / path}"


def drift_policy_of(settings: Settings, account: str) -> DriftPolicy:
    """The drift policy of the account: its own, or else the general one."""
    own = settings.accounts[account].drift_policy if account in settings.accounts else None
    return own or settings.drift_policy


def check_worker_accounts(settings: Settings) -> None:
    """Raise SettingsError for settings with which a worker could only refuse what others accept."""
    if not settings.accounts:
        raise SettingsError(
            f"accounts: none is configured, and a worker needs at least one ({config_path()}, or "
            "ONEORDER_ACCOUNTS)"
        )
