"""Placing at the exchanges besides Binance: what is sent, and what each answer proves.

The real strict ccxt classes talk to a server that says what the exchanges say, or worse. Whatever
is not proof must come out as UNKNOWN, and exactly one placement may ever arrive.
"""

import json
import socket
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from execution.exchanges.registry import TABLES, row_of
from execution.exchanges.verdicts import EVERY_EXCHANGE, Failure, VerdictRule
from execution.model.order import Attempt, OrderState, OrderType, Side, TimeInForce, Verdict
from tests.support.api.canned_server import Reply
from tests.support.api.exchange_kits import KITS, OTHERS, REFUSALS, Bench
from tests.support.api.kit import ORDER_ID, SECRET, order_for
from tests.support.clock import START_MS

ATTEMPT = Attempt(1, START_MS + 42, START_MS + 42 + 3_000, START_MS + 42 + 5_000)
HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
UNKNOWN = Verdict.UNKNOWN
LISTED = [pytest.param(name, *case, id=f"{name}-{case[2]}-{case[1]}")
          for name, cases in REFUSALS.items() for case in cases]  # fmt: skip


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.server.close()


def refusal(name: str, status: int, code: str | None, message: str) -> dict[str, Any]:
    kit = KITS[name]
    body = HTML if code is None else kit.refused(code, message)
    return {kit.new_order: Reply(body, status)}


@pytest.mark.parametrize(("name", "verdict", "status", "code", "message"), LISTED)
def test_each_answer_gets_its_verdict(
    name: str, verdict: str, status: int, code: str | None, message: str, bench: Bench
) -> None:
    exchange = bench.exchange(name, refusal(name, status, code, message))
    outcome = exchange.place(order_for(name), ATTEMPT)
    assert outcome.verdict == verdict
    assert outcome.report is None
    assert outcome.reason
    assert len(bench.server.sent(KITS[name].new_order)) == 1


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_every_table_decides_some_case(name: str, bench: Bench) -> None:
    hit: list[VerdictRule | None] = []
    for _, status, code, message in REFUSALS[name]:
        exchange = bench.exchange(name, refusal(name, status, code, message))
        kind, _, said = exchange.place(order_for(name), ATTEMPT).reason.partition(": ")
        client = exchange.client
        hit.append(row_of(Failure(kind, said, client.http_status, client.exchange_code), name))
    never_left = row_of(Failure("NetworkError", "refused", reached=False), name)
    missed = [row for row in (*EVERY_EXCHANGE, *TABLES[name]) if row not in [*hit, never_left]]
    assert missed == []


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize(
    "body",
    [HTML, "", "   ", "{}", "null", "[]", "true", '""', "{", '{"result": {"orderId": "O-2',
     '{"msg": "welcome"}', b"\xff\xfe\x00", "[" * 50_000],
    ids=lambda body: repr(body)[:14],
)  # fmt: skip
def test_a_200_that_is_no_acknowledgement_says_nothing(name: str, body: Any, bench: Bench) -> None:
    exchange = bench.exchange(name, {KITS[name].new_order: Reply(body)})
    assert exchange.place(order_for(name), ATTEMPT).verdict is UNKNOWN
    assert len(bench.server.sent(KITS[name].new_order)) == 1


@pytest.mark.parametrize("name", OTHERS)
def test_an_acknowledgement_without_an_order_id_says_nothing(name: str, bench: Bench) -> None:
    kit = KITS[name]
    for missing in ("", None, []):
        accepted = json.dumps(kit.accepted(order_for(name).client_order_id))
        body = accepted.replace(f'["{ORDER_ID}"]', json.dumps(missing))
        body = body.replace(f'"{ORDER_ID}"', json.dumps(missing))
        outcome = bench.exchange(name, {kit.new_order: body}).place(order_for(name), ATTEMPT)
        assert outcome.verdict is UNKNOWN


@pytest.mark.parametrize("name", OTHERS)
def test_an_acknowledgement_cut_in_the_middle_says_nothing(name: str, bench: Bench) -> None:
    kit = KITS[name]
    answer = Reply(kit.accepted(order_for(name).client_order_id), cut=True)
    outcome = bench.exchange(name, {kit.new_order: answer}).place(order_for(name), ATTEMPT)
    assert outcome.verdict is UNKNOWN
    assert len(bench.server.sent(kit.new_order)) == 1


@pytest.mark.parametrize("name", ["bybit", "okx", "coinbase", "upbit"])
def test_an_acknowledgement_of_another_order_says_nothing(name: str, bench: Bench) -> None:
    answers = {KITS[name].new_order: KITS[name].accepted("somebody-elses")}
    outcome = bench.exchange(name, answers).place(order_for(name), ATTEMPT)
    assert outcome.verdict is UNKNOWN
    assert outcome.reason == "the answer speaks of order somebody-elses"


