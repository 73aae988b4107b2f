"""The enumerations of an order's record, which workers write and producers read."""

from enum import StrEnum


class Side(StrEnum):
    """The side of an order."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """The type of an order."""

    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    """How long a limit order may rest in the book."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    PO = "PO"


class OrderState(StrEnum):
    """The state of an order. A partial fill is a quantity, not a state."""

    RECEIVED = "received"  # No request that could still arrive is in flight.
    SUBMITTING = "submitting"  # A request may or may not have arrived.
    OPEN = "open"  # It is at the exchange.
    FILLED = "filled"  # All of it was traded.
    CANCELED = "canceled"  # It was at the exchange and was canceled, or it was never sent.
    EXPIRED = "expired"  # The exchange ended it, as one that is immediate or cancel.
    REJECTED = "rejected"  # The exchange refused it.
    REFUSED = "refused"  # oneorder refused it.
    QUARANTINED = "quarantined"
    """The outcome cannot be determined, or the order at the exchange is not the one that was
    requested. It needs manual intervention: `oneorder settle`."""


# States that an order may still leave by itself.
LIVE = frozenset({OrderState.RECEIVED, OrderState.SUBMITTING, OrderState.OPEN})
