"""A separate connection for every thread and account; the markets are loaded once for all."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import ccxt

from execution.api.accounts.account_services import AccountServices, addresses_of_client
from execution.api.accounts.circuit import Circuit
from execution.api.accounts.market_cache import MarketCache
from execution.api.binance_api import BinanceExchange, StrictBinance
from execution.api.generic_api import is_known
from execution.api.http.line import Line
from execution.api.http.transport import strict_client
from execution.api.other_exchange_api import ADAPTERS, GENERIC, Adapter
from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.api.wire.wire_check import check_wire
from execution.exchanges.account import Account
from execution.exchanges.address_holds import AddressHolds
from execution.exchanges.clocks import ExchangeClocks
from execution.exchanges.registry import GUARANTEES, without_guarantees
from execution.model.clock import Clock, steady_ms
from execution.model.errors import UnknownAccount, UnsupportedExchange
from execution.text.cutting import did_you_mean

PROBE_TIMEOUT_MS = 2_000
FULL_PROBE_EACH = 10
BINANCE_ADAPTER = Adapter(partial(strict_client, StrictBinance), BinanceExchange)


def _adapter_of(account: Account) -> Adapter:
    adapters = {"binance": BINANCE_ADAPTER, **ADAPTERS}
    return adapters.get(account.exchange, GENERIC)


def addresses_of(account: Account) -> list[str]:
    """Every scheme, host and port to which requests of the account may go, sorted."""
    return addresses_of_client(_adapter_of(account).client(account))


def check_account(account: Account) -> None:
    """Raise UnsupportedExchange unless the outcome of every order on the account can be determined,
    or the account accepts that some need manual settlement."""
    if account.exchange in GUARANTEES:
        return
    field = f"accounts.{account.name}.exchange"
    if not account.accept_quarantine:
        known = ", ".join(sorted(GUARANTEES))
        hint = (
            "with accept_quarantine = true the account is accepted, and each order whose "
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
    check_wire(account)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the threads of a process share for one account."""

    account: Account
    circuit: Circuit
    markets: MarketCache


def _near(exchange: str) -> str:
    names = () if exchange in ccxt.exchanges else ccxt.exchanges
    return did_you_mean(exchange.lower(), names, names_max=3)


class Connections:
    """Hands each thread its own Exchange for an account; ccxt's objects are not thread-safe.

    Raises UnsupportedExchange at once if an account names an unsupported exchange, and does not
    accept quarantine.
    """

    def __init__(
        self,
        accounts: Mapping[str, Account],
        clock: Clock,
        clocks: ExchangeClocks,
        holds: AddressHolds,
        steady_ms: Callable[[], int] = steady_ms,
    ) -> None:
        for account in accounts.values():
            check_account(account)
        self._clock = clock
        self._clocks = clocks
        self._holds = holds
        self._steady_ms = steady_ms
        self._own = threading.local()
        self._probes: Counter[str] = Counter()
        self._shared = {name: self._shared_of(account) for name, account in accounts.items()}

    def exchange(self, name: str) -> CcxtExchange:
        """Raises UnknownAccount, and ExchangeUnavailable if the exchange is unreachable, requested
        a pause, or its markets cannot be loaded."""
        shared = self._shared.get(name)
        if shared is None:
            raise UnknownAccount(f"{name!r} is not configured")
        mine: dict[str, CcxtExchange] = self._own.__dict__
        if name in mine:
            self._holds.check(mine[name].address, read_shared=False)
        shared.circuit.admit()
        source = shared.markets.client()
        if name not in mine:
            mine[name] = self._adapter(shared, _adapter_of(shared.account).client(shared.account))
        mine[name].use_markets_of(source)
        return mine[name]

    def probe(self, name: str) -> None:
        """Request the time of the account's exchange, to test whether it answers at all. Raises
        ExchangeUnavailable.

        Most requests have a short timeout: the kernel retransmits lost packets ever less often, so
        a new request detects earlier that the exchange is back. Every tenth has the full timeout,
        in case the exchange has become slow.
        """
        exchange = self.exchange(name)
        client = self._own.__dict__[name].client
        full_ms = client.timeout
        self._probes[name] += 1
        if self._probes[name] % FULL_PROBE_EACH:
            client.timeout = min(PROBE_TIMEOUT_MS, full_ms)
        try:
            exchange.measure_clock()
        finally:
            client.timeout = full_ms

    def circuit(self, name: str) -> Circuit:
        """Whether the account's exchange answers this process."""
        return self._shared[name].circuit

    def unreachable(self) -> tuple[str, ...]:
        """The accounts whose exchange does not answer this process, sorted."""
        return tuple(sorted(n for n, shared in self._shared.items() if shared.circuit.is_open))

    def note_reachable_elsewhere(self, names: Collection[str]) -> None:
        """Record that other processes can reach these accounts, and no others, as far as is
        known."""
        for name, shared in self._shared.items():
            shared.circuit.is_reachable_elsewhere = name in names

    def _shared_of(self, account: Account) -> _Shared:
        """What all threads share for an account."""
        probe_ms = (account.timeout_s + 1) * 1_000
        circuit = Circuit(account.name, probe_ms, self._clock, self._steady_ms)

        def load() -> Any:
            client = _adapter_of(account).client(account)
            likely_ms = partial(self._clocks.likely_now_ms, account.name)
            client.line = Line(account.name, circuit, self._holds, likely_ms, likely_ms)
            client.load_markets()
            return client

        markets = MarketCache(account.name, load, circuit, self._clock, self._steady_ms)
        return _Shared(account, circuit, markets)

    def _adapter(self, shared: _Shared, client: Any) -> CcxtExchange:
        name = shared.account.name
        exchange = shared.account.exchange
        guarantees = GUARANTEES.get(exchange) or without_guarantees(exchange)
        services = AccountServices(
            clock_refused=partial(self._clocks.doubt, name),
            markets_since=shared.markets.client_since,
        )
        adapter = _adapter_of(shared.account).adapter(client, guarantees, self._clock, services)
        client.line = Line(
            name,
            shared.circuit,
            self._holds,
            exchange_ms=partial(self._clocks.now_ms, name, adapter),
            likely_ms=partial(self._clocks.likely_now_ms, name),
        )
        return adapter
