"""All exchanges' kits, and the bench on which their adapters are tried."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from execution.api.binance_api import BinanceExchange, binance_client
from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.exchanges.registry import GUARANTEES
from tests.support.api.canned_server import CannedServer
from tests.support.api.fenced_kits import Bybit, Kraken, Okx
from tests.support.api.kit import DATA, Kit
from tests.support.api.unfenced_kits import Coinbase, Upbit
from tests.support.clock import FakeClock


class Binance(Kit):
    name = "binance"
    markets = "GET /api/v3/exchangeInfo"
    new_order = "POST /api/v3/order"

    def client(self, url: str) -> Any:
        return binance_client("the-key", self.secret, url)

    def exchange(self, url: str, markets_of: Any) -> CcxtExchange:
        client = self.client(url)
        client.set_markets_from_exchange(markets_of)
        return BinanceExchange(client, GUARANTEES[self.name], FakeClock())

    def at_start(self) -> dict[str, Any]:
        return {self.markets: (DATA / "exchange_info.json").read_text()}

    def refused(self, code: str, message: str) -> Any:
        return {"code": int(code), "msg": message}


KITS: dict[str, Kit] = {
    kit.name: kit for kit in (Binance(), Bybit(), Okx(), Kraken(), Coinbase(), Upbit())
}
OTHERS = [name for name in KITS if name != "binance"]
# What each exchange says no with, or what proves nothing: verdict, HTTP status, code and message.
# The codes are those that can answer a placement, from the pages that verdict_tables.py names.
REFUSALS: dict[str, list[list[Any]]] = json.loads((DATA / "refusals.json").read_text())


class Bench:
    """One server that stands in for every exchange, and a real adapter for each in front of it."""

    def __init__(self) -> None:
        self.server = CannedServer()
        self._adapters: dict[str, CcxtExchange] = {}

    def exchange(self, name: str, answers: Mapping[str, Any] = MappingProxyType({})) -> Any:
        """The adapter for an exchange that says nothing but `answers` from now on."""
        if name not in self._adapters:
            self._adapters[name] = self.another(name)
        self.server.reset(answers)
        return self._adapters[name]

    def another(self, name: str) -> Any:
        """A new adapter, with a client that has its markets from another one, as threads have."""
        kit = KITS[name]
        self.server.reset(kit.at_start())
        loaded = kit.client(self.server.url)
        loaded.load_markets()
        return kit.exchange(self.server.url, loaded)
