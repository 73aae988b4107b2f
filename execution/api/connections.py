"""A connection of its own for every thread and account; the markets are loaded once for all."""

import threading
import time
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import ccxt

from execution.accounts import Account
from execution.api.binance_api import BinanceExchange, binance_client
from execution.api.ccxt_exchange import UNREADABLE, CcxtExchange
from execution.api.failures import without_signature
from execution.api.generic_api import is_known
from execution.api.other_exchange_api import ANY_OTHER, DOORS, Door
from execution.contracts import CONTRACTS, UnsupportedExchange, without_contract
from execution.order_manager import UnknownAccount
from execution.ports import Clock, Exchange, ExchangeUnavailable

MARKETS_AGE_MAX_S = 3_600

_BINANCE = Door(
    lambda a: binance_client(a.api_key, a.api_secret, a.base_url, a.timeout_s), BinanceExchange
)


def _door_of(account: Account) -> Door:
    doors = {"binance": _BINANCE, **DOORS}
    return doors.get(account.exchange, ANY_OTHER)


def check_account(account: Account) -> None:
    """Raise UnsupportedExchange unless orders on the account can be seen through, or a person has
    said to settle those that cannot."""
    if account.exchange in CONTRACTS:
        return
    field = f"accounts.{account.name}.exchange"
    if not account.accept_quarantine:
        known = ", ".join(sorted(CONTRACTS))
        hint = (
            "with accept_quarantine = true the account is taken all the same, and each order whose "
            "outcome stays unknown waits for manual settlement"
            if account.exchange in ccxt.exchanges
            else "ccxt does not know it either"
        )
        raise UnsupportedExchange(
            f"{field}: {account.exchange!r} is not supported (supported: {known})"
            f"{_near(account.exchange)}; {hint}"
        )
    if not is_known(account.exchange):
        raise UnsupportedExchange(
            f"{field}: {account.exchange!r} is no spot exchange of ccxt's with fixed steps"
            f"{_near(account.exchange)}"
        )


def _near(exchange: str) -> str:
    found = get_close_matches(exchange.lower(), ccxt.exchanges, n=3, cutoff=0.75)
    names = " or ".join(repr(name) for name in found if name != exchange)
    return f"; did you mean {names}?" if names and exchange not in ccxt.exchanges else ""


class Connections:
    """Hands each thread its own Exchange for an account; ccxt's objects are not thread-safe.

    Raises UnsupportedExchange at once if an account names an exchange without a contract, and does
    not accept quarantine.
    """

    def __init__(self, accounts: Mapping[str, Account], clock: Clock) -> None:
        for account in accounts.values():
            check_account(account)
        self._accounts = accounts
        self._clock = clock
        self._own = threading.local()
        self._lock = threading.Lock()
        self._loaded: dict[str, tuple[Any, float]] = {}

    def exchange(self, name: str) -> Exchange:
        """Raises UnknownAccount, and ExchangeUnavailable where the markets cannot be loaded."""
        account = self._accounts.get(name)
        if account is None:
            raise UnknownAccount(f"{name!r} is not configured")
        source = self._with_markets(account)
        mine: dict[str, tuple[Any, CcxtExchange]] = self._own.__dict__
        if name not in mine or mine[name][0] is not source:
            client = _door_of(account).client(account)
            client.set_markets_from_exchange(source)
            client.options["timeDifference"] = source.options["timeDifference"]
            mine[name] = (source, self._adapter(account, client))
        return mine[name][1]

    def _adapter(self, account: Account, client: Any) -> CcxtExchange:
        contract = CONTRACTS.get(account.exchange) or without_contract(account.exchange)
        return _door_of(account).adapter(client, contract, self._clock)

    def _with_markets(self, account: Account) -> Any:
        """The client that loaded the account's markets, which all others share."""
        with self._lock:
            client, loaded_at = self._loaded.get(account.name, (None, 0.0))
            if client is not None and time.monotonic() - loaded_at < MARKETS_AGE_MAX_S:
                return client
            fresh = _door_of(account).client(account)
            try:
                fresh.load_markets()
            except (ccxt.BaseError, *UNREADABLE) as error:
                reason = without_signature(str(error))
                raise ExchangeUnavailable(f"{type(error).__name__}: {reason}") from error
            # Questions are signed with our clock put right; attempts carry their own stamp.
            offset = self._adapter(account, fresh).measure_clock()
            fresh.options["timeDifference"] = -offset.offset_ms
            self._loaded[account.name] = (fresh, time.monotonic())
            return fresh
