"""The trades table: one row per fill, with its costs and realised profit."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

import pandas as pd

from execution.model.decimals import ZERO, Money
from execution.model.instrument import COST_GRID, Instrument, assets_of
from execution.model.order import Fill, Order, Side
from execution.model.position import Position, fold
from workers.reports.fees import Rates, ValuedFees, fees_by_asset, value_fees
from workers.views.plain_text import names

NO_STRATEGY = "-"
BPS = 10_000
BPS_GRID = Decimal("0.0001")

# The contract size by account and symbol; for spot it is 1 and not needed.
ContractSizes = Mapping[tuple[str, str], Decimal]


@dataclass(frozen=True, slots=True)
class Trade:
    """One row of the table. All of the money is in `quote`: the symbol's quote asset, or its base
    asset for an inverse contract, which settles in that.

    `notional` is the traded value, `reference_notional` the value at `reference_price`. `fees` are
    as paid, by asset; `fee_quote` is their sum, None if one of them (`unvalued_fees`) has no known
    price. `gross_pnl` is before fees, `realised_pnl` after those in quote and base, `net_pnl` after
    all that can be valued. `closed_pnl` is None unless the fill reduced the position; then it is
    the result of the closed part: gross, less that part's own fees and its share of the entry's
    fees. `slippage` and `slippage_bps` are the implementation shortfall against `reference_price`,
    positive for a cost; None if the order had no such price.
    """

    time: datetime
    account: str
    symbol: str
    quote: str
    strategy: str
    side: str
    order_id: str
    signal_id: str
    trade_id: str
    price: Money
    amount: Money
    notional: Money
    fees: dict[str, Money]
    fee_quote: Money | None
    unvalued_fees: dict[str, Money]
    gross_pnl: Money
    realised_pnl: Money
    net_pnl: Money
    closed_pnl: Money | None
    reference_price: Money | None
    reference_notional: Money | None
    slippage: Money | None
    slippage_bps: Decimal | None


COLUMNS = tuple(field.name for field in fields(Trade))
# The columns that hold decimals, and those that hold decimals by asset.
NUMBERS = names(
    "price amount notional fee_quote gross_pnl realised_pnl net_pnl closed_pnl reference_price "
    "reference_notional slippage slippage_bps"
)
MAPS = ("fees", "unvalued_fees")


def money_asset(symbol: str) -> str:
    """The asset of the symbol's profit: its settle asset, or for spot its quote asset."""
    return symbol.partition(":")[2].partition("-")[0] or assets_of(symbol)[1]


def trades_of(orders: Iterable[Order], rates: Rates, sizes: ContractSizes) -> list[Trade]:
    """Every fill of `orders`, oldest first; fills of the same time keep the order in which they
    moved the position.

    The orders must be the whole history, because profit depends on the earlier position. Raises
    ValueError for an unsupported instrument (see execution.model.instrument).
    """
    moves: defaultdict[tuple[str, str], list[tuple[Fill, Order]]] = defaultdict(list)
    for order in orders:
        for fill in order.fills:
            moves[order.account, order.symbol].append((fill, order))
    trades = [
        trade
        for key in sorted(moves)
        for trade in _trades_of_position(
            Position(*key, contract_size=sizes.get(key, Decimal(1))), moves[key], rates
        )
    ]
    return sorted(trades, key=lambda trade: trade.time)


def trades_frame(trades: Iterable[Trade]) -> pd.DataFrame:
    """The trades as a frame with COLUMNS and `day`; money stays Decimal, `time` is in UTC."""
    return frame_of(trades, COLUMNS, "time")


def frame_of(rows: Iterable[object], columns: Sequence[str], moment: str) -> pd.DataFrame:
    """A frame of objects, but for the column `moment`, and with `day`: the UTC day of that."""
    kept = list(rows)
    frame = pd.DataFrame(
        {name: pd.Series([getattr(row, name) for row in kept], dtype=object) for name in columns}
    )
    frame[moment] = pd.to_datetime(frame[moment], utc=True).dt.as_unit("us")
    frame["day"] = frame[moment].dt.strftime("%Y-%m-%d").astype(object)
    return frame


def _place(move: tuple[Fill, Order]) -> tuple[int, datetime, str]:
    """The sort key of a fill within its position. A fill without a sequence is from a release that
    did not number them, and so is older than all that have one."""
    fill = move[0]
    return fill.sequence, fill.time, fill.trade_id


def _trades_of_position(
    position: Position, moves: list[tuple[Fill, Order]], rates: Rates
) -> Iterator[Trade]:
    """Fold the fills of one position one at a time. `entry_costs` are the fees of opening the
    current position that no closing fill has been charged with yet."""
    terms = position.instrument
    entry_costs = ZERO
    for fill, order in sorted(moves, key=_place):
        after = fold(position, [fill])
        fees = value_fees(fill, terms, rates)
        realised = after.realised_pnl - position.realised_pnl
        net = realised - fees.other
        closed, entry_costs = _closed(position.amount, fill, net, fees.known, entry_costs)
        yield _row(order, fill, fees, terms, realised=realised, net=net, closed=closed)
        position = after


def _closed(
    held: Decimal, fill: Fill, net: Decimal, fee: Decimal, entry_costs: Decimal
) -> tuple[Decimal | None, Decimal]:
    """The result of the closing part of a fill, None if it has none, and the remaining entry
    costs."""
    works_against = held < 0 if fill.side is Side.BUY else held > 0
    if not works_against:
        return None, entry_costs - net
    closing = min(abs(held), fill.amount)
    share = _share(entry_costs, closing, abs(held))
    opening_fee = fee - _share(fee, closing, fill.amount)
    return net + opening_fee - share, entry_costs + opening_fee - share


def _share(money: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    return money if part == whole else (money * part / whole).quantize(COST_GRID)


def _row(
    order: Order,
    fill: Fill,
    fees: ValuedFees,
    terms: Instrument,
    *,
    realised: Decimal,
    net: Decimal,
    closed: Decimal | None,
) -> Trade:
    notional = terms.value(fill.amount, fill.price)
    reference = order.reference_price
    at_reference = terms.value(fill.amount, reference) if reference else None
    slippage = None
    if at_reference is not None:
        sign = terms.profit_sign if fill.side is Side.BUY else -terms.profit_sign
        slippage = sign * (notional - at_reference)
    return Trade(
        time=fill.time,
        account=order.account,
        symbol=order.symbol,
        quote=terms.settle,
        strategy=order.strategy or NO_STRATEGY,
        side=fill.side.value,
        order_id=order.order_id,
        signal_id=order.signal_id,
        trade_id=fill.trade_id,
        price=fill.price,
        amount=fill.amount,
        notional=notional,
        fees=fees_by_asset(fill),
        fee_quote=None if fees.unvalued else fees.known,
        unvalued_fees=fees.unvalued,
        gross_pnl=net + fees.known,
        realised_pnl=realised,
        net_pnl=net,
        closed_pnl=closed,
        reference_price=reference,
        reference_notional=at_reference,
        slippage=slippage,
        slippage_bps=bps(slippage, at_reference),
    )


def bps(money: Decimal | None, notional: Decimal | None) -> Decimal | None:
    """`money` as basis points of `notional`; None if that is zero."""
    if money is None or not notional:
        return None
    return (money / notional * BPS).quantize(BPS_GRID)
