"""The exchanges besides Binance: which client and which adapter belong to each.

Every one of them fulfills ports.Exchange, each by its own rules: see the modules, and the contract
of each in execution.exchanges.guarantees.
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
    """How one exchange is reached: what makes a client for an account, and the adapter for it."""

    client: Callable[[Account], Any]
    adapter: type[CcxtExchange]


ADAPTERS = {
    "bybit": Adapter(partial(strict_client, StrictBybit), BybitExchange),
    "coinbase": Adapter(partial(strict_client, StrictCoinbase), CoinbaseExchange),
    "kraken": Adapter(partial(strict_client, StrictKraken), KrakenExchange),
    "okx": Adapter(partial(strict_client, StrictOkx), OkxExchange),
    "upbit": Adapter(partial(strict_client, StrictUpbit), UpbitExchange),
}
# For exchanges without a contract, on accounts that accept quarantine.
GENERIC = Adapter(generic_client, GenericExchange)
