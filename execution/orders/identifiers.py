"""Which orders at an exchange are ours, by the ids that they carry."""

import re

from oneorder.identifiers import ID_LENGTH, ORDER_PREFIX

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
        and client_order_id.startswith(ORDER_PREFIX)
        and len(client_order_id) == ID_LENGTH
    )
