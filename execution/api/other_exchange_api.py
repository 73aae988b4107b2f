"""The exchanges besides Binance: which client and which adapter belong to each.

Every one of them fulfills ports.Exchange, each by its own rules: see the modules, and the contract
of each in execution.exchanges.guarantees.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from execution.api.bybit_api import BybitExchange, bybit_client
from execution.api.coinbase_api import CoinbaseExchange, coinbase_client
from execution.api.generic_api import GenericExchange, generic_client
from execution.api.kraken_api import KrakenExchange, kraken_client
from execution.api.okx_api import OkxExchange, okx_client
from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.api.upbit_api import UpbitExchange, upbit_client
from execution.exchanges.account import Account


@dataclass(frozen=True, slots=True)
class Adapter:
    """How one exchange is reached: what makes a client for an account, and the adapter for it."""

    client: Callable[[Account], Any]
    adapter: type[CcxtExchange]


ADAPTERS = {
    "bybit": Adapter(bybit_client, BybitExchange),
    "coinbase": Adapter(coinbase_client, CoinbaseExchange),
    "kraken": Adapter(kraken_client, KrakenExchange),
    "okx": Adapter(okx_client, OkxExchange),
    "upbit": Adapter(upbit_client, UpbitExchange),
}
# For exchanges without a contract, on accounts that accept quarantine.
GENERIC = Adapter(generic_client, GenericExchange)
