"""Compares arbitrages with the ledgers of the paper exchanges that their legs went to."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from execution.arbitrage.model import PRICE_GRID, Arbitrage, ArbitrageState
from execution.model.decimals import EXACT, ZERO, to_decimal, to_text, total_by
from execution.model.instrument import assets_of
from execution.model.order import Order
from workers.sandbox.audit import Check, Ledger, ledger_positions, order_checks

# Below every paper exchange's minimum notional, in quote: less than this may be left of an
# arbitrage.
DUST_NOTIONAL = Decimal(5)
Row = Mapping[str, Any]


def compare_arbitrages(
    arbitrages: Iterable[Arbitrage], orders: Iterable[Order], ledgers: Mapping[str, Ledger]
) -> list[Check]:
    """Check every arbitrage and every one of `orders` against the ledgers, by account.

    The ledgers must hold these arbitrages' orders only: then the balances of all accounts together
    have changed by the sum of the recorded imbalances.
    """
    arbitrages, orders = list(arbitrages), list(orders)
    checks = []
    for arbitrage in arbitrages:
        checks += arbitrage_checks(arbitrage, ledgers)
    for account, ledger in ledgers.items():
        mine = [order for order in orders if order.account == account]
        checks += order_checks(mine, ledger)
        checks += _stray_checks(account, mine, ledgers)
    return [*checks, *_leg_checks(arbitrages, orders), *_net_checks(arbitrages, ledgers)]


def arbitrage_checks(arbitrage: Arbitrage, ledgers: Mapping[str, Ledger]) -> list[Check]:
    """One arbitrage: that it has ended, was expected to be profitable, left no more than its
    recorded imbalance, and that its amounts and profit equal those of its legs' trades."""
    subject, result = arbitrage.arbitrage_id, arbitrage.result
    rows = leg_trades(arbitrage, ledgers)
    there = traded(arbitrage.symbol, rows)
    checks = [
        Check("has ended", subject, _yes(arbitrage.has_ended), "yes"),
        Check("bought", subject, to_text(result.bought), to_text(there.bought)),
        Check("sold", subject, to_text(result.sold), to_text(there.sold)),
        Check("net profit", subject, to_text(result.net_profit), to_text(there.net_profit)),
    ]
    if arbitrage.expected_profit is not None:
        pays = arbitrage.expected_profit > 0
        checks.append(Check("expected profit above zero", subject, _yes(pays), "yes"))
    if arbitrage.state is ArbitrageState.CLOSED:
        is_dust = abs(there.rest) * there.price < DUST_NOTIONAL
        checks.append(Check("nothing but dust is left", subject, _yes(is_dust), "yes"))
    return checks


def leg_trades(arbitrage: Arbitrage, ledgers: Mapping[str, Ledger]) -> list[Row]:
    """The ledgers' trades of the arbitrage's orders, each on the leg's account.

    On every paper exchange an order's id is its client order id.
    """
    wanted = {(leg.account, leg.order_id) for leg in arbitrage.legs}
    return [
        row
        for account, ledger in ledgers.items()
        for row in ledger["trades"]
        if (account, row["clientOrderId"]) in wanted
    ]


@dataclass(frozen=True, slots=True)
class Traded:
    """The totals of trades: base bought and sold, and net profit in quote.

    A fee in base is valued at its trade's price, and the imbalance at its average price: `price`,
    the average of the side with the larger amount.
    """

    bought: Decimal
    sold: Decimal
    net_profit: Decimal
    price: Decimal

    @property
    def rest(self) -> Decimal:
        """The amount bought minus the amount sold."""
        return EXACT.subtract(self.bought, self.sold)


def traded(symbol: str, rows: Iterable[Row]) -> Traded:
    """The totals of one symbol's trades, from the ledgers alone."""
    base, _ = assets_of(symbol)
    rows = list(rows)
    with localcontext(EXACT):
        bought, paid = _side(row for row in rows if row["isBuyer"])
        sold, received = _side(row for row in rows if not row["isBuyer"])
        more, value = (bought, paid) if bought > sold else (sold, received)
        price = (value / more).quantize(PRICE_GRID) if more else ZERO
        cash = received - paid - sum((_cost(row, base) for row in rows), ZERO)
        return Traded(bought, sold, cash + (bought - sold) * price, price)


def _side(rows: Iterable[Row]) -> tuple[Decimal, Decimal]:
    """Base and quote of the trades of one side."""
    pairs = [(to_decimal(row["qty"]), to_decimal(row["price"])) for row in rows]
    return sum((qty for qty, _ in pairs), ZERO), sum((qty * price for qty, price in pairs), ZERO)


def _cost(row: Row, base: str) -> Decimal:
    """A trade's fee in quote."""
    worth = to_decimal(row["price"]) if row["commissionAsset"] == base else Decimal(1)
    return to_decimal(row["commission"]) * worth


def _stray_checks(
    account: str, orders: Iterable[Order], ledgers: Mapping[str, Ledger]
) -> list[Check]:
    """No order of the account is at another exchange."""
    elsewhere = Counter(
        row["clientOrderId"]
        for other, ledger in ledgers.items()
        if other != account
        for row in ledger["orders"]
    )
    return [
        Check(
            "orders at another exchange", order.order_id, "0", str(elsewhere[order.client_order_id])
        )
        for order in orders
    ]


def _leg_checks(arbitrages: Iterable[Arbitrage], orders: Iterable[Order]) -> list[Check]:
    """Every order is the leg of one arbitrage, and every leg is an order."""
    legs = Counter(leg.order_id for arbitrage in arbitrages for leg in arbitrage.legs)
    known = {order.order_id for order in orders}
    return [
        Check(
            "legs that are this order", order_id, str(legs[order_id]), str(int(order_id in known))
        )
        for order_id in sorted(legs.keys() | known)
    ]


def _net_checks(arbitrages: Iterable[Arbitrage], ledgers: Mapping[str, Ledger]) -> list[Check]:
    """By symbol, the change of all accounts' balances together equals the recorded imbalances less
    the fees in base."""
    ours = total_by((each.symbol, _left(each)) for each in arbitrages)
    theirs = total_by(
        (name, amount)
        for ledger in ledgers.values()
        for name, (amount, _, _) in ledger_positions(ledger).items()
    )
    names = {symbol.replace("/", ""): symbol for symbol in ours}
    return [
        Check(
            "net base of all accounts",
            name,
            to_text(ours.get(names.get(name, ""), ZERO)),
            to_text(theirs.get(name, ZERO)),
        )
        for name in sorted(names.keys() | theirs.keys())
    ]


def _left(arbitrage: Arbitrage) -> Decimal:
    """The base that an arbitrage has left, less the fees that were taken in it."""
    base, _ = assets_of(arbitrage.symbol)
    return EXACT.subtract(arbitrage.imbalance, arbitrage.result.fees.get(base, ZERO))


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"