@pytest.mark.parametrize("name", ["coinbase", "upbit"])
def test_an_acknowledgement_for_another_symbol_says_nothing(name: str, bench: Bench) -> None:
    kit, order = KITS[name], order_for(name)
    body = json.dumps(kit.accepted(order.client_order_id))
    for one, another in (("BTC-USDT", "PEPE-USDT"), ("USDT-BTC", "USDT-PEPE")):
        body = body.replace(one, another)
    assert bench.exchange(name, {kit.new_order: body}).place(order, ATTEMPT).verdict is UNKNOWN


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("name", OTHERS)
def test_a_placement_is_never_sent_again_to_where_a_gateway_points(
    name: str, status: int, bench: Bench
) -> None:
    kit = KITS[name]
    exchange = bench.exchange(name)
    path = kit.new_order.partition(" ")[2]
    bench.server.answers[kit.new_order] = Reply("", status, {"Location": bench.server.url + path})
    assert exchange.place(order_for(name), ATTEMPT).verdict is UNKNOWN
    assert len(bench.server.requests) == 1


@pytest.mark.parametrize("name", OTHERS)
def test_a_refused_connection_proves_that_nothing_was_sent(name: str, bench: Bench) -> None:
    markets_of = bench.exchange(name).client
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        outcome = KITS[name].exchange(url, markets_of).place(order_for(name), ATTEMPT)
    assert outcome.verdict is Verdict.NOT_SENT


@pytest.mark.parametrize("name", OTHERS)
def test_a_wait_that_the_exchange_asks_for_is_handed_on(name: str, bench: Bench) -> None:
    answer = Reply(HTML, 429, {"Retry-After": "7"})
    outcome = bench.exchange(name, {KITS[name].new_order: answer}).place(order_for(name), ATTEMPT)
    assert outcome.retry_after_s == 7


