"""Orders, attempts, fills and snapshots as rows of the tables, and back."""

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from sqlalchemy import RowMapping

from execution.ledger.port import Snapshot
from execution.ledger.sql.tables import orders
from execution.model.decimals import to_decimal, to_text
from execution.model.order import Attempt, Fee, Fill, Order, Side
from execution.orders.codec import order_to_json

Row = dict[str, Any]
_ORDER_COLUMNS = [column.name for column in orders.columns if column.name != "doc"]
_ATTEMPT = [field.name for field in fields(Attempt)]
_FILL = [field.name for field in fields(Fill)]
_SNAPSHOT = [field.name for field in fields(Snapshot)]


def order_row(order: Order) -> Row:
    row = {name: getattr(order, name) for name in _ORDER_COLUMNS}
    row["doc"] = order_to_json(order)
    return row


def attempt_rows(order: Order) -> Iterator[Row]:
    for attempt in order.attempts:
        yield {name: getattr(attempt, name) for name in _ATTEMPT} | {"order_id": order.order_id}


def fill_rows(order: Order) -> Iterator[Row]:
    for fill in order.fills:
        yield {
            "account": order.account,
            "symbol": order.symbol,
            "order_id": order.order_id,
            "exchange_order_id": order.exchange_order_id,
            **{name: getattr(fill, name) for name in _FILL},
            "fees": _fees_to_json(fill.fees),
        }


def read_fill(row: RowMapping) -> Fill:
    read = {name: row[name] for name in _FILL}
    return Fill(**read | {"side": Side(row["side"]), "fees": _fees_from_json(row["fees"])})


def snapshot_row(snapshot: Snapshot) -> Row:
    return {name: getattr(snapshot, name) for name in _SNAPSHOT}


def read_snapshot(row: RowMapping) -> Snapshot:
    return Snapshot(**{name: row[name] for name in _SNAPSHOT})


def _fees_to_json(fees: tuple[Fee, ...]) -> str:
    # Written by hand, since a fill may be charged in one asset twice, and both must come back.
    pairs = [f"{json.dumps(fee.asset)}:{json.dumps(to_text(fee.amount))}" for fee in fees]
    return "{" + ",".join(pairs) + "}"


def _fees_from_json(text: str) -> tuple[Fee, ...]:
    pairs: list[tuple[str, str]] = json.loads(text, object_pairs_hook=list)
    return tuple(Fee(asset, to_decimal(amount)) for asset, amount in pairs)
