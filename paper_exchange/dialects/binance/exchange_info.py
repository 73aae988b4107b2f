"""GET /api/v3/exchangeInfo: what is listed, with its rules, and the request limits."""

from functools import lru_cache

from paper_exchange.dialects.binance.errors import bad_combination
from paper_exchange.dialects.binance.request import ApiContext, Request
from paper_exchange.dialects.binance.shapes import SELF_TRADE_MODE, Json, amount
from paper_exchange.engine.orders import OrderType
from paper_exchange.engine.symbols import ASSET_DECIMALS, Symbol

AVERAGE_MINUTES = 5


def exchange_info(context: ApiContext, request: Request) -> object:
    """All symbols, or the requested ones."""
    one, several = request.params.symbol(), request.params.symbols()
    if one is not None and several is not None:
        raise bad_combination()
    names = [one] if one is not None else several
    if names is None:
        names = list(context.exchange.markets)
    return {
        "timezone": "UTC",
        "serverTime": context.exchange.now_ms(),
        "rateLimits": _rate_limits(context),
        "exchangeFilters": [],
        "symbols": [_listing(context.exchange.market(name).symbol) for name in names],
    }


def _rate_limits(context: ApiContext) -> list[Json]:
    # A limit that is switched off is not listed.
    limits = (
        ("REQUEST_WEIGHT", "MINUTE", 1, context.limits.weight_per_minute),
        ("ORDERS", "SECOND", 10, context.limits.orders_per_10s),
    )
    return [
        {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}
        for kind, interval, count, limit in limits
        if limit
    ]


@lru_cache
def _listing(symbol: Symbol) -> Json:
    return {
        "symbol": symbol.name,
        "status": "TRADING",
        "baseAsset": symbol.base,
        "baseAssetPrecision": ASSET_DECIMALS,
        "quoteAsset": symbol.quote,
        "quotePrecision": ASSET_DECIMALS,
        "quoteAssetPrecision": ASSET_DECIMALS,
        "baseCommissionPrecision": ASSET_DECIMALS,
        "quoteCommissionPrecision": ASSET_DECIMALS,
        "orderTypes": [order_type.value for order_type in OrderType],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(symbol),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": SELF_TRADE_MODE,
        "allowedSelfTradePreventionModes": [SELF_TRADE_MODE],
    }


def _filters(symbol: Symbol) -> list[Json]:
    up, down = f"{symbol.price_factor_up:f}", f"{symbol.price_factor_down:f}"
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": amount(symbol.tick),
            "maxPrice": amount(symbol.price_max),
            "tickSize": amount(symbol.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": amount(symbol.step),
            "maxQty": amount(symbol.qty_max),
            "stepSize": amount(symbol.step),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": amount(None),
            "maxQty": amount(symbol.market_qty_max),
            "stepSize": amount(None),
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": up,
            "bidMultiplierDown": down,
            "askMultiplierUp": up,
            "askMultiplierDown": down,
            "avgPriceMins": AVERAGE_MINUTES,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": amount(symbol.notional_min),
            "applyMinToMarket": True,
            "maxNotional": amount(symbol.notional_max),
            "applyMaxToMarket": False,
            "avgPriceMins": AVERAGE_MINUTES,
        },
    ]
