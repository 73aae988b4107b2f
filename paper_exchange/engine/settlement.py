"""Moves the funds of a trade. Nothing is created or lost: each debit has an equal credit."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from paper_exchange.engine.accounts import Account
from paper_exchange.engine.history import History
from paper_exchange.engine.market.market import Market
from paper_exchange.engine.orders import ZERO, Fill, Order, Side, Status, Trade
from paper_exchange.engine.symbols import ASSET_UNIT


@dataclass(frozen=True, slots=True)
class Fees:
    """The fee, as a share of what is received."""

    maker: Decimal
    taker: Decimal


class Settlement:
    """The accounts' counterpart: the outside market's balances and the fees collected."""

    def __init__(
        self, accounts: Mapping[str, Account], fees: Fees, now_ms: Callable[[], int]
    ) -> None:
        self.fees = fees
        # What the outside market has gained; it may sell what it never had, so it may be negative.
        self.outside: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.collected: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.fills: list[Fill] = []
        self._accounts = accounts
        self.now_ms = now_ms

    def settle(
        self, market: Market, taker: Order | None, maker: Order | None, price: Decimal, qty: Decimal
    ) -> None:
        """Book one trade. None is the outside market; it pays no fees."""
        quote = price * qty
        buyer_is_maker = (maker.side if maker else _other_side(taker)) is Side.BUY
        market.last_price = price
        now_ms = self.now_ms()
        trade = Trade(market.take_trade_id(), price, qty, quote, now_ms, buyer_is_maker)
        market.trades.append(trade)
        for order, is_maker in ((maker, True), (taker, False)):
            side_is_buyer = is_maker is buyer_is_maker
            if order is None:
                self._settle_outside(market, trade, is_buyer=side_is_buyer)
            else:
                self._settle_order(order, trade, is_maker=is_maker)

    def finish(self, order: Order, status: Status) -> None:
        """End an order: unlock what it still holds and remove it from the open orders."""
        account = self._accounts[order.account]
        order.status = status
        order.updated_ms = account.updated_ms = self.now_ms()
        if order.hold:
            account.move(order.hold_asset, order.hold, -order.hold)
            order.hold = ZERO
        account.open_orders.pop(order.id, None)
        account.recently_ended.append(order)
        account.open_by_client_id.pop(order.client_id, None)

    def _settle_outside(self, market: Market, trade: Trade, *, is_buyer: bool) -> None:
        sign = 1 if is_buyer else -1
        self.outside[market.symbol.base] += sign * trade.qty
        self.outside[market.symbol.quote] -= sign * trade.quote

    def _settle_order(self, order: Order, trade: Trade, *, is_maker: bool) -> None:
        account = self._accounts[order.account]
        symbol = order.symbol
        if order.side is Side.BUY:
            paid, received, asset = trade.quote, trade.qty, symbol.base
            # A limit order locked the cost at its own price; what a better price saves is unlocked.
            held = paid if order.price is None else order.price * trade.qty
        else:
            paid, received, asset = trade.qty, trade.quote, symbol.quote
            held = paid
        rate = self.fees.maker if is_maker else self.fees.taker
        commission = (received * rate).quantize(ASSET_UNIT, ROUND_DOWN) if rate else ZERO
        account.move(order.hold_asset, held - paid, -held)
        account.move(asset, received - commission, ZERO)
        self.collected[asset] += commission
        order.hold -= held
        order.executed += trade.qty
        order.executed_quote += trade.quote
        order.updated_ms = account.updated_ms = trade.time_ms
        fill = Fill(
            trade_id=trade.id,
            order=order,
            price=trade.price,
            qty=trade.qty,
            quote=trade.quote,
            commission=commission,
            commission_asset=asset,
            is_maker=is_maker,
            time_ms=trade.time_ms,
        )
        order.fills.append(fill)
        self.fills.append(fill)
        account.fills.setdefault(order.symbol.name, History()).append(fill, trade.id, trade.time_ms)


def _other_side(taker: Order | None) -> Side:
    if taker is None:
        raise ValueError("a trade needs an account on one side at least")
    return taker.side.other
