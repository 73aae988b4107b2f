"""Public endpoints: the time, what is listed, books, tickers and trades."""

from functools import lru_cache
from itertools import islice

from paper_exchange.dialects.bybit.errors import wrong
from paper_exchange.dialects.bybit.params import SPOT, Params
from paper_exchange.dialects.bybit.request import ApiContext, Json, Request
from paper_exchange.dialects.bybit.shapes import amount
from paper_exchange.engine.market.market import Market
from paper_exchange.engine.market.statistics import best_of, day_of
from paper_exchange.engine.orders import Side
from paper_exchange.engine.symbols import ASSET_UNIT, Symbol

DEPTH_DEFAULT = 1
DEPTH_MAX = 1000
TRADES_DEFAULT = 60
TRADES_MAX = 60
TRADING = "Trading"
OTHER_CATEGORIES = ("linear", "inverse", "option")


def server_time(context: ApiContext, _request: Request) -> Json:
    """GET /v5/market/time"""
    now_ms = context.exchange.now_ms()
    return {"timeSecond": str(now_ms // 1000), "timeNano": str(now_ms * 1_000_000)}


def instruments(context: ApiContext, request: Request) -> Json:
    """GET /v5/market/instruments-info; only spot is listed."""
    category = request.params.must_text("category")
    if category in OTHER_CATEGORIES:
        return {"category": category, "list": [], "nextPageCursor": ""}
    # Every listed symbol is trading: none is before its launch or delisted.
    is_wanted = request.params.text("status") in (None, TRADING)
    base = request.params.text("baseCoin")
    found = [
        _instrument(market.symbol)
        for market in _markets(context, request)
        if is_wanted and base in (None, market.symbol.base)
    ]
    return {"category": SPOT, "list": found}


def tickers(context: ApiContext, request: Request) -> Json:
    """GET /v5/market/tickers"""
    now_ms = context.exchange.now_ms()
    found = [_ticker(market, now_ms) for market in _markets(context, request)]
    return {"category": SPOT, "list": found}


def order_book(context: ApiContext, request: Request) -> Json:
    """GET /v5/market/orderbook: prices and quantities, best first."""
    market = _market(context, request.params)
    limit = request.params.limit(DEPTH_DEFAULT, DEPTH_MAX)
    bids, asks = (
        [[amount(price), amount(qty)] for price, qty in islice(market.levels(side), limit)]
        for side in (Side.BUY, Side.SELL)
    )
    now_ms = context.exchange.now_ms()
    return {
        "s": market.symbol.name,
        "b": bids,
        "a": asks,
        "ts": now_ms,
        "u": market.update_id,
        "seq": market.update_id,
        "cts": now_ms,
    }


def recent_trades(context: ApiContext, request: Request) -> Json:
    """GET /v5/market/recent-trade: the newest first."""
    market = _market(context, request.params)
    limit = request.params.limit(TRADES_DEFAULT, TRADES_MAX)
    found = [
        {
            "execId": str(trade.id),
            "symbol": market.symbol.name,
            "price": amount(trade.price),
            "size": amount(trade.qty),
            # The taker's side.
            "side": "Sell" if trade.buyer_is_maker else "Buy",
            "time": str(trade.time_ms),
            "isBlockTrade": False,
            "seq": str(trade.id),
        }
        for trade in islice(reversed(market.trades), limit)
    ]
    return {"category": SPOT, "list": found}


def _market(context: ApiContext, params: Params) -> Market:
    params.must_be_spot()
    market = context.exchange.markets.get(params.must_text("symbol"))
    if market is None:
        raise wrong("symbol", "is not listed")
    return market


def _markets(context: ApiContext, request: Request) -> list[Market]:
    """The requested market, or all."""
    if request.params.text("symbol") is not None:
        return [_market(context, request.params)]
    request.params.must_be_spot()
    return list(context.exchange.markets.values())


@lru_cache
def _instrument(symbol: Symbol) -> Json:
    return {
        "symbol": symbol.name,
        "baseCoin": symbol.base,
        "quoteCoin": symbol.quote,
        "innovation": "0",
        "status": TRADING,
        "marginTrading": "none",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": amount(symbol.step),
            "quotePrecision": amount(ASSET_UNIT),
            "minOrderQty": amount(symbol.step),
            "maxOrderQty": amount(symbol.qty_max),
            "minOrderAmt": amount(symbol.notional_min),
            "maxOrderAmt": amount(symbol.notional_max),
            "maxLimitOrderQty": amount(symbol.qty_max),
            "maxMarketOrderQty": amount(symbol.market_qty_max),
            "postOnlyMaxLimitOrderSize": amount(symbol.qty_max),
        },
        "priceFilter": {"tickSize": amount(symbol.tick)},
        "riskParameters": {
            "priceLimitRatioX": amount(symbol.price_factor_up - 1),
            "priceLimitRatioY": amount(symbol.price_factor_up - 1),
        },
    }


def _ticker(market: Market, now_ms: int) -> Json:
    day = day_of(market, now_ms)
    bid, ask = best_of(market)
    return {
        "symbol": market.symbol.name,
        "bid1Price": amount(bid[0]),
        "bid1Size": amount(bid[1]),
        "ask1Price": amount(ask[0]),
        "ask1Size": amount(ask[1]),
        "lastPrice": amount(day.last),
        "prevPrice24h": amount(day.first),
        "price24hPcnt": f"{(day.last - day.first) / day.first:.4f}",
        "highPrice24h": amount(day.high),
        "lowPrice24h": amount(day.low),
        "turnover24h": amount(day.turnover),
        "volume24h": amount(day.volume),
    }
