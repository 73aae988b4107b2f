"""Private endpoints about the account itself: balances, fees, the key, and coins."""

from decimal import Decimal

from paper_exchange.dialects.bybit.errors import wrong
from paper_exchange.dialects.bybit.request import ApiContext, Json, Request
from paper_exchange.dialects.bybit.shapes import amount
from paper_exchange.engine.accounts import Balance
from paper_exchange.engine.symbols import ASSET_DECIMALS, ASSET_UNIT

ACCOUNT_TYPE = "UNIFIED"
UNIFIED_ACCOUNT_2 = 5


def wallet_balance(context: ApiContext, request: Request) -> Json:
    """GET /v5/account/wallet-balance: of all coins, or of the named ones."""
    if request.params.must_text("accountType") != ACCOUNT_TYPE:
        raise wrong("accountType", f"must be {ACCOUNT_TYPE}")
    owner = context.exchange.accounts[request.account]
    balances = owner.balances
    if request.visible_until_ms is not None:
        balances = owner.balances_before(request.visible_until_ms)
    named = request.params.text("coin")
    wanted = set(balances) if named is None else set(named.split(","))
    worth = {coin: _worth(context, coin, balance) for coin, balance in balances.items()}
    total = amount(sum(worth.values(), Decimal(0)))
    coins = [
        _coin(coin, balance, worth[coin]) for coin, balance in balances.items() if coin in wanted
    ]
    summary = {
        "accountType": ACCOUNT_TYPE,
        "totalEquity": total,
        "totalWalletBalance": total,
        "totalMarginBalance": total,
        "totalAvailableBalance": "",
        "totalPerpUPL": "0",
        "totalInitialMargin": "0",
        "totalMaintenanceMargin": "0",
        "accountIMRate": "0",
        "accountMMRate": "0",
        "accountLTV": "0",
        "coin": coins,
    }
    return {"list": [summary]}


def account_info(context: ApiContext, request: Request) -> Json:
    """GET /v5/account/info"""
    return {
        "marginMode": "REGULAR_MARGIN",
        "unifiedMarginStatus": UNIFIED_ACCOUNT_2,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
        "updatedTime": str(context.exchange.accounts[request.account].updated_ms),
    }


def fee_rate(context: ApiContext, request: Request) -> Json:
    """GET /v5/account/fee-rate: of one symbol or of all."""
    request.params.must_be_spot()
    symbol = request.params.text("symbol")
    if symbol is not None:
        context.exchange.market(symbol)
    fees = context.exchange.settlement.fees
    rates = {"takerFeeRate": amount(fees.taker), "makerFeeRate": amount(fees.maker)}
    names = context.exchange.markets if symbol is None else (symbol,)
    return {"list": [{"symbol": name, "baseCoin": "", **rates} for name in names]}


def key_info(_context: ApiContext, request: Request) -> Json:
    """GET /v5/user/query-api: the permissions of the key."""
    return {
        "id": "1",
        "note": "paper",
        "apiKey": request.account,
        "readOnly": 0,
        "type": 1,
        "permissions": {"Spot": ["SpotTrade"], "ContractTrade": [], "Wallet": [], "Options": []},
        "ips": ["*"],
        "deadlineDay": -2,
        "unified": 0,
        "uta": 1,
        "userID": 1,
        "isMaster": True,
        "parentUid": "0",
        "vipLevel": "No VIP",
    }


def coins(context: ApiContext, request: Request) -> Json:
    """GET /v5/asset/coin/query-info: every coin, each on its own chain without transfers."""
    symbols = [market.symbol for market in context.exchange.markets.values()]
    names = dict.fromkeys(name for symbol in symbols for name in (symbol.base, symbol.quote))
    named = request.params.text("coin")
    return {"rows": [_coin_info(name) for name in names if named in (None, name)]}


def _coin_info(name: str) -> Json:
    chain = {
        "chain": name,
        "chainType": name,
        "confirmation": "1",
        "chainDeposit": "0",
        "chainWithdraw": "0",
        "depositMin": "0",
        "withdrawMin": "0",
        "withdrawFee": "0",
        "withdrawPercentageFee": "0",
        "minAccuracy": str(ASSET_DECIMALS),
    }
    return {"name": name, "coin": name, "remainAmount": "0", "chains": [chain]}


def _worth(context: ApiContext, coin: str, balance: Balance) -> Decimal:
    """The value of a balance in USDT; zero if there is no such market."""
    held = balance.free + balance.locked
    if coin == "USDT":
        return held
    market = context.exchange.markets.get(f"{coin}USDT")
    return Decimal(0) if market is None else (held * market.last_price).quantize(ASSET_UNIT)


def _coin(name: str, balance: Balance, worth: Decimal) -> Json:
    held = amount(balance.free + balance.locked)
    return {
        "coin": name,
        "equity": held,
        "walletBalance": held,
        "usdValue": amount(worth),
        "locked": amount(balance.locked),
        "free": "",
        "availableToWithdraw": "",
        "borrowAmount": "0",
        "accruedInterest": "0",
        "totalOrderIM": "0",
        "totalPositionIM": "0",
        "totalPositionMM": "0",
        "unrealisedPnl": "0",
        "cumRealisedPnl": "0",
        "bonus": "0",
        "spotHedgingQty": "0",
        "marginCollateral": True,
        "collateralSwitch": False,
    }
