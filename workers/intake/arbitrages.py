"""Makes arbitrages from messages and intents."""

from dataclasses import KW_ONLY, dataclass
from decimal import Decimal

from execution.arbitrage.executor import ArbitrageExecutor
from execution.arbitrage.model import Arbitrage
from execution.model.clock import Clock
from oneorder.identifiers import arbitrage_id_of
from oneorder.signals import ArbitrageSignal


@dataclass(frozen=True, slots=True)
class ArbitrageIntake:
    """The arbitrage of a signal, with defaults from the settings."""

    executor: ArbitrageExecutor
    clock: Clock
    _: KW_ONLY
    min_profit_bps: Decimal
    max_loss_bps: Decimal

    def execute(self, signal: ArbitrageSignal, entry_id: str | None) -> Arbitrage:
        """Take it as far as it goes now. Raises SignalReused."""
        return self.executor.submit(self._arbitrage(signal, entry_id))

    def receive(self, signal: ArbitrageSignal, entry_id: str | None) -> Arbitrage:
        """Record it; the sweep moves it on. Raises SignalReused."""
        return self.executor.receive(self._arbitrage(signal, entry_id))

    def _arbitrage(self, signal: ArbitrageSignal, entry_id: str | None) -> Arbitrage:
        now = self.clock.now()
        least, most = signal.min_profit_bps, signal.max_loss_bps
        return Arbitrage(
            arbitrage_id=arbitrage_id_of(signal.signal_id),
            signal_id=signal.signal_id,
            symbol=signal.symbol,
            buy_account=signal.buy_account,
            sell_account=signal.sell_account,
            amount=signal.amount,
            min_profit_bps=self.min_profit_bps if least is None else least,
            max_loss_bps=self.max_loss_bps if most is None else most,
            created_at=now,
            updated_at=now,
            expires_at=signal.expires_at,
            strategy=signal.strategy,
            entry_id=entry_id,
        )
