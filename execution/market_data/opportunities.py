"""Opportunities: their fields, ids, and how often each is offered."""

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
    """A spread that is profitable after both taker fees.

    `amount` is in base. `buy_price` and `sell_price` are averages over the depth taken; the worst
    prices are those of the last levels taken. Fees are fractions. `expected_profit`, in quote, is
    exact; `profit_bps` is its share of the buy notional. `age_ms` is that of the older book.
    `limited_by` names what kept the amount from being larger. Every scanner gives the same two
    books the same `signal_id`.
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
    """The opportunity of taking this amount of a pair."""
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
    """The age of a book by the older of its two timestamps; never below zero."""
    stamps = [snapshot.received_ms]
    if snapshot.exchange_ms is not None:
        stamps.append(snapshot.exchange_ms)
    return max(now_ms - min(stamps), 0)


def signal_id_of(buy: BookSnapshot, sell: BookSnapshot) -> str:
    """The id of the opportunity in two books, the same in every scanner.

    It does not depend on the amount, since balances differ from one scan to the next.
    """
    parts = (buy.symbol, buy.account, _moment(buy), sell.account, _moment(sell))
    digest = hashlib.blake2b("\n".join(parts).encode(), digest_size=_DIGEST_BYTES).digest()
    return "scan-" + base64.b32encode(digest).decode().lower()


def _moment(snapshot: BookSnapshot) -> str:
    """The identity of a book's state, by the exchange's own number if it has one."""
    if snapshot.sequence is not None:
        return f"sequence {snapshot.sequence}"
    if snapshot.exchange_ms is not None:
        return f"made {snapshot.exchange_ms}"
    return f"received {snapshot.received_ms}"


class Cooldown:
    """Lets an opportunity pass once, and the same route through two accounts only once per
    cooldown.

    Keeps one entry for each route that was ever offered. Not to be shared between threads.
    """

    def __init__(self, cooldown_ms: int) -> None:
        if cooldown_ms < 0:
            raise ValueError(f"cooldown_ms: {cooldown_ms} is below zero")
        self._cooldown_ms = cooldown_ms
        self._offered: dict[tuple[str, str, str], tuple[str, int]] = {}

    def fresh(self, opportunities: Iterable[Opportunity], now_ms: int) -> list[Opportunity]:
        """Those of `opportunities` that are to be offered now, in order; they count as offered."""
        return [each for each in opportunities if self._offer(each, now_ms)]

    def _offer(self, opportunity: Opportunity, now_ms: int) -> bool:
        way = (opportunity.symbol, opportunity.buy_account, opportunity.sell_account)
        signal_id, offered_ms = self._offered.get(way, ("", now_ms - self._cooldown_ms))
        # A clock that was set back must not silence the scanner until it has caught up.
        if signal_id == opportunity.signal_id or 0 <= now_ms - offered_ms < self._cooldown_ms:
            return False
        self._offered[way] = (opportunity.signal_id, now_ms)
        return True
