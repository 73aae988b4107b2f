"""Completes the record of an order from the ledger."""

from dataclasses import replace

from execution.model.events import Reported
from execution.model.order import Order, OrderReport, merge_fills
from execution.model.transitions import transition


def brought_up(held: Order, known: Order) -> Order:
    """The record completed by what only the ledger has; the same object if there is nothing.

    A later state of the same history replaces it. If the histories differ since, only the
    exchange's reports in the ledger are applied again. Raises IllegalTransition.
    """
    if (held.version, held.revision) == (known.version, known.revision):
        return held
    if _continues(known, held):
        return replace(known, fills=merge_fills(known.fills, held.fills))
    if known.exchange_order_id is None:
        return held
    report = OrderReport(
        known.exchange_order_id,
        known.client_order_id,
        known.symbol,
        known.state,
        known.filled,
        known.average,
        known.fills,
    )
    return transition(held, Reported(report))


def _continues(known: Order, held: Order) -> bool:
    """Whether `known` is a later state of `held`."""
    stamps = [(attempt.number, attempt.stamp_ms) for attempt in held.attempts]
    begun = [(attempt.number, attempt.stamp_ms) for attempt in known.attempts]
    return (
        known.updated_at >= held.updated_at
        and begun[: len(stamps)] == stamps
        and held.exchange_order_id in (None, known.exchange_order_id)
    )
