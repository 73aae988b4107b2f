"""Compares an account's balances with those explained by all known fills.

A balance is the opening balance, plus the changes by our fills, plus the changes by external
trades. The rest is drift.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Annotated

from pydantic import Field

from execution.model.decimals import EXACT, ZERO, Money
from execution.model.instrument import Kind, assets_of
from execution.model.order import Fill, Side
from execution.model.position import Position

# Exchanges round balances; smaller differences are ignored.
DUST = Decimal("1e-8")

# The most trades of the same time that an exchange may list again.
SEEN_MAX = 200

Flows = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class BalanceSheet:
    """The balance sheet of one account, by asset.

    `opening` are the balances before any of our fills, None until seen twice; `candidate` is the
    value seen once. `external_trades` are the changes by external trades since `opened_at`; `seen`
    names the last of them, because exchanges list trades of the same time again. `read` is, by
    symbol, the trade up to which all are included: a cursor may be lost, or be reset, while these
    changes stay. `suspected` is the drift of the last check; `asked` are the pairs that were read
    for trades that could explain it.
    """

    opening: dict[str, Money] | None = None
    opened_at: datetime | None = None
    candidate: dict[str, Money] | None = None
    # Stored under the name of earlier releases.
    external_trades: Annotated[dict[str, Money], Field(alias="strangers")] = field(
        default_factory=dict
    )
    suspected: dict[str, Money] = field(default_factory=dict)
    seen: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    read: dict[str, str] = field(default_factory=dict)


def moved_by(positions: Iterable[Position]) -> dict[str, Decimal]:
    """The changes of balances by all fills of these positions. Contracts are left out: they hold
    margin, not balance."""
    spot = [position for position in positions if position.instrument.kind is Kind.SPOT]
    return _sum(cash_flows(position) for position in spot)


def cash_flows(position: Position) -> dict[str, Decimal]:
    """Return, by asset, how much more the account owns through all the fills of the position.

    Spot moves base by the amount held, and quote by the profit less what is still invested; a
    contract moves its settle asset by the profit alone; fees in other assets leave. It follows
    exactly from the position: what a base fee was worth is booked as a loss and was never part of
    the cost, which cancels out. Base and quote, or the settle asset, are named even at zero.

    Raises ValueError for a symbol whose terms are not known.
    """
    terms = position.instrument
    with localcontext(EXACT):
        if terms.kind is Kind.SPOT:
            traded = {
                terms.base: position.amount,
                terms.quote: position.realised_pnl - position.cost,
            }
        else:
            traded = {terms.settle: position.realised_pnl}
        return {**{asset: -fee for asset, fee in position.fees.items()}, **traded}


def moved_by_trade(symbol: str, fill: Fill) -> dict[str, Decimal]:
    """The changes of balances by one trade."""
    base, quote = assets_of(symbol)
    sign = 1 if fill.side is Side.BUY else -1
    with localcontext(EXACT):
        traded = {base: sign * fill.amount, quote: -sign * fill.amount * fill.price}
        return _sum([traded, *({fee.asset: -fee.amount} for fee in fill.fees)])


def with_external_trades(sheet: BalanceSheet, trades: Iterable[tuple[str, Flows]]) -> BalanceSheet:
    """The sheet after further external trades, each with a unique name."""
    fresh = {name: flows for name, flows in trades if name not in sheet.seen}
    return replace(
        sheet,
        external_trades=_without_zeros(_sum([sheet.external_trades, *fresh.values()])),
        seen=(*sheet.seen, *fresh)[-SEEN_MAX:],
    )


def with_read(sheet: BalanceSheet, symbol: str, trade_id: str) -> BalanceSheet:
    """The sheet that includes all trades of the symbol up to that one."""
    return replace(sheet, read={**sheet.read, symbol: trade_id})


def already_read(sheet: BalanceSheet, symbol: str, trade_ids: list[str]) -> set[str]:
    """Those of the trades, oldest first, that the sheet already includes."""
    mark = sheet.read.get(symbol)
    return set(trade_ids[: trade_ids.index(mark) + 1]) if mark in trade_ids else set()


def looked_at(
    sheet: BalanceSheet, balances: Flows, flows: Flows, now: datetime
) -> tuple[BalanceSheet, bool]:
    """The sheet after a read of the balances, and whether its drift was the same the last time.

    The opening balances are accepted once two reads agree on them: a trade may have happened
    between the read of trades and the read of balances.
    """
    with localcontext(EXACT):
        rest = {
            asset: balances.get(asset, ZERO)
            - flows.get(asset, ZERO)
            - sheet.external_trades.get(asset, ZERO)
            for asset in sorted({*balances, *flows, *sheet.external_trades})
        }
    if sheet.opening is None:
        if sheet.candidate is None or _differences(rest, sheet.candidate):
            return replace(sheet, candidate=rest), False
        return replace(sheet, opening=rest, opened_at=now, candidate=None), False
    drift = _differences(rest, sheet.opening)
    return replace(sheet, suspected=drift), bool(drift) and drift == sheet.suspected


def accepted(sheet: BalanceSheet) -> BalanceSheet:
    """The sheet with its drift added to the opening balances."""
    opening = _sum([sheet.opening or {}, sheet.suspected])
    return replace(sheet, opening=opening, suspected={}, asked=())


def _differences(actual: Flows, expected: Flows) -> dict[str, Decimal]:
    assets = sorted({*actual, *expected})
    rest = {asset: actual.get(asset, ZERO) - expected.get(asset, ZERO) for asset in assets}
    return {asset: amount for asset, amount in rest.items() if abs(amount) > DUST}


def _sum(flows: Iterable[Flows]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    with localcontext(EXACT):
        for flow in flows:
            for asset, amount in flow.items():
                total[asset] = total.get(asset, ZERO) + amount
    return total


def _without_zeros(flows: Flows) -> dict[str, Decimal]:
    return {asset: amount for asset, amount in flows.items() if amount}
