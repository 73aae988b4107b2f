"""What orders need of an exchange, and what an exchange answers."""

from dataclasses import dataclass, field
from typing import Protocol

from execution.exchanges.guarantees import ExchangeGuarantees
from execution.model.order import Attempt, Fill, Order, OrderReport, Verdict
from execution.model.trading_rules import Market
from execution.text.redaction import redact


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one attempt. `report` is set exactly when the verdict is ACCEPTED."""

    verdict: Verdict
    report: OrderReport | None = None
    reason: str = ""
    retry_after_s: int = 0

    def __post_init__(self) -> None:
        # It is stored in the record, the ledger and the log.
        object.__setattr__(self, "reason", redact(self.reason))


@dataclass(frozen=True, slots=True)
class AccountFill:
    """A fill as the account's trade list has it, with the exchange's id of its order."""

    exchange_order_id: str
    fill: Fill


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Exchange time minus our time, in ms, exact to within `uncertainty_ms` at the measurement.

    `measured_at_ms` is its time on our wall clock, and `steady_ms` on the host's steady clock,
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

        With `since_ms`, as read at that time on our clock or later; raises ExchangeUnavailable if
        they cannot be reloaded.
        """


class OrderSource(Protocol):
    """Where orders are found. Raises ExchangeUnavailable unless the answer is well-formed."""

    @property
    def guarantees(self) -> ExchangeGuarantees: ...
    def lookup(self, order: Order) -> OrderReport | None:
        """Find the order by its client order id; None only when the exchange says it has none."""

    def fetch(self, symbol: str, exchange_order_id: str) -> OrderReport | None:
        """Find an order by the exchange's own id, also one placed elsewhere; None if there is
        no such order."""


class Exchange(TimeSource, MarketSource, OrderSource, Protocol):
    """One account at one exchange, as orders need it. Not to be shared between threads.

    `place` never raises for an answer of the exchange or the lack of one: its result says what is
    known. `cancel`, which may be repeated, and every reading method raise ExchangeUnavailable
    unless the answer is a well-formed one, so an empty result really means "nothing there".
    """

    @property
    def address(self) -> str:
        """Scheme, host and port that placements go to, as `address_of` writes them."""

    def place(self, order: Order, attempt: Attempt) -> Outcome:
        """Send one placement, signed with the attempt's stamp."""

    def cancel(self, order: Order) -> OrderReport | None:
        """Cancel the order; None if the exchange says that there is nothing to cancel."""

    def order_fills(self, order: Order) -> list[Fill]: ...
