"""Orders and positions as plain values for JSON and tables: numbers as decimal strings."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from execution.model.decimals import to_text
from execution.model.order import Fill, Order
from execution.model.position import Position
from execution.orders.signal_age import published_at
from execution.positions.valuation import Mark, Totals
from workers.views import tables
from workers.views.plain_text import names
from workers.views.plain_values import Json, fields_of, plain_value, time_text

if TYPE_CHECKING:
    # Redis and the ledger are imported by the commands that read them.
    from execution.repair.checks import PositionCheck
    from execution.store.stores import Stores

_ORDER_FIELDS = names(
    "order_id signal_id account symbol side type time_in_force amount price state reason "
    "client_order_id exchange_order_id filled average fees strategy reference_price expires_at"
)


def order_view(order: Order) -> Json:
    """One order as a list shows it."""
    return {
        **fields_of(order, _ORDER_FIELDS),
        "published_at": time_text(_published_at(order)),
        **fields_of(order, ("created_at", "updated_at")),
    }


def _published_at(order: Order) -> datetime | None:
    """None for an order without a signal."""
    return published_at(order) if order.signal_id else None


def whole_order_view(order: Order) -> Json:
    """One order with its attempts and fills."""
    return {
        **order_view(order),
        "attempts": [fields_of(attempt, tables.ATTEMPT_COLUMNS) for attempt in order.attempts],
        "fills": [_fill_view(fill) for fill in order.fills],
    }


def _fill_view(fill: Fill) -> Json:
    first = fill.fees[0] if fill.fees else None
    return {
        **fields_of(fill, ("trade_id", "price", "amount")),
        "fee": None if first is None else to_text(first.amount),
        "fee_asset": None if first is None else first.asset,
        "fees": {fee.asset: to_text(fee.amount) for fee in fill.fees},
        "time": time_text(fill.time),
    }


def position_view(position: Position, mark: Mark | None, now_ms: int) -> Json:
    """One position, valued at its last mark if there is one."""
    price = None if mark is None else mark.price
    return {
        **fields_of(position, ("account", "symbol", "amount", "entry_price")),
        "mark_price": plain_value(price),
        "mark_age_s": _age_s(None if mark is None else mark.at_ms, now_ms),
        "realised_pnl": to_text(position.realised_pnl),
        "unrealised_pnl": None if price is None else to_text(position.unrealised_pnl(price)),
        **fields_of(position, ("fees", "turnover", "opened_at", "updated_at")),
    }


def position_views(stores: "Stores", positions: Collection[Position], now_ms: int) -> list[Json]:
    """Each position, valued at its last mark."""
    marks = {name: stores.valuations.marks(name) for name in {p.account for p in positions}}
    return [position_view(p, marks[p.account].get(p.symbol), now_ms) for p in positions]


def totals_view(totals: Totals, now_ms: int) -> Json:
    """The totals of one account's positions in one quote asset."""
    return {
        **fields_of(totals, ("account", "quote", "realised_pnl", "unrealised_pnl")),
        "equity": to_text(totals.realised_pnl + totals.unrealised_pnl),
        **fields_of(totals, ("exposure", "net_exposure", "turnover", "fees")),
        "mark_age_s": _age_s(totals.marked_at_ms, now_ms),
        **fields_of(totals, ("unmarked", "updated_at")),
    }


def position_check_view(check: "PositionCheck") -> Json:
    """A stored position beside the one recomputed from the ledger."""
    live, rebuilt = check.live, check.rebuilt
    return {
        "account": live.account,
        "symbol": live.symbol,
        "agrees": check.agrees,
        "amount": to_text(live.amount),
        "rebuilt_amount": to_text(rebuilt.amount),
        "entry_price": plain_value(live.entry_price),
        "rebuilt_entry_price": plain_value(rebuilt.entry_price),
        "realised_pnl": to_text(live.realised_pnl),
        "rebuilt_realised_pnl": to_text(rebuilt.realised_pnl),
        "fills": rebuilt.version,
    }


def _age_s(at_ms: int | None, now_ms: int) -> str | None:
    return None if at_ms is None else to_text(Decimal(max(0, now_ms - at_ms)) / 1000)
