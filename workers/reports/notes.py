"""Notes that qualify the figures, each one sentence."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import pandas as pd

from execution.model.decimals import to_text
from execution.model.instrument import assets_of
from execution.model.order import OrderState
from workers.reports.fees import Rates
from workers.reports.summary import Summary
from workers.reports.trades import ContractSizes


def notes_on(
    trades: pd.DataFrame,
    orders: pd.DataFrame,
    totals: Iterable[Summary],
    rates: Rates,
    since: datetime | None,
    earlier: int,
    sizes: ContractSizes,
) -> tuple[str, ...]:
    """The notes on a report; `earlier` is the number of fills before `since`."""
    return (
        *_on_extent(trades, orders, since, earlier),
        *_on_contracts(trades, sizes),
        *_on_fees(trades, totals, rates),
        *_on_slippage(trades),
        *_on_orders(orders),
    )


def _on_extent(
    trades: pd.DataFrame, orders: pd.DataFrame, since: datetime | None, earlier: int
) -> Iterator[str]:
    if not len(trades) and not len(orders):
        yield "There are no orders" + (" yet." if since is None else " in this time.")
    elif not len(trades):
        yield "Nothing has been filled" + (" yet." if since is None else " in this time.")
    if earlier:
        yield (
            f"{_count(earlier, 'earlier fill')} {'is' if earlier == 1 else 'are'} not shown; "
            "profit still includes what they bought and sold."
        )


def _on_contracts(trades: pd.DataFrame, sizes: ContractSizes) -> Iterator[str]:
    traded = set(zip(trades["account"], trades["symbol"], strict=True))
    for account, symbol in sorted(traded - set(sizes)):
        if ":" in symbol:
            yield f"The contract size of {symbol} on {account} is not known and taken as 1."


def _on_fees(trades: pd.DataFrame, totals: Iterable[Summary], rates: Rates) -> Iterator[str]:
    for summary in totals:
        for asset, amount in summary.unvalued_fees.items():
            yield (
                f"Fees of {to_text(amount)} {asset} are in no figure, because no price of "
                f"{asset} in {summary.quote} is known."
            )
    paid = {
        f"{asset}/{quote}"
        for fees, symbol, quote in zip(
            trades["fees"], trades["symbol"], trades["quote"], strict=True
        )
        for asset in fees
        # Those in the pair's own assets are valued at the fill's price.
        if asset not in assets_of(symbol)
    }
    for symbol in sorted(paid & set(rates)):
        asset, _, quote = symbol.partition("/")
        yield (
            f"Fees in {asset} are valued at {to_text(rates[symbol])} {quote} each, which is the "
            "price at the time of the report, not at that of the trade."
        )


def _on_slippage(trades: pd.DataFrame) -> Iterator[str]:
    without = int(trades["slippage"].isna().sum())
    if without:
        yield (
            f"{_count(without, 'fill')} of {len(trades):,} had no reference price; "
            "slippage is that of the others."
        )


def _on_orders(orders: pd.DataFrame) -> Iterator[str]:
    missing = int(orders["fills_missing"].astype(bool).sum())
    if missing:
        yield (
            f"{_count(missing, 'order')} had more filled than the known fills add up to; "
            "what is missing is in no figure."
        )
    unknown = int((orders["state"] == OrderState.QUARANTINED.value).sum())
    if unknown:
        yield (
            f"{_count(unknown, 'order')} in quarantine: the outcome is unknown, so there may be "
            "fills that are in no figure."
        )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
