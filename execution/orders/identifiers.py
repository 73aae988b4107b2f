"""Recognizes our orders at an exchange by their client order ids."""

import re

from oneorder.identifiers import ID_LENGTH, ORDER_PREFIX

# Coinbase gives manual orders UUIDs; ours have the usual format.
UUIDS_OF_OTHERS = frozenset({"coinbase"})
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def may_be_ours(client_order_id: str | None, exchange: str | None = None) -> bool:
    """Whether an id may be ours: on some exchanges ours are not recognizable, because they must be
    UUIDs. If every order of the exchange has a UUID, and ours do not, a UUID is not ours."""
    if client_order_id is None:
        return False
    hides = exchange not in UUIDS_OF_OTHERS
    return is_ours(client_order_id) or (hides and _UUID.fullmatch(client_order_id) is not None)


def is_ours(client_order_id: str | None) -> bool:
    """Whether an order at the exchange has one of our ids."""
    return (
        client_order_id is not None
        and client_order_id.startswith(ORDER_PREFIX)
        and len(client_order_id) == ID_LENGTH
    )
