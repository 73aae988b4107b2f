"""Ids that are derived from the signal id, so that producers and workers get the same id
independently."""

import base64
import hashlib

ORDER_PREFIX = "oo"
ARBITRAGE_PREFIX = "oa"
_DIGEST_BYTES = 15
# A prefix of two letters, and eight digits of base 32 for every five bytes of the hash.
ID_LENGTH = len(ORDER_PREFIX) + _DIGEST_BYTES * 8 // 5


def order_id_of(signal_id: str) -> str:
    """The order id of a signal: 26 lower-case letters and digits, 120 bits of its hash.

    It is the client order id at every exchange that accepts 26 alphanumeric characters.
    """
    digest = hashlib.blake2b(signal_id.encode(), digest_size=_DIGEST_BYTES).digest()
    return ORDER_PREFIX + base64.b32encode(digest).decode().lower()


def arbitrage_id_of(signal_id: str) -> str:
    """The arbitrage id of a signal, made like an order's id."""
    return ARBITRAGE_PREFIX + order_id_of(signal_id)[len(ORDER_PREFIX) :]
