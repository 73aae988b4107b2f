"""The exchange: accepts orders and cancels, keeps the accounts and moves the outside prices."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from paper_exchange.engine.accounts import Account, ClientIds
from paper_exchange.engine.errors import (
    CancelRestrictedError,
    DuplicateIdError,
    UnknownOrderError,
    UnknownSymbolError,
    WouldTakeError,
    WouldTriggerError,
)
from paper_exchange.engine.filters import check_filters, hold_for
from paper_exchange.engine.history import History
from paper_exchange.engine.market.liquidity import PriceQty, RandomWalk, Walk
from paper_exchange.engine.market.market import Market
from paper_exchange.engine.market.stops import is_reached
from paper_exchange.engine.matching import sweep
from paper_exchange.engine.orders import STOP_TYPES, ZERO, NewOrder, Order, OrderType, Side, Status
from paper_exchange.engine.settlement import Fees, Settlement
from paper_exchange.engine.symbols import Symbol
from paper_exchange.engine.working import amend, amended, work, work_triggered


@dataclass(frozen=True, slots=True)
class Setup:
    """The configuration of an exchange. `balances` are every account's initial balances."""

    symbols: tuple[Symbol, ...]
    accounts: tuple[str, ...]
    balances: Mapping[str, Decimal]
    fees: Fees
    seed: str
    # Without a walk, a side that takers have mostly emptied is refilled at once.
    walks: bool = True
    # Moves the outside prices of a symbol; each symbol has its own random numbers.
    walk_of: Callable[[Symbol, Random], Walk] = RandomWalk
    # A client order id is accepted once only, and no two symbols share a trade id.
    unique_ids: bool = False
    # The id of the first order, and of the first trade of every symbol (or of the first symbol).
    first_id: int = 1
    # The exchange's name of an order's state in the control ledger.
    word_of: Callable[[Order], str] = lambda order: order.status.value


