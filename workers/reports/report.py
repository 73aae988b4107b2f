"""Builds the report from the ledger's orders and snapshots."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import localcontext

import pandas as pd

from execution.ledger.port import Snapshot
from execution.model.decimals import EXACT, ZERO, Money, total
from execution.model.order import Order
from workers.reports.equity import Baseline, EquityPoint, equity_points
from workers.reports.fees import Rates
from workers.reports.notes import notes_on
from workers.reports.orders import outcome_of, outcomes_frame
from workers.reports.summary import Summary, summarise
from workers.reports.trades import ContractSizes, trades_frame, trades_of


@dataclass(frozen=True, slots=True)
class Report:
    """The period from `since` (None: the beginning) to `generated_at`, both in UTC.

    `trades` has a row for each fill, oldest first, with the fields of `trades.Trade`. `totals` has
    one summary for each quote asset; the others are per quote asset and day, symbol and so on.
    `states` counts the orders by state. `notes` are sentences that qualify the figures.
    """

    generated_at: datetime
    since: datetime | None
    trades: pd.DataFrame
    equity: tuple[EquityPoint, ...]
    totals: tuple[Summary, ...]
    by_day: tuple[Summary, ...]
    by_symbol: tuple[Summary, ...]
    by_account: tuple[Summary, ...]
    by_strategy: tuple[Summary, ...]
    states: dict[str, int]
    notes: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not self.totals


def build_report(
    orders: Iterable[Order],
    snapshots: Iterable[Snapshot],
    *,
    since: datetime | None,
    now: datetime,
    rates: Rates | None = None,
    contract_sizes: ContractSizes | None = None,
) -> Report:
    """Build the report from the whole history; `since` limits only what is shown.

    `rates` are the prices of assets that fees were paid in, by symbol ("BNB/USDT"); a fee in an
    asset without one is counted apart. `contract_sizes` are by account and symbol. Raises
    ValueError for a `since` or `now` without a zone, and for a fill of an unsupported instrument.
    """
    for name, moment in (("since", since), ("now", now)):
        if moment is not None and moment.tzinfo is None:
            raise ValueError(f"{name}: {moment.isoformat()!r} has no time zone")
    history = list(orders)
    sizes = contract_sizes or {}
    # Pandas adds Decimals by Python's rules, so the context applies to the sums of frames, too.
    with localcontext(EXACT):
        every_trade = trades_frame(trades_of(history, rates or {}, sizes))
        every_order = outcomes_frame(outcome_of(order) for order in history)
        trades = _since(every_trade, "time", since)
        outcomes = _since(every_order, "created_at", since)
        totals = summarise(trades, outcomes, None)
        earlier = every_trade.iloc[: len(every_trade) - len(trades)]
        return Report(
            generated_at=now.astimezone(UTC),
            since=None if since is None else since.astimezone(UTC),
            trades=trades,
            equity=equity_points(snapshots, since, _baselines(earlier, trades)),
            totals=totals,
            by_day=summarise(trades, outcomes, "day"),
            by_symbol=summarise(trades, outcomes, "symbol"),
            by_account=summarise(trades, outcomes, "account"),
            by_strategy=summarise(trades, outcomes, "strategy"),
            states=dict(sorted(Counter(outcomes["state"]).items())),
            notes=notes_on(trades, outcomes, totals, rates or {}, since, len(earlier), sizes),
        )


def _since(frame: pd.DataFrame, column: str, since: datetime | None) -> pd.DataFrame:
    return frame if since is None else frame[frame[column] >= pd.Timestamp(since)]


def _baselines(earlier: pd.DataFrame, trades: pd.DataFrame) -> dict[str, Baseline]:
    """The baseline of the snapshots by quote asset, so that equity agrees with `trades`."""
    before = {str(quote): total(pnl) for quote, pnl in earlier.groupby("quote")["realised_pnl"]}
    other_fees: dict[str, list[tuple[datetime, Money]]] = {}
    for quote, time, realised, net in zip(
        *(trades[name] for name in ("quote", "time", "realised_pnl", "net_pnl")), strict=True
    ):
        if realised != net:
            other_fees.setdefault(quote, []).append((time, realised - net))
    return {
        quote: Baseline(before.get(quote, ZERO), other_fees.get(quote, []))
        for quote in {*before, *other_fees}
    }
