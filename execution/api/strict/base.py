"""The base of an adapter: its client, its account and its markets."""

from typing import Any

from execution.api.accounts.account_services import ALONE, AccountServices, placement_address
from execution.api.strict.parse import market_of
from execution.exchanges.guarantees import ExchangeGuarantees
from execution.model.clock import Clock
from execution.model.trading_rules import Market


class ExchangeBase:
    """`client` is a strict ccxt client with its markets; `account` is shared with the account's
    other adapters. See ports.Exchange for the meaning."""

    def __init__(
        self,
        client: Any,
        guarantees: ExchangeGuarantees,
        clock: Clock,
        account: AccountServices = ALONE,
    ) -> None:
        self.client = client
        self._guarantees = guarantees
        self._clock = clock
        self._account = account
        self._markets: dict[str, Market] = {}
        self._markets_of: Any = None

    @property
    def guarantees(self) -> ExchangeGuarantees:
        return self._guarantees

    @property
    def address(self) -> str:
        return placement_address(self.client)

    def use_markets_of(self, source: Any) -> None:
        """Use the markets that another client has loaded."""
        if source is not self._markets_of:
            self.client.set_markets_from_exchange(source)
            self._markets.clear()
            self._markets_of = source

    def market(self, symbol: str, since_ms: int | None = None) -> Market | None:
        if since_ms is not None and self._account.markets_since is not None:
            self.use_markets_of(self._account.markets_since(since_ms))
        if symbol not in self._markets:
            unified = self.client.markets.get(symbol)
            if unified is None or not unified["spot"] or not unified["active"]:
                return None
            self._markets[symbol] = self._rules(market_of(unified))
        return self._markets[symbol]

    def _rules(self, market: Market) -> Market:
        """The market's rules, including those that ccxt does not know."""
        return market

    def symbols(self) -> list[str]:
        listed = self.client.markets.items()
        return sorted(s for s, unified in listed if unified["spot"] and unified["active"])
