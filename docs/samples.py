"""What commands print with `--json`, of made-up records and by the code that they use."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from execution.arbitrage.model import Arbitrage, ArbitrageState, Leg, LegRole, Result
from execution.model.order import Attempt, Fee, Fill, Order, OrderState, OrderType, Side, Verdict
from execution.model.position import Position
from execution.positions.valuation import Mark, Totals
from execution.reconciliation.run import Reconciliation
from workers.views.arbitrages import arbitrage_view
from workers.views.plain_values import plain_value
from workers.views.trading import position_view, totals_view, whole_order_view

NOW = datetime(2030, 1, 31, 12, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1_000)
ORDER_ID = "oonmpbv33jzh5qalvqt2tkdz2e"
FEES = {"BTC": Decimal("0.00001")}

_FILL = Fill(
    trade_id="1201",
    side=Side.BUY,
    price=Decimal("50013.07"),
    amount=Decimal("0.01"),
    fees=(Fee("BTC", FEES["BTC"]),),
    time=NOW,
    sequence=1,
)
_ORDER = Order(
    order_id=ORDER_ID,
    signal_id="s-1",
    account="binance-main",
    symbol="BTC/USDT",
    side=Side.BUY,
    type=OrderType.MARKET,
    time_in_force=None,
    amount=_FILL.amount,
    price=None,
    client_order_id=ORDER_ID,
    created_at=NOW,
    updated_at=NOW,
    expires_at=NOW.replace(minute=1),
    strategy="momentum",
    reference_price=Decimal("50010.5"),
    state=OrderState.FILLED,
    exchange_order_id="1101",
    filled=_FILL.amount,
    average=_FILL.price,
    attempts=(Attempt(1, NOW_MS, NOW_MS + 2_000, NOW_MS + 13_000, Verdict.ACCEPTED),),
    fills=(_FILL,),
    published_at=NOW,
)
_POSITION = Position(
    account="binance-main",
    symbol="BTC/USDT",
    amount=Decimal("0.00999"),
    cost=Decimal("499.6305693"),
    realised_pnl=Decimal("-0.5001307"),
    turnover=Decimal("500.1307"),
    fees=FEES,
    opened_at=NOW,
    updated_at=NOW,
)
_TOTALS = Totals(
    account="binance-main",
    quote="USDT",
    realised_pnl=Decimal("-0.5001307"),
    unrealised_pnl=Decimal("0.3694307"),
    exposure=Decimal("500"),
    net_exposure=Decimal("500"),
    turnover=Decimal("500.1307"),
    fees=FEES,
    updated_at=NOW,
    marked_at_ms=NOW_MS - 1_250,
)
_RUN = replace(
    Reconciliation("binance-main", NOW),
    took_ms=41,
    symbols=["BTC/USDT"],
    calls={"balances": 1, "open orders": 1, "trades": 1},
    balances_checked=True,
)
_ARBITRAGE = Arbitrage(
    arbitrage_id="oanmpbv33jzh5qalvqt2tkdz2e",
    signal_id="a-1",
    symbol="BTC/USDT",
    buy_account="binance-main",
    sell_account="bybit-main",
    amount=Decimal("0.4"),
    min_profit_bps=Decimal("5"),
    max_loss_bps=Decimal("50"),
    created_at=NOW,
    updated_at=NOW,
    strategy="scanner",
    state=ArbitrageState.CLOSED,
    expected_profit=Decimal("12.61"),
    legs=(
        Leg(LegRole.BUY, "binance-main", ORDER_ID),
        Leg(LegRole.SELL, "bybit-main", "oo3cnlsaed6jyvhz5uhtnbvmqa"),
    ),
    result=Result(
        bought=Decimal("0.4"),
        sold=Decimal("0.4"),
        net_profit=Decimal("12.61"),
        fees={"BTC": Decimal("0.0004"), "USDT": Decimal("20.04")},
        skew_ms=1,
    ),
)

SAMPLES: dict[str, Any] = {
    "order": whole_order_view(_ORDER),
    "position": position_view(_POSITION, Mark(Decimal("50050.05"), NOW_MS - 1_250), NOW_MS),
    "accounts": totals_view(_TOTALS, NOW_MS),
    "arbitrage": arbitrage_view(_ARBITRAGE),
    "reconciliation": plain_value(_RUN),
}
