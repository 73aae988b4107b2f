"""How orders are placed: what the settings say of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from execution.exchanges.guarantees import ExchangeGuarantees

ATTEMPTS_MAX = 5


@dataclass(frozen=True, slots=True)
class OrderRules:
    """How orders are placed. `recv_window_ms` is the window of every account that is not in
    `windows` (ms by account), None for each exchange's own. A market order that was published
    longer ago than `market_age_max_s` is refused instead of sent; None for any age."""

    recv_window_ms: int | None = None
    attempts_max: int = ATTEMPTS_MAX
    windows: Mapping[str, int] = field(default_factory=dict)
    market_age_max_s: int | None = None

    def window_ms(self, account: str, guarantees: ExchangeGuarantees) -> int:
        """How long a request may be accepted after its stamp."""
        wanted_ms = self.windows.get(account, self.recv_window_ms)
        return guarantees.within_window(wanted_ms or guarantees.window_ms)
