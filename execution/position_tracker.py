"""Values one holding at a price."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext

from execution.model.decimals import EXACT, ZERO, to_decimal
from execution.model.position import fold

__all__ = ["TrackedPosition", "fold", "track_position"]


@dataclass(frozen=True, slots=True)
class TrackedPosition:
    """One holding valued at one price: values and profit in quote, before fees."""

    symbol: str
    amount: Decimal
    entry_price: Decimal
    current_price: Decimal
    value: Decimal
    unrealised_pnl: Decimal
    unrealised_pnl_pct: Decimal


def track_position(
    symbol: str,
    amount: Decimal | str,
    entry_price: Decimal | str,
    current_price: Decimal | str,
) -> TrackedPosition:
    """Value a holding of `amount` (signed, base units) entered at `entry_price`, both as exact
    decimals or decimal strings, at `current_price`.

    Raises ValueError with a sentence that names the argument for anything that is not a decimal
    or for a price that is not above zero.
    """
    values: dict[str, Decimal] = {}
    given = {"amount": amount, "entry_price": entry_price, "current_price": current_price}
    for name, text in given.items():
        try:
            values[name] = to_decimal(text)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        if name != "amount" and values[name] <= 0:
            raise ValueError(f"{name}: {text!r} is not above zero")
    held, entry, current = values["amount"], values["entry_price"], values["current_price"]
    with localcontext(EXACT):
        profit = held * (current - entry)
        basis = abs(held) * entry
        try:
            percent = (profit / basis * 100).quantize(Decimal("0.0001")) if basis else ZERO
        except InvalidOperation:
            raise ValueError(f"current_price: {current_price!r} is out of all proportion") from None
        return TrackedPosition(symbol, held, entry, current, held * current, profit, percent)
