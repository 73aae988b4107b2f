"""Runs the scanner with books from the collector, and rules and balances from the exchanges."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from execution.api.connections import Connections
from execution.market_data.opportunities import Cooldown, Opportunity
from execution.market_data.scanner import ArbitrageScanner, Cap, LeftOut, ScanLimits, Spread
from execution.market_data.snapshots import BookKey, Books
from execution.model.clock import Clock
from execution.model.errors import ExchangeUnavailable
from execution.model.instrument import assets_of
from execution.model.trading_rules import Market
from oneorder import ArbitrageSignal, Publisher, publish_arbitrage
from oneorder.errors import SettingsError
from workers.configuration.settings import Settings

# A published opportunity expires after this time.
OPPORTUNITY_TTL = timedelta(seconds=2)
BALANCES_AGE_MAX_MS = 5_000


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of one scan: profitable opportunities, the spread of every pair, and what was left
    out."""

    opportunities: list[Opportunity]
    spreads: list[Spread]
    left_out: list[LeftOut]


class Scanning:
    """Scans the collector's books on request. Raises SettingsError if there is nothing to compare,
    and ExchangeUnavailable if an exchange's rules cannot be read."""

    def __init__(
        self, settings: Settings, connections: Connections, books: Books, clock: Clock
    ) -> None:
        self._connections = connections
        self._books = books
        self._clock = clock
        self._accounts = list(settings.collector.accounts or settings.accounts)
        markets = self._markets(settings.collector.symbols)
        self._wanted = list(markets)
        limits = ScanLimits(
            min_profit_bps=settings.arbitrage.min_profit_bps,
            age_ms_max=settings.arbitrage.book_age_max_ms,
            # The book of a quiet market is old at its exchange, and still current.
            exchange_age_ms_max=settings.collector.ttl_s * 1_000,
            levels=settings.collector.depth,
        )
        cap = Cap(notional_max=settings.arbitrage.notional_max)
        caps = dict.fromkeys(settings.collector.symbols, cap)
        self._scanner = ArbitrageScanner(markets, limits, caps)
        self._cooldown = Cooldown(settings.arbitrage.cooldown_s * 1_000)
        self._balances: dict[str, tuple[int, Mapping[str, Decimal]]] = {}
        self._unread: dict[str, LeftOut] = {}
        self._spent_until: dict[tuple[str, str], datetime] = {}

    def _markets(self, symbols: tuple[str, ...]) -> dict[BookKey, Market]:
        markets = {}
        for account in self._accounts:
            exchange = self._connections.exchange(account)
            for symbol in symbols:
                market = exchange.market(symbol)
                if market is not None:
                    markets[account, symbol] = market
        if not markets:
            raise SettingsError('collector.symbols: name at least one symbol, like ["BTC/USDT"]')
        return markets

    def look(self) -> Scan:
        """Price everything now, within the available balances."""
        self._scanner.update(self._books.load_many(self._wanted).values())
        now_ms = self._clock.now_ms()
        return Scan(
            self._scanner.opportunities(now_ms, self._free()),
            self._scanner.spreads(now_ms),
            [*self._unread.values(), *self._scanner.left_out(now_ms)],
        )

    def _free(self) -> dict[str, Mapping[str, Decimal]]:
        """Free balances, read every few seconds. An account whose exchange does not answer counts
        as empty."""
        now_ms = self._clock.now_ms()
        for account in self._accounts:
            read_ms, _ = self._balances.get(account, (-BALANCES_AGE_MAX_MS, {}))
            if now_ms - read_ms < BALANCES_AGE_MAX_MS:
                continue
            self._unread.pop(account, None)
            try:
                free = self._connections.exchange(account).free_balances()
            except ExchangeUnavailable as error:
                free = {}
                reason = f"its balances cannot be read: {error}"
                self._unread[account] = LeftOut(account, "all", reason)
            self._balances[account] = (now_ms, free)
        return {account: free for account, (_, free) in self._balances.items()}

    def publish(
        self, opportunities: list[Opportunity], publisher: Publisher
    ) -> list[ArbitrageSignal]:
        """Publish new opportunities, each once, and none that needs a balance which an earlier
        unexpired one may spend. Returns the published signals."""
        signals = []
        for opportunity in opportunities:
            if not self._is_being_spent(opportunity) and self._cooldown.fresh(
                [opportunity], self._clock.now_ms()
            ):
                signals.append(self._signal(opportunity))
                publish_arbitrage(signals[-1], publisher)
                self._spend(opportunity)
        return signals

    def _signal(self, opportunity: Opportunity) -> ArbitrageSignal:
        return ArbitrageSignal(
            signal_id=opportunity.signal_id,
            buy_account=opportunity.buy_account,
            sell_account=opportunity.sell_account,
            symbol=opportunity.symbol,
            amount=opportunity.amount,
            expires_at=self._clock.now() + OPPORTUNITY_TTL,
            strategy="scanner",
        )

    def _is_being_spent(self, opportunity: Opportunity) -> bool:
        now = self._clock.now()
        return any(self._spent_until.get(balance, now) > now for balance in _needed(opportunity))

    def _spend(self, opportunity: Opportunity) -> None:
        until = self._clock.now() + OPPORTUNITY_TTL
        self._spent_until.update(dict.fromkeys(_needed(opportunity), until))
        for account in (opportunity.buy_account, opportunity.sell_account):
            self._balances.pop(account, None)


def _needed(opportunity: Opportunity) -> tuple[tuple[str, str], tuple[str, str]]:
    """The two balances that an opportunity spends, each an account and an asset."""
    base, quote = assets_of(opportunity.symbol)
    return (opportunity.buy_account, quote), (opportunity.sell_account, base)
