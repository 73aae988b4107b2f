"""Builds engines for unit tests: a clock that is set by hand, and orders in few words."""

from decimal import Decimal

from paper_exchange.engine.exchange import Exchange, Setup
from paper_exchange.engine.orders import NewOrder, OrderType, Side, TimeInForce
from paper_exchange.engine.settlement import Fees
from paper_exchange.engine.symbols import DEFAULT_SYMBOLS

START = {"USDT": Decimal(1_000_000), "BTC": Decimal(100), "ETH": Decimal(1000)}
TENTH_OF_A_PERCENT = Decimal("0.001")


class HandClock:
    """Milliseconds that stand still until a test moves them."""

    def __init__(self):
        self.ms = 1_000_000

    def __call__(self):
        return self.ms


def make_exchange(*, fee=TENTH_OF_A_PERCENT, seed="test", walks=False, clock=None, balances=START):
    setup = Setup(
        symbols=DEFAULT_SYMBOLS,
        accounts=("ann", "bob"),
        balances=balances,
        fees=Fees(maker=fee, taker=fee),
        seed=seed,
        walks=walks,
    )
    return Exchange(setup, clock or HandClock())


def levels(*pairs):
    return [(Decimal(price), Decimal(qty)) for price, qty in pairs]


def set_book(exchange, bids=(), asks=(), symbol="BTCUSDT"):
    exchange.set_outside(symbol, levels(*bids), levels(*asks))


def _number(value):
    return None if value is None else Decimal(value)


def place(
    exchange,
    side,
    qty=None,
    price=None,
    *,
    account="ann",
    order_type=None,
    tif="GTC",
    quote_qty=None,
    stop_price=None,
    client_id=None,
    symbol="BTCUSDT",
):
    """Place an order: at market without a price, else with a limit."""
    if order_type is None:
        order_type = "MARKET" if price is None else "LIMIT"
    return exchange.place(
        NewOrder(
            account=account,
            symbol=symbol,
            side=Side(side),
            type=OrderType(order_type),
            received_ms=exchange.now_ms(),
            time_in_force=TimeInForce(tif),
            qty=_number(qty),
            quote_qty=_number(quote_qty),
            price=_number(price),
            stop_price=_number(stop_price),
            client_id=client_id,
        )
    )


def free(exchange, asset, account="ann"):
    return exchange.accounts[account].balance(asset).free


def locked(exchange, asset, account="ann"):
    return exchange.accounts[account].balance(asset).locked


def traded(order):
    """An order's fills as (price, quantity) strings."""
    return [(str(fill.price), str(fill.qty)) for fill in order.fills]


def picture(exchange):
    """Everything that a refused order must not change."""
    return (
        len(exchange.orders),
        len(exchange.settlement.fills),
        {
            (name, asset): (balance.free, balance.locked)
            for name, account in exchange.accounts.items()
            for asset, balance in account.balances.items()
        },
        {
            (name, side): tuple(market.levels(side))
            for name, market in exchange.markets.items()
            for side in Side
        },
    )
