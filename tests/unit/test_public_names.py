"""The plain functions of the original specification, with the arguments that it gives."""

import inspect
import subprocess
import sys
from decimal import Decimal

import pytest

import execution
from execution.model.order import OrderState, OrderType, TimeInForce, Verdict
from execution.order_manager import create_order
from tests.support.clock import RealTime
from tests.support.exchange import SYMBOL, FakeExchange, answers, is_lost, loses_its_answer

SPECIFIED = {
    "initialize_binance_api": ["api_key", "secret_key"],
    "place_order": ["exchange", "symbol", "side", "amount", "price"],
    "create_order": ["exchange", "symbol", "side", "amount", "price"],
    "execute_arbitrage": ["buy_exchange", "sell_exchange", "symbol", "amount"],
    "track_position": ["symbol", "amount", "entry_price", "current_price"],
    "log_and_retry": ["exception", "function", "args"],
}


@pytest.mark.parametrize("name", SPECIFIED)
def test_each_function_is_there_with_its_arguments(name: str) -> None:
    parameters = list(inspect.signature(getattr(execution, name)).parameters.values())
    wanted = SPECIFIED[name]
    assert [parameter.name for parameter in parameters[: len(wanted)]] == wanted
    for further in parameters[len(wanted) :]:
        assert (
            further.default is not inspect.Parameter.empty
            or further.kind is inspect.Parameter.VAR_KEYWORD
        )


def test_the_names_are_all_that_the_package_offers() -> None:
    assert sorted(execution.__all__) == sorted(SPECIFIED)
    with pytest.raises(AttributeError, match="no_such_function"):
        execution.no_such_function  # noqa: B018


def test_rules_are_there_without_waiting_for_ccxt() -> None:
    rules = "execution.model.transitions, execution.position_tracker, execution.error_handler"
    program = f"import sys, {rules}; print('ccxt' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"False\n"


def test_create_order_places_one_order_and_says_how_it_stands() -> None:
    exchange = FakeExchange(RealTime())
    exchange.fill_next.append([("99", "1")])
    order = create_order(exchange, SYMBOL, "buy", "1", "100")
    assert (order.state, order.filled, order.average) == (
        OrderState.FILLED,
        Decimal(1),
        Decimal(99),
    )
    assert (order.type, order.time_in_force) == (OrderType.LIMIT, TimeInForce.GTC)
    assert len(exchange.requests) == 1


def test_create_order_without_a_price_is_a_market_order() -> None:
    exchange = FakeExchange(RealTime())
    order = create_order(exchange, SYMBOL, "sell", Decimal("0.5"))
    assert (order.type, order.price, order.time_in_force) == (OrderType.MARKET, None, None)


def test_create_order_looks_up_an_order_whose_answer_was_lost() -> None:
    exchange = FakeExchange(RealTime())
    exchange.script.append(loses_its_answer)
    assert create_order(exchange, SYMBOL, "buy", "1", "100").state is OrderState.OPEN
    assert len(exchange.standing) == 1


def test_create_order_returns_what_was_rejected_or_refused_with_the_reason() -> None:
    exchange = FakeExchange(RealTime())
    exchange.script.append(answers(Verdict.REJECTED, "no money"))
    rejected = create_order(exchange, SYMBOL, "buy", "1", "100")
    assert (rejected.state, rejected.reason) == (OrderState.REJECTED, "no money")
    refused = create_order(exchange, SYMBOL, "buy", "0.0001", "100")
    assert refused.state is OrderState.REFUSED
    assert len(exchange.requests) == 1


def test_two_calls_are_two_orders() -> None:
    exchange = FakeExchange(RealTime())
    first = create_order(exchange, SYMBOL, "buy", "1", "100")
    second = create_order(exchange, SYMBOL, "buy", "1", "100")
    assert first.order_id != second.order_id
    assert len(exchange.standing) == 2


@pytest.mark.parametrize(
    ("side", "amount", "price", "named"),
    [
        ("hold", "1", "100", "side"),
        ("BUY", "1", "100", "side"),
        ("buy", "0", "100", "amount"),
        ("buy", "NaN", "100", "amount"),
        ("buy", 0.5, "100", "amount"),
        ("buy", "1", "-1", "price"),
        ("buy", "1", "Infinity", "price"),
    ],
)
def test_create_order_refuses_an_unusable_argument_by_name(
    side: str, amount: str, price: str, named: str
) -> None:
    exchange = FakeExchange(RealTime())
    exchange.script.append(is_lost)
    with pytest.raises(ValueError, match=f"^{named}: "):
        create_order(exchange, SYMBOL, side, amount, price)
    assert exchange.requests == []


@pytest.mark.parametrize("amount", ["1e70", "1e-70", "1e999999"])
def test_create_order_refuses_an_absurd_amount_as_it_refuses_any_other(amount: str) -> None:
    exchange = FakeExchange(RealTime())
    try:
        order = create_order(exchange, SYMBOL, "buy", amount, "100")
    except ValueError as error:
        assert str(error).startswith("amount: ")  # noqa: PT017  # Either way is fine.
    else:
        assert order.state is OrderState.REFUSED
    assert exchange.requests == []