class Exchange:
    """One exchange. It is not thread-safe; every call has completed when it returns."""

    def __init__(self, setup: Setup, now_ms: Callable[[], int]) -> None:
        self.now_ms = now_ms
        self.accounts = {
            name: Account(name, setup.balances, now_ms) for name in dict.fromkeys(setup.accounts)
        }
        # Each purpose has its own stream of random numbers, so that none affects another.
        self.markets = {
            symbol.name: Market(
                symbol,
                setup.walk_of(symbol, Random(f"{setup.seed}/walk/{symbol.name}")),  # noqa: S311
                setup.first_id + (number if setup.unique_ids else 0),
                len(setup.symbols) if setup.unique_ids else 1,
            )
            for number, symbol in enumerate(setup.symbols)
        }
        self.settlement = Settlement(self.accounts, setup.fees, now_ms)
        self.client_ids = ClientIds(Random(f"{setup.seed}/ids"))  # noqa: S311
        # Every order ever accepted, in the order of acceptance.
        self.orders: dict[int, Order] = {}
        self._walks = setup.walks
        self._unique_ids = setup.unique_ids
        self._first_id = setup.first_id
        self.word_of = setup.word_of

    def market(self, symbol: str) -> Market:
        """The market of a symbol. Raises UnknownSymbolError if it is not listed."""
        market = self.markets.get(symbol)
        if market is None:
            raise UnknownSymbolError(symbol)
        return market

    def place(self, new: NewOrder) -> Order:
        """Accept an order and match it.

        Raises an EngineError, with nothing changed, if the order is refused.
        """
        market = self.check(new)
        account = self.accounts[new.account]
        if new.client_id is not None and self._is_taken(account, new.client_id):
            raise DuplicateIdError(new.client_id)
        self._check_prices(market, new)
        hold = hold_for(market, new)
        account.hold(market.symbol.quote if new.side is Side.BUY else market.symbol.base, hold)
        order = self._register(market, account, new, hold)
        if order.type in STOP_TYPES:
            market.stops.add(order, order.stop_price or ZERO)
        elif new.ends_if_taking and market.crosses(new.side, new.price or ZERO):
            self.settlement.finish(order, Status.EXPIRED)
        else:
            work(market, order, self.settlement)
        self._quiesce(market)
        return order

    def check(self, new: NewOrder) -> Market:
        """Apply the rules that depend on neither the book nor the account, as for a test order."""
        market = self.market(new.symbol)
        check_filters(market.symbol, new, market.reference)
        return market

    def find(
        self, account: str, symbol: str | None, order_id: int | None, client_id: str | None
    ) -> Order | None:
        """An account's order by id, or the latest with a client id; if both are given, both must
        match.

        Without a symbol, orders of every symbol are searched.
        """
        symbols = self.markets if symbol is None else (symbol,)
        if order_id is not None:
            order = self.orders.get(order_id)
        elif client_id is not None:
            order = self.accounts[account].order_called(client_id, symbols)
        else:
            return None
        if order is None or order.account != account or order.symbol.name not in symbols:
            return None
        return None if client_id is not None and order.client_id != client_id else order

    def cancel(
        self,
        account: str,
        symbol: str,
        order_id: int | None,
        client_id: str | None,
        only: Status | None = None,
    ) -> Order:
        """Cancel an open order and unlock its balance.

        `only` refuses to cancel an order in another state (CancelRestrictedError). Raises Raises
        Raises Raises UnknownOrderError if there is no such open order.
        """
        order = self.find(account, symbol, order_id, client_id)
        if order is None or not order.is_open:
            raise UnknownOrderError(order_id or client_id)
        if only is not None and order.status is not only:
            raise CancelRestrictedError(order.status)
        market = self.market(symbol)
        if order.working_ms is None:
            market.stops.remove(order, order.stop_price or ZERO)
        else:
            market.resting[order.side].remove(order, order.price or ZERO)
        self.settlement.finish(order, Status.CANCELED)
        market.update_id += 1
        return order

    def amend(self, order: Order, price: Decimal | None, qty: Decimal | None) -> None:
        """Change the terms of an open limit order; see amending.

        Raises an EngineError, with nothing changed, if the order has ended or the new terms are
        refused.
        """
        if not order.is_open or order.working_ms is None or order.price is None:
            raise UnknownOrderError(order.id)
        terms = amended(order, price, qty)
        market = self.check(terms)
        amend(market, order, terms, self.accounts[order.account], self.settlement)
        self._quiesce(market)

    def open_orders(self, account: str, symbol: str | None) -> Iterable[Order]:
        """An account's open orders in the order of their ids."""
        found = self.accounts[account].open_orders.values()
        return [order for order in found if symbol is None or order.symbol.name == symbol]

    def keep_balance_changes(self, ms: int) -> None:
        """Let every account keep its movements for this time, for reads that lag behind."""
        for account in self.accounts.values():
            account.keep_changes(ms)

    def step_walks(self) -> None:
        """Move the outside prices of every market one step; orders that they reach are filled."""
        for market in self.markets.values():
            if market.step_walk():
                self._quiesce(market)

    def set_outside(self, symbol: str, bids: list[PriceQty], asks: list[PriceQty]) -> None:
        """Set the outside liquidity; orders that it reaches are filled."""
        market = self.market(symbol)
        market.set_outside(bids, asks)
        self._quiesce(market)

    def _is_taken(self, account: Account, client_id: str) -> bool:
        if self._unique_ids:
            return account.order_called(client_id, self.markets) is not None
        return client_id in account.open_by_client_id

    def _check_prices(self, market: Market, new: NewOrder) -> None:
        is_refused = new.type is OrderType.LIMIT_MAKER and not new.ends_if_taking
        if is_refused and market.crosses(new.side, new.price or ZERO):
            raise WouldTakeError(new.symbol)
        if new.type in STOP_TYPES and is_reached(
            new.side, new.type, new.stop_price or ZERO, market.last_price
        ):
            raise WouldTriggerError(new.symbol)

    def _register(self, market: Market, account: Account, new: NewOrder, hold: Decimal) -> Order:
        now_ms = self.now_ms()
        order = Order(
            id=self._first_id + len(self.orders),
            client_id=new.client_id or self.client_ids.draw(),
            account=new.account,
            symbol=market.symbol,
            side=new.side,
            type=new.type,
            time_in_force=new.time_in_force,
            price=new.price,
            stop_price=new.stop_price,
            qty=new.qty or ZERO,
            quote_qty=new.quote_qty,
            received_ms=new.received_ms,
            accepted_ms=now_ms,
            updated_ms=now_ms,
            hold=hold,
            strategy_id=new.strategy_id,
            strategy_type=new.strategy_type,
        )
        self.orders[order.id] = order
        account.open_orders[order.id] = order
        account.open_by_client_id[order.client_id] = order
        account.latest_by_client_id[new.symbol, order.client_id] = order
        account.orders.setdefault(new.symbol, History()).append(order, order.id, now_ms)
        account.updated_ms = now_ms
        return order

    def _quiesce(self, market: Market) -> None:
        """Process everything that the last change triggers, until nothing more is triggered."""
        market.update_id += 1
        sweep(market, self.settlement)
        while True:
            if not self._walks and market.refill_thin_sides():
                sweep(market, self.settlement)
            triggered = market.stops.pop_triggered(market.last_price)
            if triggered is None:
                return
            work_triggered(market, triggered, self.settlement, self.accounts[triggered.account])
