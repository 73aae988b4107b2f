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


# Coinbase gives orders that are made by hand UUIDs; ours are as they are everywhere.
UUIDS_OF_OTHERS = frozenset({"coinbase"})
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def may_be_ours(client_order_id: str | None, exchange: str | None = None) -> bool:
    """Say whether an id could be of our making: on some exchanges ours do not show it, because they
    must be UUIDs there. Where every order is under a UUID, and ours are not, a UUID is not ours."""
    if client_order_id is None:
        return False
    hides = exchange not in UUIDS_OF_OTHERS
    return is_ours(client_order_id) or (hides and _UUID.fullmatch(client_order_id) is not None)


def is_ours(client_order_id: str | None) -> bool:
    """Say whether an order at the exchange carries an id of our making."""
    return (
        client_order_id is not None
        and client_order_id.startswith(PREFIX)
        and len(client_order_id) == len(PREFIX) + _DIGEST_BYTES * 8 // 5
    )
