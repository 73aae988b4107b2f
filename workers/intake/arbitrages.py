"""Makes arbitrages from messages and intents."""

from decimal import Decimal

from execution.arbitrage.executor import ArbitrageExecutor
from execution.arbitrage.model import Arbitrage
from execution.model.clock import Clock
from oneorder.identifiers import arbitrage_id_of
from oneorder.signals import ArbitrageSignal


class ArbitrageIntake:
    """The arbitrage of a signal, with defaults from the settings."""

    def __init__(
        self,
        executor: ArbitrageExecutor,
        clock: Clock,
        *,
        min_profit_bps: Decimal,
        max_loss_bps: Decimal,
    ) -> None:
        self._executor = executor
        self._clock = clock
        self._min_profit_bps = min_profit_bps
        self._max_loss_bps = max_loss_bps

    def execute(self, signal: ArbitrageSignal, entry_id: str | None) -> Arbitrage:
        """Carry it out as far as possible now. Raises SignalReused."""
        return self._executor.submit(self._arbitrage(signal, entry_id))

    def receive(self, signal: ArbitrageSignal, entry_id: str | None) -> Arbitrage:
        """Record it; the sweep advances it. Raises SignalReused."""
        return self._executor.receive(self._arbitrage(signal, entry_id))

    def _arbitrage(self, signal: ArbitrageSignal, entry_id: str | None) -> Arbitrage:
        now = self._clock.now()
        least, most = signal.min_profit_bps, signal.max_loss_bps
        return Arbitrage(
            arbitrage_id=arbitrage_id_of(signal.signal_id),
            signal_id=signal.signal_id,
            symbol=signal.symbol,
            buy_account=signal.buy_account,
            sell_account=signal.sell_account,
            amount=signal.amount,
            min_profit_bps=self._min_profit_bps if least is None else least,
            max_loss_bps=self._max_loss_bps if most is None else most,
            created_at=now,
            updated_at=now,
            expires_at=signal.expires_at,
            strategy=signal.strategy,
            entry_id=entry_id,
        )
