"""Public endpoints: the time, books, trades and tickers."""

from collections.abc import Callable
from itertools import islice

from paper_exchange.dialects.binance.errors import bad_combination
from paper_exchange.dialects.binance.exchange_info import AVERAGE_MINUTES
from paper_exchange.dialects.binance.request import ApiContext, Request
from paper_exchange.dialects.binance.shapes import Json, amount
from paper_exchange.engine.market.market import Market
from paper_exchange.engine.market.statistics import DAY_MS, best_of, day_of
from paper_exchange.engine.orders import Side, Trade

DEPTH_DEFAULT = 100
DEPTH_MAX = 5000
TRADES_DEFAULT = 500
TRADES_MAX = 1000


def ping(_context: ApiContext, _request: Request) -> object:
    """GET /api/v3/ping"""
    return {}


def server_time(context: ApiContext, _request: Request) -> object:
    """GET /api/v3/time"""
    return {"serverTime": context.exchange.now_ms()}


def depth(context: ApiContext, request: Request) -> object:
    """GET /api/v3/depth: prices and quantities, best first."""
    market = context.exchange.market(request.params.must_symbol())
    limit = request.params.integer("limit") or DEPTH_DEFAULT
    levels = {
        name: [
            [amount(price), amount(qty)]
            for price, qty in islice(market.levels(side), min(limit, DEPTH_MAX))
        ]
        for name, side in (("bids", Side.BUY), ("asks", Side.SELL))
    }
    return {"lastUpdateId": market.update_id, **levels}


def trades(context: ApiContext, request: Request) -> object:
    """GET /api/v3/trades: the newest, oldest first."""
    market = context.exchange.market(request.params.must_symbol())
    limit = request.params.limit(TRADES_DEFAULT, TRADES_MAX)
    return [_public_trade(trade) for trade in list(market.trades)[-limit:]]


def aggregate_trades(context: ApiContext, request: Request) -> object:
    """GET /api/v3/aggTrades: every trade is an aggregate of its own."""
    params = request.params
    market = context.exchange.market(params.must_symbol())
    limit = params.limit(TRADES_DEFAULT, TRADES_MAX)
    from_id, start, end = (params.integer(n) for n in ("fromId", "startTime", "endTime"))
    if from_id is not None and (start is not None or end is not None):
        raise bad_combination()
    found = [
        trade
        for trade in market.trades
        if (from_id is None or trade.id >= from_id)
        and (start is None or trade.time_ms >= start)
        and (end is None or trade.time_ms <= end)
    ]
    has_beginning = from_id is not None or start is not None
    return [_aggregate(t) for t in (found[:limit] if has_beginning else found[-limit:])]


def average_price(context: ApiContext, request: Request) -> object:
    """GET /api/v3/avgPrice"""
    market = context.exchange.market(request.params.must_symbol())
    price = amount(market.reference)
    return {"mins": AVERAGE_MINUTES, "price": price, "closeTime": context.exchange.now_ms()}


def price_ticker(context: ApiContext, request: Request) -> object:
    """GET /api/v3/ticker/price"""
    return _for_symbols(
        context, request, lambda m: {"symbol": m.symbol.name, "price": amount(m.last_price)}
    )


def book_ticker(context: ApiContext, request: Request) -> object:
    """GET /api/v3/ticker/bookTicker"""
    return _for_symbols(context, request, lambda m: {"symbol": m.symbol.name, **_best(m)})


def day_ticker(context: ApiContext, request: Request) -> object:
    """GET /api/v3/ticker/24hr"""
    now_ms = context.exchange.now_ms()
    return _for_symbols(context, request, lambda market: _day(market, now_ms))


def _for_symbols(context: ApiContext, request: Request, show: Callable[[Market], Json]) -> object:
    one, several = request.params.symbol(), request.params.symbols()
    if one is not None and several is not None:
        raise bad_combination()
    if one is not None:
        return show(context.exchange.market(one))
    names = context.exchange.markets if several is None else several
    return [show(context.exchange.market(name)) for name in names]


def _best(market: Market) -> Json:
    bid, ask = best_of(market)
    return {
        "bidPrice": amount(bid[0]),
        "bidQty": amount(bid[1]),
        "askPrice": amount(ask[0]),
        "askQty": amount(ask[1]),
    }


def _day(market: Market, now_ms: int) -> Json:
    day = day_of(market, now_ms)
    kept, change = day.trades, day.last - day.first
    return {
        "symbol": market.symbol.name,
        "priceChange": amount(change),
        "priceChangePercent": f"{change / day.first * 100:.3f}",
        "weightedAvgPrice": amount(day.turnover / day.volume if day.volume else day.last),
        "prevClosePrice": amount(day.first),
        "lastPrice": amount(day.last),
        "lastQty": amount(kept[-1].qty if kept else None),
        **_best(market),
        "openPrice": amount(day.first),
        "highPrice": amount(day.high),
        "lowPrice": amount(day.low),
        "volume": amount(day.volume),
        "quoteVolume": amount(day.turnover),
        "openTime": now_ms - DAY_MS,
        "closeTime": now_ms,
        "firstId": kept[0].id if kept else -1,
        "lastId": kept[-1].id if kept else -1,
        "count": len(kept),
    }


def _public_trade(trade: Trade) -> Json:
    return {
        "id": trade.id,
        "price": amount(trade.price),
        "qty": amount(trade.qty),
        "quoteQty": amount(trade.quote),
        "time": trade.time_ms,
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }


def _aggregate(trade: Trade) -> Json:
    return {
        "a": trade.id,
        "p": amount(trade.price),
        "q": amount(trade.qty),
        "f": trade.id,
        "l": trade.id,
        "T": trade.time_ms,
        "m": trade.buyer_is_maker,
        "M": True,
    }
