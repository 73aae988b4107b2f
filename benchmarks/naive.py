"""The common approach: a plain Celery task around ccxt's create_order.

The client order id is passed only so that the benchmark can distinguish the orders.
"""

import os
import threading
from typing import Any

import ccxt
from celery import Celery

app = Celery("naive", broker=os.environ["NAIVE_BROKER_URL"])
app.conf.update(
    task_default_queue="naive",
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    task_acks_late=True,
)
_own = threading.local()


def _exchange() -> Any:
    if not hasattr(_own, "exchange"):
        api = os.environ["NAIVE_PAPER_URL"] + "/api/v3"
        _own.exchange = ccxt.binance(
            {"apiKey": "paper", "secret": "paper", "enableRateLimit": False}
        )
        _own.exchange.urls["api"] |= {"public": api, "private": api}
        _own.exchange.options["fetchMarkets"] = {"types": ["spot"]}
        _own.exchange.options["fetchMargins"] = False
        _own.exchange.options["fetchCurrencies"] = False
        _own.exchange.has["fetchCurrencies"] = False
        _own.exchange.load_markets()
    return _own.exchange


@app.task(name="naive.create_order")
def create_order(client_id: str, symbol: str, side: str, amount: str, price: str | None) -> None:
    """Place an order, without any safeguard."""
    kind = "market" if price is None else "limit"
    parameters = {"newClientOrderId": client_id}
    _exchange().create_order(symbol, kind, side, amount, price, parameters)
