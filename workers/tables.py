"""Tables for people: the same values that --json prints."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.table import Table

_NUMBERS = {"amount", "price", "filled", "average", "entry_price", "mark_price", "mark_age_s",
            "realised_pnl", "unrealised_pnl", "stamp_ms", "valid_until_ms", "number", "equity",
            "exposure", "net_exposure", "turnover", "rebuilt_amount", "rebuilt_entry_price",
            "rebuilt_realised_pnl", "bought", "sold", "imbalance", "expected_profit", "net_profit",
            "skew_ms", "ask", "bid", "profit_bps", "age_ms", "buy_price", "sell_price", "total",
            "free", "arbitrages", "traded", "open", "imbalanced", "fills", "trades_read",
            "fills_applied", "took_ms"}  # fmt: skip
PLACES_SHOWN = 8
_STATE_STYLES = {
    "filled": "green",
    "open": "cyan",
    "rejected": "red",
    "refused": "yellow",
    "quarantined": "bold red",
}
ORDER_COLUMNS = ("order_id", "signal_id", "account", "symbol", "side", "type", "amount", "price",
                 "state", "filled", "average", "reason")  # fmt: skip
POSITION_COLUMNS = ("account", "symbol", "amount", "entry_price", "mark_price", "mark_age_s",
                    "realised_pnl", "unrealised_pnl", "fees")  # fmt: skip
TOTALS_COLUMNS = ("account", "quote", "realised_pnl", "unrealised_pnl", "equity", "exposure",
                  "net_exposure", "turnover", "fees", "mark_age_s", "unmarked")  # fmt: skip
RECONCILIATION_COLUMNS = ("account", "symbols", "trades_read", "fills_applied", "orders_settled",
                          "orders_adopted", "external_orders", "drift", "repaired",
                          "symbols_failed", "warnings", "took_ms", "error")  # fmt: skip
REBUILD_COLUMNS = ("account", "symbol", "agrees", "amount", "rebuilt_amount", "entry_price",
                   "rebuilt_entry_price", "realised_pnl", "rebuilt_realised_pnl",
                   "fills")  # fmt: skip
ARBITRAGE_COLUMNS = ("arbitrage_id", "signal_id", "symbol", "buy_account", "sell_account", "state",
                     "bought", "sold", "imbalance", "expected_profit", "net_profit", "skew_ms",
                     "reason")  # fmt: skip
ARBITRAGE_TOTAL_COLUMNS = ("symbol", "arbitrages", "traded", "open", "imbalanced",
                           "expected_profit", "net_profit", "imbalance")  # fmt: skip
OPPORTUNITY_COLUMNS = ("symbol", "buy_account", "sell_account", "amount", "buy_price",
                       "sell_price", "expected_profit", "profit_bps", "limited_by",
                       "age_ms")  # fmt: skip
SPREAD_COLUMNS = ("symbol", "buy_account", "sell_account", "ask", "bid", "profit_bps",
                  "age_ms")  # fmt: skip
HOLDING_COLUMNS = ("asset", "account", "total", "free")
MOVE_COLUMNS = ("asset", "from_account", "to_account", "amount")
ATTEMPT_COLUMNS = ("number", "stamp_ms", "valid_until_ms", "verdict", "reason")
FILL_COLUMNS = ("trade_id", "price", "amount", "fee", "fee_asset", "time")


def table(
    title: str,
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    numbers: Collection[str] = (),
) -> Table:
    """Lay rows out under the named columns, numbers to the right: those known as such, and
    `numbers`."""
    laid = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        right = column in _NUMBERS or column in numbers
        laid.add_column(
            column.replace("_", " "), justify="right" if right else "left", overflow="fold"
        )
    for row in rows:
        laid.add_row(*(_cell(column, row.get(column)) for column in columns))
    return laid


def _shortened(column: str, text: str) -> str:
    """A number with more places than anybody reads is rounded for the eye; --json has it whole."""
    _, point, places = text.partition(".")
    if column not in _NUMBERS or not point or len(places) <= PLACES_SHOWN:
        return text
    return f"{Decimal(text):.{PLACES_SHOWN}f}"


def _cell(column: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{amount} {asset}" for asset, amount in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    text = _shortened(column, str(value)).replace("[", r"\[")
    style = _STATE_STYLES.get(text) if column == "state" else None
    return f"[{style}]{text}[/]" if style else text
