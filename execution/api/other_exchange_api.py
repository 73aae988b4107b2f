"""The client and the adapter of each exchange other than Binance.

Every adapter implements ports.Exchange by the exchange's own rules: see the modules, and the
guarantees in execution.exchanges.profiles.
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
    """Access to one exchange: the constructor of an account's client, and the adapter."""

    client: Callable[[Account], Any]
    adapter: type[CcxtExchange]


ADAPTERS = {
    "bybit": Adapter(bybit_client, BybitExchange),
    "coinbase": Adapter(coinbase_client, CoinbaseExchange),
    "kraken": Adapter(kraken_client, KrakenExchange),
    "okx": Adapter(okx_client, OkxExchange),
    "upbit": Adapter(upbit_client, UpbitExchange),
}
# For unsupported exchanges, on accounts that accept quarantine.
GENERIC = Adapter(generic_client, GenericExchange)
