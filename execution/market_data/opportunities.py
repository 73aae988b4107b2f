"""An opportunity that leaves the scanner: what it is, its id, and how often it is offered."""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from execution.market_data.snapshots import BookSnapshot
from execution.market_data.spreads import QUOTIENT, LimitedBy, Pair, Sized

_DIGEST_BYTES = 15


@dataclass(frozen=True, slots=True)
class Opportunity:
    """A spread that pays after both taker fees.

    `amount` is in base. `buy_price` and `sell_price` are averages over the depth taken; the worst
    prices are those of the last levels taken. Fees are fractions. `expected_profit`, in quote, is
    exact; `profit_bps` is its share of the buy notional. `age_ms` is that of the older book.
    `limited_by` names what kept the amount from being larger. Who sees the same two books gives
    the same `signal_id`.
    """

    symbol: str
    buy_account: str
    sell_account: str
    amount: Decimal
    buy_price: Decimal
    sell_price: Decimal
    buy_worst_price: Decimal
    sell_worst_price: Decimal
    buy_fee: Decimal
    sell_fee: Decimal
    expected_profit: Decimal
    profit_bps: Decimal
    age_ms: int
    limited_by: LimitedBy
    signal_id: str


def opportunity(pair: Pair, sized: Sized, now_ms: int) -> Opportunity:
    """Tell what taking so much of a pair comes to."""
    buy, sell, priced = pair.buy, pair.sell, sized.priced
    bought, sold = priced.bought, priced.sold
    return Opportunity(
        symbol=buy.snapshot.symbol,
        buy_account=buy.snapshot.account,
        sell_account=sell.snapshot.account,
        amount=bought.amount,
        buy_price=QUOTIENT.divide(bought.cost, bought.amount),
        sell_price=QUOTIENT.divide(sold.cost, sold.amount),
        buy_worst_price=bought.worst_price,
        sell_worst_price=sold.worst_price,
        buy_fee=buy.market.taker_fee,
        sell_fee=sell.market.taker_fee,
        expected_profit=priced.profit,
        profit_bps=priced.profit_bps,
        age_ms=max(age_ms(buy.snapshot, now_ms), age_ms(sell.snapshot, now_ms)),
        limited_by=sized.limited_by,
        signal_id=signal_id_of(buy.snapshot, sell.snapshot),
    )


def age_ms(snapshot: BookSnapshot, now_ms: int) -> int:
    """How old a book is by the older of its two stamps; never below zero."""
    stamps = [snapshot.received_ms]
    if snapshot.exchange_ms is not None:
        stamps.append(snapshot.exchange_ms)
    return max(now_ms - min(stamps), 0)


def signal_id_of(buy: BookSnapshot, sell: BookSnapshot) -> str:
    """Name the opportunity in two books, the same for everybody who sees them.

    The amount is no part of it, since balances differ from one look to the next.
    """
    parts = (buy.symbol, buy.account, _moment(buy), sell.account, _moment(sell))
    digest = hashlib.blake2b("\n".join(parts).encode(), digest_size=_DIGEST_BYTES).digest()
    return "scan-" + base64.b32encode(digest).decode().lower()


def _moment(snapshot: BookSnapshot) -> str:
    """Which state of its book this is, in the exchange's own terms if it has any."""
    if snapshot.sequence is not None:
        return f"sequence {snapshot.sequence}"
    if snapshot.exchange_ms is not None:
        return f"made {snapshot.exchange_ms}"
    return f"received {snapshot.received_ms}"


class Cooldown:
    """Offers an opportunity once, and the same way through two accounts only every so often.

    Keeps one entry for each way that was ever offered. Not to be shared between threads.
    """

    def __init__(self, cooldown_ms: int) -> None:
        if cooldown_ms < 0:
            raise ValueError(f"cooldown_ms: {cooldown_ms} is below zero")
        self._cooldown_ms = cooldown_ms
        self._offered: dict[tuple[str, str, str], tuple[str, int]] = {}

    def fresh(self, found: Iterable[Opportunity], now_ms: int) -> list[Opportunity]:
        """Those of `found` that are to be offered now, in their order; they count as offered."""
        return [one for one in found if self._offer(one, now_ms)]

    def _offer(self, found: Opportunity, now_ms: int) -> bool:
        way = (found.symbol, found.buy_account, found.sell_account)
        signal_id, offered_ms = self._offered.get(way, ("", now_ms - self._cooldown_ms))
        # A clock that was put back must not silence the scanner until it has caught up.
        if signal_id == found.signal_id or 0 <= now_ms - offered_ms < self._cooldown_ms:
            return False
        self._offered[way] = (found.signal_id, now_ms)
        return True
