"""Every error that trading raises. All of them are a OneOrderError."""

from execution.text.redaction import redact
from oneorder.errors import OneOrderError

# The exchange


class ExchangeUnavailable(OneOrderError):
    """A question to the exchange got no usable answer; nothing may be concluded from that.

    `retry_after_s` is how long the exchange asked to be left alone, if it did. `wait_s` is for how
    long it is known that asking again would be in vain.
    """

    def __init__(self, message: str, retry_after_s: int = 0, wait_s: int = 0) -> None:
        super().__init__(redact(message))
        self.retry_after_s = retry_after_s
        self.wait_s = wait_s


class RequestRefused(ExchangeUnavailable):
    """The exchange is there, and has no usable answer to this very question: to ask it something
    else may be of use."""


class UnknownSymbol(RequestRefused):
    """The exchange does not list the symbol, or does not any more."""


class AddressHeld(ExchangeUnavailable):
    """Nothing was sent, because the exchange has asked for no requests until a later time."""


class Crowded(ExchangeUnavailable):
    """So much work on the account waits for its exchange already that no more is begun."""


class UnsupportedExchange(OneOrderError):
    """There is no contract for this exchange, so exactly-once cannot be promised on it."""


class UnknownAccount(OneOrderError):
    """No account of that name is configured."""


# One placement


class NotSent(OneOrderError):
    """The request provably did not and will not reach the exchange: it may be made again."""


class OrderRejected(OneOrderError):
    """The exchange said no; there is no order."""


class OutcomeUnknown(OneOrderError):
    """Nobody knows whether the order stands. Look it up by `client_order_id`; never repeat it."""

    def __init__(self, message: str, client_order_id: str) -> None:
        super().__init__(message)
        self.client_order_id = client_order_id


# The store and the ledger


class StoreUnavailable(OneOrderError):
    """The store did not answer; the change may or may not have been made."""

    def __init__(self, message: str = "") -> None:
        super().__init__(redact(message))


class UnreadableRecord(StoreUnavailable):
    """A record in the store is not what oneorder writes; the sentence names it and its fault."""


class StoreRestarted(OneOrderError):
    """The store's server is a new one, and what was decided did not reckon with what it lost."""


class LedgerUnavailable(StoreUnavailable):
    """The ledger's database did not answer, or cannot be used as it is: locked, full, or of a later
    release. Nothing is lost, what is to be written waits."""


class LedgerUrlError(OneOrderError, ValueError):
    """The setting `ledger_url` names no database that a ledger can be kept in."""


class UntrustedLedger(OneOrderError):
    """The ledger is not the one that the positions were made with; the sentence says more."""


# The record of an order


class UnknownOrder(OneOrderError):
    """No order of that id is known."""


class VersionConflict(OneOrderError):
    """Another worker changed the order first; what was decided about the old one is void."""


class IllegalTransition(OneOrderError):
    """The event cannot happen to an order in this state; the order is left as it was."""


class SignalReused(OneOrderError):
    """The signal id was used before, for an order that asks for something else."""


class NotInQuarantine(OneOrderError):
    """Only an order in quarantine is decided by hand, and one of which the exchange cannot be asked
    any more; every other one decides itself."""


class AccountHalted(OneOrderError):
    """Nothing new is to be sent on this account until a person resumes it."""


class AccountHeld(OneOrderError):
    """The exchange asked to be left alone on this account for a while."""


# Reconciliation and arbitrage


class AlreadyRunning(OneOrderError):
    """Another reconciliation of this account is under way."""


class NotAdoptable(OneOrderError):
    """The exchange does not say enough of the order to make a record of it."""


class Undecided(OneOrderError):
    """Whose trade it is cannot be told yet; it is read again in the next run."""


class NoPlan(OneOrderError):
    """Nothing is to be sent; the sentence says why."""


# Values


class NotANumber(OneOrderError, ValueError):
    """The text is not a finite decimal number."""
