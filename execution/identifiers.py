"""Ids that follow from the signal id, so that every retry speaks of the same order."""

import base64
import hashlib
import re

# Every order id starts with this, so that our orders are known at the exchange by sight.
PREFIX = "oo"
ARBITRAGE_PREFIX = "oa"
_DIGEST_BYTES = 15


def order_id_of(signal_id: str) -> str:
    """Return the order id of a signal: 26 lower-case letters and digits, 120 bits of its hash.

    It fits the client order id of every exchange that takes 26 alphanumeric characters, and is
    used there as it is.
    """
    digest = hashlib.blake2b(signal_id.encode(), digest_size=_DIGEST_BYTES).digest()
    return PREFIX + base64.b32encode(digest).decode().lower()


def arbitrage_id_of(signal_id: str) -> str:
    """Return the id of the arbitrage that a signal asks for, made as an order's id is."""
    return ARBITRAGE_PREFIX + order_id_of(signal_id)[len(PREFIX) :]


# Where client order ids must be UUIDs.
UUID_EXCHANGE = "kraken"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def may_be_ours(client_order_id: str | None, exchange: str | None = None) -> bool:
    """Say whether an id could be of our making: where ours must be UUIDs they do not show it. That
    is so at Kraken, and elsewhere a UUID is not ours. Without an exchange, it may be any."""
    if client_order_id is None:
        return False
    hides = exchange in (None, UUID_EXCHANGE)
    return is_ours(client_order_id) or (hides and _UUID.fullmatch(client_order_id) is not None)


def is_ours(client_order_id: str | None) -> bool:
    """Say whether an order at the exchange carries an id of our making."""
    return (
        client_order_id is not None
        and client_order_id.startswith(PREFIX)
        and len(client_order_id) == len(PREFIX) + _DIGEST_BYTES * 8 // 5
    )