# What must be in the request for a limit buy of 1 BTC at 100: the terms in the body, with the
# client order id (None here) under its name, and those of the fence in the headers.
SENT = {
    "bybit": (
        {"category": "spot", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "1",
         "price": "100", "timeInForce": "GTC", "orderLinkId": None},
        {"X-Bapi-Timestamp": "1800000000042", "X-Bapi-Recv-Window": "3000"},
    ),
    "okx": (
        {"instId": "BTC-USDT", "side": "buy", "ordType": "limit", "sz": "1", "px": "100",
         "tdMode": "cash", "clOrdId": None},
        {"Ok-Access-Timestamp": "2027-01-15T08:00:00.042Z", "Exptime": "1800000003042"},
    ),
    "kraken": (
        {"pair": "XBTUSDT", "type": "buy", "ordertype": "limit", "volume": "1", "price": "100",
         "deadline": "2027-01-15T08:00:03.042Z", "oflags": "fciq", "cl_ord_id": None},
        {},
    ),
    "coinbase": (
        {"product_id": "BTC-USDT", "side": "BUY", "client_order_id": None, "order_configuration":
         {"limit_limit_gtc": {"base_size": "1", "limit_price": "100", "post_only": False}}},
        {"Cb-Access-Timestamp": "1800000000"},
    ),
    "upbit": (
        {"market": "USDT-BTC", "side": "bid", "ord_type": "limit", "price": "100", "volume": "1",
         "identifier": None},
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_an_order_is_sent_once_with_its_id_and_its_fence(name: str, bench: Bench) -> None:
    kit, order = KITS[name], order_for(name)
    exchange = bench.exchange(name, {kit.new_order: kit.accepted(order.client_order_id)})
    outcome = exchange.place(order, ATTEMPT)
    assert outcome.verdict is Verdict.ACCEPTED
    assert outcome.report.exchange_order_id == ORDER_ID
    assert outcome.report.status is OrderState.OPEN
    assert outcome.report.symbol == "BTC/USDT"
    [sent] = bench.server.requests
    terms, fence = SENT[name]
    for term, value in terms.items():
        assert sent.params[term] == (order.client_order_id if value is None else value), term
    headers = {key.title(): value for key, value in sent.headers.items()}
    assert {key: headers[key] for key in fence} == fence


@pytest.mark.parametrize("name", OTHERS)
def test_nothing_of_a_placement_is_left_for_the_next_request(name: str, bench: Bench) -> None:
    kit, order = KITS[name], order_for(name)
    accepted = {kit.new_order: kit.accepted(order.client_order_id)}
    exchange = bench.exchange(name, {**accepted, **kit.finds([])})
    exchange.place(order, ATTEMPT)
    assert exchange.lookup(order) is None
    asked = bench.server.requests[-1].headers
    headers = {key.title(): value for key, value in asked.items()}
    for key, value in SENT[name][1].items():
        assert headers.get(key) != value


LIMITS = {
    "bybit": {"IOC": {"timeInForce": "IOC"}, "FOK": {"timeInForce": "FOK"},
              "PO": {"timeInForce": "PostOnly"}},
    "okx": {"IOC": {"ordType": "ioc"}, "FOK": {"ordType": "fok"}, "PO": {"ordType": "post_only"}},
    "kraken": {"IOC": {"timeinforce": "IOC"}, "FOK": {"timeinforce": "FOK"},
               "PO": {"oflags": "fciq,post"}},
    "coinbase": {
        "IOC": {"order_configuration": {"sor_limit_ioc": {"base_size": "1", "limit_price": "100"}}},
        "FOK": {"order_configuration": {"limit_limit_fok": {"base_size": "1",
                                                            "limit_price": "100"}}},
        "PO": {"order_configuration": {"limit_limit_gtc": {"base_size": "1", "limit_price": "100",
                                                           "post_only": True}}},
    },
    "upbit": {"IOC": {"time_in_force": "ioc"}, "FOK": {"time_in_force": "fok"},
              "PO": {"time_in_force": "post_only"}},
}  # fmt: skip


@pytest.mark.parametrize("limit", ["IOC", "FOK", "PO"])
@pytest.mark.parametrize("name", OTHERS)
def test_each_time_in_force_goes_out_as_what_it_is(name: str, limit: str, bench: Bench) -> None:
    kit, order = KITS[name], order_for(name, time_in_force=TimeInForce(limit))
    exchange = bench.exchange(name, {kit.new_order: kit.accepted(order.client_order_id)})
    assert exchange.place(order, ATTEMPT).verdict is Verdict.ACCEPTED
    [sent] = bench.server.requests
    expected = LIMITS[name][limit]
    assert {term: sent.params[term] for term in expected} == expected


MARKET_SALES = {
    "bybit": {"side": "Sell", "orderType": "Market", "qty": "0.00012", "marketUnit": "baseCoin"},
    "okx": {"side": "sell", "ordType": "market", "sz": "0.00012", "tgtCcy": "base_ccy"},
    "kraken": {"type": "sell", "ordertype": "market", "volume": "0.00012"},
    "coinbase": {"order_configuration": {"market_market_ioc": {"base_size": "0.00012"}}},
    "upbit": {"side": "ask", "ord_type": "market", "volume": "0.00012"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_market_order_is_sized_in_base(name: str, bench: Bench) -> None:
    kit = KITS[name]
    order = order_for(name, type=OrderType.MARKET, side=Side.SELL, amount=Decimal("0.00012"))
    exchange = bench.exchange(name, {kit.new_order: kit.accepted(order.client_order_id)})
    assert exchange.place(order, ATTEMPT).verdict is Verdict.ACCEPTED
    [sent] = bench.server.requests
    assert {term: sent.params[term] for term in MARKET_SALES[name]} == MARKET_SALES[name]
    assert "price" not in sent.params
    assert "px" not in sent.params


@pytest.mark.parametrize("name", ["bybit", "okx", "kraken"])
def test_a_market_buy_is_sized_in_base_where_the_exchange_can(name: str, bench: Bench) -> None:
    kit, order = KITS[name], order_for(name, type=OrderType.MARKET, amount=Decimal("0.00012"))
    exchange = bench.exchange(name, {kit.new_order: kit.accepted(order.client_order_id)})
    assert exchange.place(order, ATTEMPT).verdict is Verdict.ACCEPTED
    [sent] = bench.server.requests
    assert "0.00012" in sent.params.values()
    assert {"marketUnit": "baseCoin", "tgtCcy": "base_ccy"}.items() & sent.params.items() or (
        name == "kraken" and sent.params["oflags"] == "fciq"
    )


@pytest.mark.parametrize("name", ["coinbase", "upbit"])
def test_a_market_buy_in_quote_is_refused_before_anything_is_sent(name: str, bench: Bench) -> None:
    order = order_for(name, type=OrderType.MARKET)
    outcome = bench.exchange(name).place(order, ATTEMPT)
    assert outcome.verdict is Verdict.REJECTED
    assert outcome.reason.startswith("type: ")
    assert bench.server.requests == []


@pytest.mark.parametrize("success", [False, None, "true"])
def test_coinbase_must_say_that_an_order_was_made(success: object, bench: Bench) -> None:
    kit, order = KITS["coinbase"], order_for("coinbase")
    answer = {**kit.accepted(order.client_order_id), "success": success}
    assert (
        bench.exchange("coinbase", {kit.new_order: answer}).place(order, ATTEMPT).verdict is UNKNOWN
    )


def test_what_coinbase_makes_of_a_repeated_id_is_the_first_order(bench: Bench) -> None:
    kit, order = KITS["coinbase"], order_for("coinbase")
    exchange = bench.exchange("coinbase", {kit.new_order: kit.accepted(order.client_order_id)})
    first, second = (exchange.place(order, ATTEMPT) for _ in range(2))
    assert first.report.exchange_order_id == second.report.exchange_order_id == ORDER_ID
    ids = {request.params["client_order_id"] for request in bench.server.requests}
    assert ids == {order.client_order_id}


def test_a_coinbase_token_is_made_at_the_stamp(bench: Bench) -> None:
    kit, order = KITS["coinbase"], order_for("coinbase")
    exchange = bench.another("coinbase")
    exchange.client.secret = b64encode(bytes(64)).decode()
    bench.server.reset({kit.new_order: kit.accepted(order.client_order_id)})
    assert exchange.place(order, ATTEMPT).verdict is Verdict.ACCEPTED
    [sent] = bench.server.requests
    claims = sent.headers["Authorization"].removeprefix("Bearer ").split(".")[1]
    token = json.loads(urlsafe_b64decode(claims + "=="))
    assert (token["iat"], token["exp"]) == (START_MS // 1000, START_MS // 1000 + 120)


def test_krakens_nonce_grows_over_all_clients_of_a_key(bench: Bench) -> None:
    kit = KITS["kraken"]
    exchanges = [bench.another("kraken") for _ in range(3)]
    bench.server.reset({kit.new_order: kit.accepted("")})
    for _ in range(20):
        for exchange in exchanges:
            exchange.place(order_for("kraken"), ATTEMPT)
    nonces = [int(request.params["nonce"]) for request in bench.server.requests]
    assert nonces == sorted(set(nonces))
    assert len(nonces) == 60


def test_krakens_nonce_grows_faster_than_the_clock_if_it_must(bench: Bench) -> None:
    clients = [bench.another("kraken").client for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        nonces = list(pool.map(lambda n: clients[n % 2].incrementing_nonce(), range(2_000)))
    assert len(set(nonces)) == 2_000


@pytest.mark.parametrize("name", ["bybit", "okx", "kraken"])
def test_a_shorter_window_is_a_nearer_fence(name: str, bench: Bench) -> None:
    kit, order = KITS[name], order_for(name)
    exchange = bench.exchange(name, {kit.new_order: kit.accepted(order.client_order_id)})
    exchange.place(order, replace(ATTEMPT, valid_until_ms=START_MS + 1_042))
    [sent] = bench.server.requests
    said = {**sent.params, **{key.title(): value for key, value in sent.headers.items()}}
    fence = {"bybit": ("X-Bapi-Recv-Window", "1000"), "okx": ("Exptime", "1800000001042"),
             "kraken": ("deadline", "2027-01-15T08:00:01.042Z")}  # fmt: skip
    key, value = fence[name]
    assert said[key] == value


SAMPLES = Path(__file__).parents[3].parent / "shared" / "data" / "payloads"
ASKED = {
    "bybit": {"createOrder": "POST /v5/order/create", "fetchOrder": "GET /v5/order/history",
              "fetchMyTrades": "GET /v5/execution/list",
              "fetchOrderBook": "GET /v5/market/orderbook",
              "fetchBalance": "GET /v5/account/wallet-balance"},
    "okx": {"createOrder": "POST /api/v5/trade/order", "fetchOrder": "GET /api/v5/trade/order",
            "fetchMyTrades": "GET /api/v5/trade/fills-history",
            "fetchOrderBook": "GET /api/v5/market/books",
            "fetchBalance": "GET /api/v5/account/balance"},
}  # fmt: skip
RECORDED = [
    pytest.param(name, ASKED[name][case["method"]], case["httpResponse"], id=f"{name}-{number}")
    for name in ASKED
    if (SAMPLES / f"{name}.json").exists()
    for number, case in enumerate(json.loads((SAMPLES / f"{name}.json").read_text()))
    if case["method"] in ASKED[name] and case["market_type"] == "spot"
]

if RECORDED:

    @pytest.mark.parametrize(("name", "route", "answer"), RECORDED)
    def test_a_recorded_answer_has_the_shape_that_is_asked_for(
        name: str, route: str, answer: Any, bench: Bench
    ) -> None:
        method, _, path = route.partition(" ")
        client = bench.exchange(name, {route: answer}).client
        assert client.fetch(f"{bench.server.url}{path}", method) == answer


def test_the_secret_of_no_account_is_in_a_reason(bench: Bench) -> None:
    for name in OTHERS:
        outcome = bench.exchange(name, {KITS[name].new_order: Reply(HTML, 500)}).place(
            order_for(name), ATTEMPT
        )
        assert SECRET not in outcome.reason
