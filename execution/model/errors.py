"""Every error that trading raises. All of them are a OneOrderError."""

from execution.text.redaction import redact
from oneorder.errors import OneOrderError

# The exchange


class ExchangeUnavailable(OneOrderError):
    """A request to the exchange got no usable answer; nothing may be concluded from that.

    `retry_after_s` is the pause that the exchange requested, if any. `wait_s` is how long another
    request is known to be useless.
    """

    def __init__(self, message: str, retry_after_s: int = 0, wait_s: int = 0) -> None:
        super().__init__(redact(message))
        self.retry_after_s = retry_after_s
        self.wait_s = wait_s


class RequestRefused(ExchangeUnavailable):
    """The exchange answers, but not this request usably: other requests may succeed."""


class UnknownSymbol(RequestRefused):
    """The exchange does not list the symbol, or does not any more."""


class AddressHeld(ExchangeUnavailable):
    """Nothing was sent, because the exchange has requested a pause."""


class Crowded(ExchangeUnavailable):
    """Too much work on the account is waiting for its exchange, so that no more is begun."""


class UnsupportedExchange(OneOrderError):
    """The exchange is not supported, so exactly-once cannot be guaranteed on it."""


class UnknownAccount(OneOrderError):
    """No account of that name is configured."""


# One placement


class NotSent(OneOrderError):
    """The request provably did not and will not reach the exchange: it may be made again."""


class OrderRejected(OneOrderError):
    """The exchange rejected it; there is no order."""


class OutcomeUnknown(OneOrderError):
    """It is not known whether the order exists. Look it up by `client_order_id`; never repeat
    it."""

    def __init__(self, message: str, client_order_id: str) -> None:
        super().__init__(message)
        self.client_order_id = client_order_id


# The store and the ledger


class StoreUnavailable(OneOrderError):
    """The store did not answer; the change may or may not have been made."""

    def __init__(self, message: str = "") -> None:
        super().__init__(redact(message))


class UnreadableRecord(StoreUnavailable):
    """A record in the store is malformed; the sentence names it and its fault."""


class StoreRestarted(OneOrderError):
    """The store's server has restarted, and the decision did not consider what it may have lost."""


class LedgerUnavailable(StoreUnavailable):
    """The ledger's database did not answer, or cannot be used: locked, full, or of a later release.
    Nothing is lost; pending writes wait."""


class LedgerUrlError(OneOrderError, ValueError):
    """The setting `ledger_url` does not name a supported database."""


class UntrustedLedger(OneOrderError):
    """The ledger is not the one that the positions were computed from; the sentence gives
    details."""


# The record of an order


class UnknownOrder(OneOrderError):
    """No order with that id is known."""


class VersionConflict(OneOrderError):
    """Another worker changed the order first; the decision about the old version is void."""


class IllegalTransition(OneOrderError):
    """The event cannot happen to an order in this state; the order is unchanged."""


class SignalReused(OneOrderError):
    """The signal id was used before, for a different order."""


class NotInQuarantine(OneOrderError):
    """Only an order in quarantine, or one that cannot be looked up any more, can be settled
    manually."""


class AccountHalted(OneOrderError):
    """Nothing new is sent on this account until it is resumed manually."""


class AccountHeld(OneOrderError):
    """The exchange requested a pause for this account."""


# Reconciliation and arbitrage


class AlreadyRunning(OneOrderError):
    """Another reconciliation of this account is running."""


class NotAdoptable(OneOrderError):
    """The exchange's answer has too few fields to make a record of the order."""


class Undecided(OneOrderError):
    """The order of the trade is not known yet; the trade is read again in the next run."""


class NoPlan(OneOrderError):
    """There is nothing to send; the sentence says why."""


# Values


class NotANumber(OneOrderError, ValueError):
    """The text is not a finite decimal number."""
