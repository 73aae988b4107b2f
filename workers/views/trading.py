"""Orders and positions as plain values for JSON and tables: numbers as decimal strings."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from execution.model.decimals import to_text
from execution.model.order import Attempt, Fill, Order
from execution.model.position import Position
from execution.orders.signal_age import published_at
from execution.positions.valuation import Mark, Totals
from execution.reconciliation.run import Reconciliation

if TYPE_CHECKING:
    # Redis and the ledger are imported by the commands that read them.
    from execution.repair.checks import PositionCheck
    from execution.store.stores import Stores

Json = dict[str, Any]


def order_view(order: Order) -> Json:
    """One order as a list shows it."""
    return {
        "order_id": order.order_id,
        "signal_id": order.signal_id,
        "account": order.account,
        "symbol": order.symbol,
        "side": order.side.value,
        "type": order.type.value,
        "time_in_force": None if order.time_in_force is None else order.time_in_force.value,
        "amount": to_text(order.amount),
        "price": _number(order.price),
        "state": order.state.value,
        "reason": order.reason,
        "client_order_id": order.client_order_id,
        "exchange_order_id": order.exchange_order_id,
        "filled": to_text(order.filled),
        "average": _number(order.average),
        "fees": {asset: to_text(fee) for asset, fee in order.fees.items()},
        "strategy": order.strategy,
        "reference_price": _number(order.reference_price),
        "expires_at": time_text(order.expires_at),
        "published_at": time_text(_published_at(order)),
        "created_at": time_text(order.created_at),
        "updated_at": time_text(order.updated_at),
    }


def _published_at(order: Order) -> datetime | None:
    """None for an order without a signal."""
    return published_at(order) if order.signal_id else None


def whole_order_view(order: Order) -> Json:
    """One order with its attempts and fills."""
    return {
        **order_view(order),
        "attempts": [_attempt_view(attempt) for attempt in order.attempts],
        "fills": [_fill_view(fill) for fill in order.fills],
    }


def _attempt_view(attempt: Attempt) -> Json:
    return {
        "number": attempt.number,
        "stamp_ms": attempt.stamp_ms,
        "valid_until_ms": attempt.valid_until_ms,
        "verdict": None if attempt.verdict is None else attempt.verdict.value,
        "reason": attempt.reason,
    }


def _fill_view(fill: Fill) -> Json:
    first = fill.fees[0] if fill.fees else None
    return {
        "trade_id": fill.trade_id,
        "price": to_text(fill.price),
        "amount": to_text(fill.amount),
        "fee": None if first is None else to_text(first.amount),
        "fee_asset": None if first is None else first.asset,
        "fees": {fee.asset: to_text(fee.amount) for fee in fill.fees},
        "time": time_text(fill.time),
    }


def position_view(position: Position, mark: Mark | None, now_ms: int) -> Json:
    """One position, valued at its last mark if there is one."""
    price = None if mark is None else mark.price
    return {
        "account": position.account,
        "symbol": position.symbol,
        "amount": to_text(position.amount),
        "entry_price": _number(position.entry_price),
        "mark_price": _number(price),
        "mark_age_s": _age_s(None if mark is None else mark.at_ms, now_ms),
        "realised_pnl": to_text(position.realised_pnl),
        "unrealised_pnl": None if price is None else to_text(position.unrealised_pnl(price)),
        "fees": {asset: to_text(fee) for asset, fee in position.fees.items()},
        "turnover": to_text(position.turnover),
        "opened_at": time_text(position.opened_at),
        "updated_at": time_text(position.updated_at),
    }


def position_views(stores: "Stores", positions: Collection[Position], now_ms: int) -> list[Json]:
    """Each position, valued at its last mark."""
    marks = {name: stores.valuations.marks(name) for name in {p.account for p in positions}}
    return [position_view(p, marks[p.account].get(p.symbol), now_ms) for p in positions]


def totals_view(totals: Totals, now_ms: int) -> Json:
    """The totals of one account's positions in one quote asset."""
    return {
        "account": totals.account,
        "quote": totals.quote,
        "realised_pnl": to_text(totals.realised_pnl),
        "unrealised_pnl": to_text(totals.unrealised_pnl),
        "equity": to_text(totals.realised_pnl + totals.unrealised_pnl),
        "exposure": to_text(totals.exposure),
        "net_exposure": to_text(totals.net_exposure),
        "turnover": to_text(totals.turnover),
        "fees": {asset: to_text(fee) for asset, fee in totals.fees.items()},
        "mark_age_s": _age_s(totals.marked_at_ms, now_ms),
        "unmarked": totals.unmarked,
        "updated_at": time_text(totals.updated_at),
    }


def reconciliation_view(run: Reconciliation) -> Json:
    return {
        **asdict(run),
        "started_at": time_text(run.started_at),
        "drift": {asset: to_text(amount) for asset, amount in run.drift.items()},
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
        "entry_price": _number(live.entry_price),
        "rebuilt_entry_price": _number(rebuilt.entry_price),
        "realised_pnl": to_text(live.realised_pnl),
        "rebuilt_realised_pnl": to_text(rebuilt.realised_pnl),
        "fills": rebuilt.version,
    }


def _age_s(at_ms: int | None, now_ms: int) -> str | None:
    return None if at_ms is None else to_text(Decimal(max(0, now_ms - at_ms)) / 1000)


def _number(number: Decimal | None) -> str | None:
    return None if number is None else to_text(number)


def time_text(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
