"""Whatever is done to an exchange, money is neither made nor lost, and no book is crossed."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from paper_exchange.engine.errors import EngineError
from paper_exchange.engine.orders import STOP_TYPES, Side
from tests.support.depth import examples
from tests.support.paper.engine_kit import START, make_exchange, place

PRICES = st.integers(4_990_000, 5_010_000).map(lambda cents: Decimal(cents) / 100)
QUANTITIES = st.integers(1, 900_000).map(lambda lots: Decimal(lots) / 100_000)
ORDERS = st.fixed_dictionaries(
    {
        "account": st.sampled_from(["ann", "bob"]),
        "side": st.sampled_from(["BUY", "SELL"]),
        "qty": QUANTITIES,
    },
)
LIMITS = st.tuples(ORDERS, PRICES, st.sampled_from(["GTC", "IOC", "FOK"])).map(
    lambda drawn: ("place", {**drawn[0], "price": drawn[1], "tif": drawn[2]})
)
MAKERS = st.tuples(ORDERS, PRICES).map(
    lambda drawn: ("place", {**drawn[0], "price": drawn[1], "order_type": "LIMIT_MAKER"})
)
MARKETS = ORDERS.map(lambda order: ("place", order))
QUOTE_MARKETS = ORDERS.map(
    lambda order: (
        "place",
        {"account": order["account"], "side": order["side"], "quote_qty": order["qty"] * 50_000},
    )
)
STOPS = st.tuples(ORDERS, PRICES, st.sampled_from(sorted(STOP_TYPES))).map(
    lambda drawn: (
        "place",
        {
            **drawn[0],
            "order_type": drawn[2],
            "stop_price": drawn[1],
            "price": drawn[1] if drawn[2].endswith("LIMIT") else None,
        },
    )
)
CANCELS = st.integers(1, 40).map(lambda number: ("cancel", number))
STEPS = st.just(("step", None))
ACTIONS = st.one_of(LIMITS, LIMITS, MAKERS, MARKETS, QUOTE_MARKETS, STOPS, CANCELS, STEPS)


def act(exchange, action):
    name, detail = action
    try:
        if name == "place":
            place(exchange, **detail)
        elif name == "cancel":
            order = exchange.orders.get(detail)
            if order is not None:
                exchange.cancel(order.account, "BTCUSDT", order.id, None)
        else:
            exchange.step_walks()
    except EngineError:
        # Refusals are part of the game; what must hold afterwards is the same.
        pass


def check_money(exchange):
    for asset in ("USDT", "BTC"):
        owned = sum(
            balance.free + balance.locked
            for account in exchange.accounts.values()
            for name, balance in account.balances.items()
            if name == asset
        )
        settled = exchange.settlement
        total = owned + settled.outside[asset] + settled.collected[asset]
        assert total == START[asset] * len(exchange.accounts)


def check_holds(exchange):
    for account in exchange.accounts.values():
        for asset, balance in account.balances.items():
            held = sum(o.hold for o in account.open_orders.values() if o.hold_asset == asset)
            assert balance.locked == held
            assert balance.free >= 0
            assert balance.locked >= 0


def check_book(exchange):
    market = exchange.markets["BTCUSDT"]
    bid, ask = (next(market.levels(side), None) for side in (Side.BUY, Side.SELL))
    assert bid is None or ask is None or bid[0] < ask[0]
    for side in Side:
        assert all(qty > 0 for _, qty in market.levels(side))


def check_orders(exchange):
    for order in exchange.orders.values():
        assert order.executed == sum(fill.qty for fill in order.fills)
        assert order.executed_quote == sum(fill.quote for fill in order.fills)
        assert order.executed <= order.qty or order.quote_qty is not None
        if not order.is_open:
            assert order.hold == 0
        for fill in order.fills:
            if order.price is not None:
                is_within = (
                    fill.price <= order.price
                    if order.side is Side.BUY
                    else fill.price >= order.price
                )
                assert is_within


@settings(max_examples=examples(60), deadline=None, database=None)
@given(st.lists(ACTIONS, min_size=1, max_size=25), st.booleans())
def test_no_sequence_of_orders_cancels_and_moves_makes_or_loses_money(actions, walks):
    exchange = make_exchange(walks=walks)
    for action in actions:
        act(exchange, action)
        check_money(exchange)
        check_holds(exchange)
        check_book(exchange)
    check_orders(exchange)
