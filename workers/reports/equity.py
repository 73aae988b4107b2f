"""Equity over time, from the ledger's snapshots."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import accumulate, groupby

from execution.ledger.port import Snapshot
from execution.model.decimals import ZERO, Money, total


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """All accounts together at one time, in `quote`.

    `equity` is the profit since the report's beginning, realised and unrealised, after all fees
    that have a known price.
    """

    quote: str
    time: datetime
    equity: Money
    unrealised_pnl: Money
    exposure: Money


COLUMNS = tuple(field.name for field in fields(EquityPoint))


@dataclass(frozen=True, slots=True)
class Baseline:
    """Converts the snapshots of one quote asset to the zero point and the fees of the report's
    sums.

    `realised_before` is the profit realised before the report's beginning. `other_fees` are the
    valued fees in other assets since then, with their times, oldest first: the net result includes
    them, and a snapshot does not.
    """

    realised_before: Money = ZERO
    other_fees: Sequence[tuple[datetime, Money]] = ()


def equity_points(
    snapshots: Iterable[Snapshot], since: datetime | None, baselines: Mapping[str, Baseline]
) -> tuple[EquityPoint, ...]:
    """The sum of all accounts at each time, each by its latest snapshot; by quote, then time."""
    by_quote: defaultdict[str, list[Snapshot]] = defaultdict(list)
    for snapshot in snapshots:
        by_quote[snapshot.quote].append(snapshot)
    return tuple(
        point
        for quote in sorted(by_quote)
        for point in _points(quote, by_quote[quote], since, baselines.get(quote, Baseline()))
    )


def _points(
    quote: str, snapshots: list[Snapshot], since: datetime | None, baseline: Baseline
) -> Iterator[EquityPoint]:
    times = [time for time, _ in baseline.other_fees]
    paid = list(accumulate((fee for _, fee in baseline.other_fees), initial=ZERO))
    latest: dict[str, Snapshot] = {}
    ordered = sorted(snapshots, key=lambda snapshot: snapshot.time)
    for time, seen in groupby(ordered, key=lambda snapshot: snapshot.time):
        latest.update({snapshot.account: snapshot for snapshot in seen})
        if since is not None and time < since:
            continue
        equity = total(account.equity for account in latest.values())
        yield EquityPoint(
            quote=quote,
            time=time,
            equity=equity - baseline.realised_before - paid[bisect_right(times, time)],
            unrealised_pnl=total(account.unrealised_pnl for account in latest.values()),
            exposure=total(account.exposure for account in latest.values()),
        )
