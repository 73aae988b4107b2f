"""The words of an order's record, which workers write and producers read."""

from enum import StrEnum


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """What limits an order's price."""

    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    """How long a limit order may stand in the book."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    PO = "PO"


class OrderState(StrEnum):
    """Where an order stands. A partial fill is a quantity, not a state."""

    RECEIVED = "received"  # No request that could still arrive is under way.
    SUBMITTING = "submitting"  # Written ahead: a request may or may not have arrived.
    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"  # The exchange said no.
    REFUSED = "refused"  # We said no.
    QUARANTINED = "quarantined"  # The outcome cannot be found out; needs manual intervention.


# States that an order may still leave by itself.
LIVE = frozenset({OrderState.RECEIVED, OrderState.SUBMITTING, OrderState.OPEN})
