"""An exchange that fails as a whole is not taken for one that refuses a question about one symbol,
however it says so: what is concluded from an answer depends on that."""

from collections.abc import Callable, Iterator
from typing import Any

import ccxt
import pytest

from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.api.strict.failures import kind_of_failure
from execution.model.errors import ExchangeUnavailable, RequestRefused, UnknownSymbol
from tests.support.api.canned_server import EVERY_OTHER, CannedServer, Reply
from tests.support.api.recorded_kit import adapter

SYMBOL = "BTC/USDT"
# With the status of a fault of the server, and words in the exchange's own form that no table has.
WORDS: dict[str, Any] = {
    "binance": {"code": -9999, "msg": "Internal fault."},
    "bybit": {"retCode": 10016, "retMsg": "Internal System Error.", "result": {}, "time": 1},
    "okx": {"code": "59999", "msg": "Internal fault", "data": []},
    "kraken": {"error": ["EGeneral:Internal fault"], "result": None},
    "coinbase": {"error": "INTERNAL", "error_details": "internal fault", "message": "fault"},
    "upbit": {"error": {"name": "server_error", "message": "Internal fault"}},
}
QUESTIONS: dict[str, Callable[[CcxtExchange], object]] = {
    "fills_since": lambda exchange: exchange.fills_since(SYMBOL, None, 0),
    "open_orders": lambda exchange: exchange.open_orders(SYMBOL),
    "fetch": lambda exchange: exchange.fetch(SYMBOL, "77"),
    "balances": lambda exchange: exchange.balances(),
    "prices": lambda exchange: exchange.prices([SYMBOL]),
}


@pytest.fixture(scope="module")
def server() -> Iterator[CannedServer]:
    server = CannedServer()
    yield server
    server.close()


def the_kind_of(server: CannedServer, name: str, question: str) -> type[Exception]:
    with pytest.raises(ExchangeUnavailable) as caught:
        QUESTIONS[question](adapter(name, server.url, [SYMBOL]))
    return type(caught.value)


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("name", WORDS)
def test_a_fault_of_the_server_is_no_answer_about_a_symbol(
    server: CannedServer, name: str, question: str, status: int
) -> None:
    server.reset({EVERY_OTHER: Reply(WORDS[name], status)})
    assert the_kind_of(server, name, question) is ExchangeUnavailable


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("code", ["10000", "10016", "170007", "170032"])
def test_bybit_says_so_with_a_status_that_is_well(
    server: CannedServer, code: str, question: str
) -> None:
    said = {"retCode": int(code), "retMsg": "System error", "result": {}, "time": 1}
    server.reset({EVERY_OTHER: said})
    assert the_kind_of(server, "bybit", question) is ExchangeUnavailable


@pytest.mark.parametrize("question", ["fills_since", "open_orders", "prices"])
def test_an_error_of_one_request_is_no_outage(server: CannedServer, question: str) -> None:
    server.reset({EVERY_OTHER: Reply({"code": -1130, "msg": "Data sent is not valid."}, 400)})
    assert the_kind_of(server, "binance", question) is RequestRefused


def test_a_symbol_that_is_not_listed_is_one_whatever_the_status() -> None:
    assert kind_of_failure(ccxt.BadSymbol("no such symbol"), 500) is UnknownSymbol
    assert kind_of_failure(ccxt.ExchangeError("no"), 400) is RequestRefused
    assert kind_of_failure(ccxt.ExchangeError("no"), None) is RequestRefused
