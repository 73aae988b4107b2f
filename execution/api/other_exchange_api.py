"""The client and the adapter of each exchange other than Binance.

Every adapter implements ports.Exchange by the exchange's own rules: see the modules, and the
guarantees in execution.exchanges.profiles.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from execution.api.bybit_api import BybitExchange, StrictBybit
from execution.api.coinbase_api import CoinbaseExchange, StrictCoinbase
from execution.api.generic_api import GenericExchange, generic_client
from execution.api.http.transport import strict_client
from execution.api.kraken_api import KrakenExchange, StrictKraken
from execution.api.okx_api import OkxExchange, StrictOkx
from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.api.upbit_api import StrictUpbit, UpbitExchange
from execution.exchanges.account import Account


@dataclass(frozen=True, slots=True)
class Adapter:
    """Access to one exchange: the constructor of an account's client, and the adapter."""

    client: Callable[[Account], Any]
    adapter: type[CcxtExchange]


ADAPTERS = {
    "bybit": Adapter(partial(strict_client, StrictBybit), BybitExchange),
    "coinbase": Adapter(partial(strict_client, StrictCoinbase), CoinbaseExchange),
    "kraken": Adapter(partial(strict_client, StrictKraken), KrakenExchange),
    "okx": Adapter(partial(strict_client, StrictOkx), OkxExchange),
    "upbit": Adapter(partial(strict_client, StrictUpbit), UpbitExchange),
}
# For unsupported exchanges, on accounts that accept quarantine.
GENERIC = Adapter(generic_client, GenericExchange)
