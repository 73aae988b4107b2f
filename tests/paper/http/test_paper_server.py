"""The server around the dialect: bugs become JSON, and nothing that is sent can cause one."""

import asyncio
import hmac
import logging
from random import Random
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from paper_exchange.clock import ExchangeClock
from paper_exchange.dialects.binance.dialect import BinanceDialect
from paper_exchange.dialects.binance.limits import Limits
from paper_exchange.dialects.binance.routes import ROUTES
from paper_exchange.faults.fault_book import FaultBook
from paper_exchange.server.control import Control
from paper_exchange.server.dialect import Answer, Call
from paper_exchange.server.http_server import HttpServer
from paper_exchange.server.server import Server
from tests.support.depth import examples
from tests.support.paper.engine_kit import HandClock, make_exchange, picture


def make_dialect(exchange):
    limits = Limits(0, 0, exchange.now_ms)
    return BinanceDialect(exchange, {"ann": b"secret"}, limits)


class BrokenDialect:
    """A dialect with a bug."""

    name = "broken"

    async def answer(self, call):
        raise ZeroDivisionError(call.path)

    def refusal(self, status):
        return make_dialect(make_exchange()).refusal(status)


async def fetched(dialect):
    """What a server with this dialect answers to a GET."""
    clock = ExchangeClock()
    faults = FaultBook(Random("server"), clock)
    server = Server(dialect, Control(make_exchange(), faults, clock), faults, clock)
    runner = web.ServerRunner(HttpServer(server.handle, server.refusal))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v3/time"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        told = answer.status, await answer.json()
    await runner.cleanup()
    return told


def test_a_bug_is_answered_500_in_json_and_logged_with_its_traceback(caplog):
    with caplog.at_level(logging.ERROR):
        status, body = asyncio.run(fetched(BrokenDialect()))
    assert (status, body["code"]) == (500, -1000)
    assert "ZeroDivisionError" in caplog.text
    assert "/api/v3/time" in caplog.text


NAMES = st.sampled_from(sorted(set().union(*(route.params for route in ROUTES.values()))))
VALUES = st.one_of(
    st.sampled_from(
        [
            "",
            "0",
            "1",
            "0.01",
            "50000",
            "99999999999999999999",
            "0.00000001",
            "NaN",
            "-1",
            "1e5",
            "BTCUSDT",
            "ETHBTC",
            '["BTCUSDT"]',
            "[]",
            "BUY",
            "SELL",
            "LIMIT",
            "MARKET",
            "GTC",
            "FOK",
            "STOP_LOSS",
            "TAKE_PROFIT_LIMIT",
            "LIMIT_MAKER",
            "FULL",
            "true",
            "one",
            "STOP_ON_FAILURE",
            "ONLY_NEW",
        ]
    ),
    st.text(max_size=8),
)


def answered(exchange, method, path, params):
    text = urlencode({**params, "timestamp": exchange.now_ms()})
    signature = hmac.digest(b"secret", text.encode(), "sha256").hex()
    call = Call(
        method=method,
        path=path,
        query=f"{text}&signature={signature}",
        body=b"",
        headers={"X-MBX-APIKEY": "ann"},
        client="test",
        received_ms=exchange.now_ms(),
    )
    return finished(make_dialect(exchange).answer(call))


def finished(coroutine):
    """The result of a coroutine that never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the coroutine waits")


@settings(max_examples=examples(150), deadline=None, database=None)
@given(st.sampled_from(sorted(ROUTES)), st.dictionaries(NAMES, VALUES, max_size=8))
def test_whatever_is_sent_is_answered_and_a_refusal_changes_nothing(route, params):
    params.pop("signature", None)
    exchange = make_exchange(clock=HandClock())
    known = ROUTES[route].params
    before = picture(exchange)
    answer = answered(exchange, *route, {k: v for k, v in params.items() if k in known})
    assert isinstance(answer, Answer)
    if answer.status != 200:
        assert answer.status in (400, 409)
        assert picture(exchange) == before or answer.status == 409


@settings(max_examples=examples(150), deadline=None, database=None)
@given(
    st.fixed_dictionaries(
        {
            "side": st.sampled_from(["BUY", "SELL"]),
            "type": st.sampled_from(["LIMIT", "MARKET", "LIMIT_MAKER", "STOP_LOSS"]),
        },
        optional={
            "timeInForce": st.sampled_from(["GTC", "IOC", "FOK"]),
            "quantity": VALUES | st.decimals(0, 10**21, allow_nan=False).map("{:f}".format),
            "quoteOrderQty": VALUES | st.decimals(0, 10**21, allow_nan=False).map("{:f}".format),
            "price": VALUES | st.decimals(0, 10**7, places=2).map("{:f}".format),
            "stopPrice": VALUES,
        },
    )
)
def test_whatever_order_is_sent_is_answered_and_a_refusal_changes_nothing(params):
    exchange = make_exchange(clock=HandClock())
    before = picture(exchange)
    answer = answered(exchange, "POST", "/api/v3/order", {"symbol": "BTCUSDT", **params})
    if answer.status != 200:
        assert answer.status == 400
        assert picture(exchange) == before
