"""A connection of its own for every thread and account; the markets are loaded once for all."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import ccxt

from execution.accounts import Account
from execution.api.binance_api import BinanceExchange, binance_client
from execution.api.ccxt_exchange import CcxtExchange
from execution.api.failures import without_signature
from execution.contracts import CONTRACTS, UnsupportedExchange
from execution.order_manager import UnknownAccount
from execution.ports import Clock, Exchange, ExchangeUnavailable

MARKETS_AGE_MAX_S = 3_600

_CLIENTS: dict[str, Callable[[Account], Any]] = {
    "binance": lambda a: binance_client(a.api_key, a.api_secret, a.base_url, a.timeout_s),
}
_EXCHANGES: dict[str, type[CcxtExchange]] = {"binance": BinanceExchange}


class Connections:
    """Hands each thread its own Exchange for an account; ccxt's objects are not thread-safe.

    Raises UnsupportedExchange at once if an account names an exchange without a contract.
    """

    def __init__(self, accounts: Mapping[str, Account], clock: Clock) -> None:
        for account in accounts.values():
            if account.exchange not in CONTRACTS:
                known = ", ".join(sorted(CONTRACTS))
                raise UnsupportedExchange(
                    f"accounts.{account.name}.exchange: there is no contract for "
                    f"{account.exchange!r}, so no order there could be placed exactly once; "
                    f"known are: {known}"
                )
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
            client = _CLIENTS[account.exchange](account)
            client.set_markets_from_exchange(source)
            contract = CONTRACTS[account.exchange]
            mine[name] = (source, _EXCHANGES[account.exchange](client, contract, self._clock))
        return mine[name][1]

    def _with_markets(self, account: Account) -> Any:
        """The client that loaded the account's markets, which all others share."""
        with self._lock:
            client, loaded_at = self._loaded.get(account.name, (None, 0.0))
            if client is not None and time.monotonic() - loaded_at < MARKETS_AGE_MAX_S:
                return client
            fresh = _CLIENTS[account.exchange](account)
            try:
                fresh.load_markets()
            except ccxt.BaseError as error:
                reason = without_signature(str(error))
                raise ExchangeUnavailable(f"{type(error).__name__}: {reason}") from error
            self._loaded[account.name] = (fresh, time.monotonic())
            return fresh
