"""What orders need of an exchange, and what an exchange answers."""

from dataclasses import dataclass, field
from typing import Protocol

from execution.exchanges.guarantees import ExchangeGuarantees
from execution.model.order import Attempt, Fill, Order, OrderReport, Verdict
from execution.model.trading_rules import Market
from execution.text.redaction import redact


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt came to. `report` is there exactly when the verdict is ACCEPTED."""

    verdict: Verdict
    report: OrderReport | None = None
    reason: str = ""
    retry_after_s: int = 0

    def __post_init__(self) -> None:
        # It becomes part of the record, the ledger and the log.
        object.__setattr__(self, "reason", redact(self.reason))


@dataclass(frozen=True, slots=True)
class AccountFill:
    """A fill as the account's trade list has it, with the exchange's id of its order."""

    exchange_order_id: str
    fill: Fill


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Exchange time minus our time, in ms, true to within `uncertainty_ms` when it was measured.

    `measured_at_ms` is that moment on our wall clock, and `steady_ms` on the host's steady clock,
    which no correction of the wall clock moves.
    """

    offset_ms: int
    uncertainty_ms: int
    measured_at_ms: int
    steady_ms: int | None = field(default=None, compare=False)


class TimeSource(Protocol):
    """Where a clock is measured. Raises ExchangeUnavailable unless the answer is well-formed."""

    def measure_clock(self) -> ClockOffset: ...


class MarketSource(Protocol):
    """Where the rules of a market are read."""

    def market(self, symbol: str, since_ms: int | None = None) -> Market | None:
        """The symbol's trading rules, None for a symbol that is not traded there.

        With `since_ms` as they were read then, on our clock, or later; raises ExchangeUnavailable
        while they cannot be read again.
        """


class Exchange(TimeSource, MarketSource, Protocol):
    """One account at one exchange, as orders need it. Not to be shared between threads.

    `place` never raises for what an exchange answers or fails to answer: its result says what is
    known. `cancel`, which may be repeated, and every reading method raise ExchangeUnavailable
    unless the answer is a well-formed one, so an empty result really means "nothing there".
    """

    @property
    def guarantees(self) -> ExchangeGuarantees: ...
    @property
    def address(self) -> str:
        """Scheme, host and port that placements go to, as `address_of` writes them."""

    def place(self, order: Order, attempt: Attempt) -> Outcome:
        """Send one placement, signed with the attempt's stamp."""

    def cancel(self, order: Order) -> OrderReport | None:
        """Ask for the order's end; None where the exchange says that there is nothing to cancel."""

    def lookup(self, order: Order) -> OrderReport | None:
        """Find the order by its client order id; None only when the exchange says it has none."""

    def fetch(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        """Find an order by the exchange's own id, whoever placed it; None if it has none such."""

    def order_fills(self, order: Order) -> list[Fill]: ...
