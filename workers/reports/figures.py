"""Labels, definitions, decimal places and signs of the figures."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from execution.model.decimals import EXACT, Money, to_text
from workers.reports.summary import Summary

MINUS = "\N{MINUS SIGN}"
PLACES_MIN = 2
PLACES_MAX = 8


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a summary. `text` formats it, given the decimal places of money; it is empty if
    there is no value. `is_result` marks profit and loss, where the sign matters."""

    key: str
    label: str
    definition: str
    text: Callable[[Summary, int], str]
    is_result: bool = False


def places_for(turnover: Money) -> int:
    """The decimal places for money of this size: about six digits in all."""
    return max(PLACES_MIN, min(PLACES_MAX, 6 - turnover.adjusted())) if turnover else PLACES_MIN


def money(amount: Decimal | None, places: int) -> str:
    """The amount with thousands separators, rounded to `places`; never a negative zero."""
    if amount is None:
        return ""
    with localcontext(EXACT):
        rounded = amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    return f"{rounded if rounded else abs(rounded):,f}"


def signed(amount: Decimal | None, places: int) -> str:
    """As `money`, with a plus sign if it is above zero after rounding."""
    text = money(amount, places)
    return f"+{text}" if text.strip("-0.,") and not text.startswith("-") else text


def typeset(text: str) -> str:
    """A number's text with a true minus sign, as wide as a digit."""
    return text.replace("-", MINUS)


def tone(result: Decimal) -> str:
    """The colour class of a result: gain, loss or even."""
    return "gain" if result > 0 else "loss" if result < 0 else "even"


def percent(share: Decimal | None) -> str:
    return "" if share is None else f"{money(share * 100, 1)}%"


def fees(summary: Summary, places: int) -> str:
    """The fees, then those without a known price: "1,204.50 + 0.3 BNB"."""
    unvalued = [f"{to_text(fee)} {asset}" for asset, fee in summary.unvalued_fees.items()]
    return " + ".join([money(summary.fees, places), *unvalued])


def milliseconds(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def moment(time: datetime) -> str:
    """A time in UTC to the minute: "1 Sep 2026, 14:05 UTC"."""
    utc = time.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


FIGURES = (
    Figure(
        "net_pnl",
        "Net result",
        "Realised profit after all fees that have a known price. What is still held is not in it.",
        lambda summary, places: signed(summary.net_pnl, places),
        is_result=True,
    ),
    Figure(
        "gross_pnl",
        "Gross result",
        "Realised profit before fees, at average entry prices. Gross less fees is net.",
        lambda summary, places: signed(summary.gross_pnl, places),
        is_result=True,
    ),
    Figure(
        "fees",
        "Fees",
        "Quote fees as they are, base fees at the price of their fill, others at the given rates.",
        fees,
    ),
    Figure(
        "turnover",
        "Turnover",
        "The value of all fills, bought and sold.",
        lambda summary, places: money(summary.turnover, places),
    ),
    Figure(
        "max_drawdown",
        "Max drawdown",
        "The deepest fall of the running net result below its highest value so far, counting the "
        "zero that it starts from.",
        lambda summary, places: money(summary.max_drawdown, places),
    ),
    Figure(
        "win_rate",
        "Win rate",
        "Of the orders that closed a position, the share with a profit. The result of a "
        "closing is its gross profit, less its fees and its share of the fees of the entry.",
        lambda summary, _: percent(summary.win_rate),
    ),
    Figure(
        "profit_factor",
        "Profit factor",
        "The profit of winning closing orders, divided by the loss of losing ones.",
        lambda summary, _: money(summary.profit_factor, 2),
    ),
    Figure(
        "slippage",
        "Slippage",
        "What the fills cost beyond the market price at the time of the signal; below zero they "
        "were better than that.",
        lambda summary, places: signed(summary.slippage, places),
    ),
    Figure(
        "slippage_bps",
        "Slippage, bps",
        "Slippage in hundredths of a percent of what was traded, at the price of the signal.",
        lambda summary, _: signed(summary.slippage_bps, 2),
    ),
    Figure(
        "fill_ratio",
        "Fill ratio",
        "The filled share of an order, averaged over the orders that ended at the exchange (filled,"
        " canceled, expired or rejected), each counting alike.",
        lambda summary, _: percent(summary.fill_ratio),
    ),
    Figure(
        "trades",
        "Trades",
        "Fills, counted on the UTC day on which they happened.",
        lambda summary, _: f"{summary.trades:,}",
    ),
    Figure(
        "orders",
        "Orders",
        "Orders, filled or not, counted on the UTC day on which they were created.",
        lambda summary, _: f"{summary.orders:,}",
    ),
)
BY_KEY = {figure.key: figure for figure in FIGURES}
LATENCY_DEFINITION = (
    "From the signal's publication to the first attempt to place it, and to its first fill; an "
    "order that rests in the book waits for its price. The times come from the clocks of Redis "
    "and of the exchange. p95 is the least value that 95% do not exceed."
)
