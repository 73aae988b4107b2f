"""Orders and positions as text, and back."""

import json
from collections.abc import Mapping
from datetime import datetime

from execution.arbitrage.model import Arbitrage
from execution.model.decimals import to_decimal, to_text
from execution.model.errors import UnreadableRecord
from execution.model.order import Order
from execution.model.position import Position
from execution.orders.codec import order_to_json
from execution.orders.store import Change

_NUMBERS = ("amount", "cost", "realised_pnl", "turnover")


def position_to_hash(position: Position) -> dict[str, str]:
    """The hash's fields. `entry_price` is for display; it is not read back."""
    entry = position.entry_price
    return {
        "account": position.account,
        "symbol": position.symbol,
        "amount": to_text(position.amount),
        "cost": to_text(position.cost),
        "entry_price": "" if entry is None else to_text(entry),
        "realised_pnl": to_text(position.realised_pnl),
        "turnover": to_text(position.turnover),
        "fees": json.dumps({asset: to_text(fee) for asset, fee in position.fees.items()}),
        "opened_at": _time(position.opened_at),
        "updated_at": _time(position.updated_at),
        "version": str(position.version),
        "revision": position.revision,
        "contract_size": to_text(position.contract_size),
    }


def position_from_hash(stored: Mapping[str, str]) -> Position:
    """Parse the hash's fields; a hash of an earlier release has no contract size, which means 1.

    Raises UnreadableRecord if a field is missing or malformed.
    """
    try:
        return _position(stored)
    except KeyError as error:
        fault = f"it has no field {error}"
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        fault = f"one of its fields is malformed: {error}"
    name = f"{stored.get('account', '?')} {stored.get('symbol', '?')}"
    raise UnreadableRecord(
        f"the position {name} in Redis cannot be read: {fault}; "
        "delete its key, and the next reconciliation restores it from the ledger"
    )


def _position(stored: Mapping[str, str]) -> Position:
    return Position(
        account=stored["account"],
        symbol=stored["symbol"],
        fees={asset: to_decimal(fee) for asset, fee in json.loads(stored["fees"]).items()},
        opened_at=_read_time(stored["opened_at"]),
        updated_at=_read_time(stored["updated_at"]),
        version=int(stored["version"]),
        revision=stored.get("revision", ""),
        contract_size=to_decimal(stored.get("contract_size", "1")),
        **{name: to_decimal(stored[name]) for name in _NUMBERS},
    )


def commit_arguments(change: Change, commits: int) -> list[str | int]:
    """The arguments of lua/commit.lua, in its order; `commits` is the known number."""
    after = change.after
    return [
        after.order_id,
        token(change.before),
        after.version,
        after.state.value,
        after.account,
        after.symbol,
        order_to_json(after),
        created_us(after),
        "" if change.due_ms is None else change.due_ms,
        "1" if after.may_still_trade else "0",
        exchange_id_field(after),
        after.entry_id or "",
        "" if change.epoch is None else change.epoch.run_id,
        "1" if change.begins_attempt else "0",
        after.revision,
        "1" if change.is_from_signal else "0",
        commits,
        *_moved_arguments(change),
    ]


def record_arguments(order: Order) -> list[str | int]:
    """The arguments with which Lua scripts create an order's record, in their order."""
    return [
        order.order_id,
        order.version,
        order.revision,
        order.state.value,
        order.account,
        order.symbol,
        order_to_json(order),
        created_us(order),
    ]


def _moved_arguments(change: Change) -> list[str]:
    if change.position is None or change.position_before is None:
        return [""]
    return [token(change.position_before), *position_arguments(change.position)]


def position_arguments(position: Position) -> list[str]:
    """A position's version and its hash, as Lua scripts write it."""
    pairs = position_to_hash(position).items()
    return [str(position.version), *(text for pair in pairs for text in pair)]


def created_us(record: Order | Arbitrage) -> int:
    """When it was made, in µs; lists go by it."""
    return int(record.created_at.timestamp() * 1_000_000)


def exchange_id_field(order: Order) -> str:
    """The field of the order among the exchange ids, "" if it has none."""
    exchange_id = order.exchange_order_id
    return "" if exchange_id is None else f"{order.symbol} {exchange_id}"


def token(held: Order | Position | Arbitrage | None) -> str:
    """What a change must find to be made; nothing stored is version 0."""
    return f"{held.version} {held.revision}" if held and held.version else "0 "


def _time(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()


def _read_time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
