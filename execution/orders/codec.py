"""An order as JSON, the format of the store and the ledger."""

from pydantic import ValidationError

from execution.model.errors import UnreadableRecord
from execution.model.order import Order
from execution.text.json_adapter import JsonAdapter

_ORDER = JsonAdapter(Order)


def order_to_json(order: Order) -> str:
    return _ORDER.dump_json(order).decode()


def order_from_json(text: str) -> Order:
    """Raises UnreadableRecord."""
    try:
        return _ORDER.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "its JSON"
        raise UnreadableRecord(
            f"the record of an order cannot be read: {where}: {first['msg']}"
        ) from error
