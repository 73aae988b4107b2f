"""What is promised by and of each exchange: contracts, ids, and how verdict rows are chosen."""

import re
from collections.abc import Iterable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.api.other_exchange_api import ADAPTERS
from execution.exchanges.guarantees import ExchangeGuarantees, Uniqueness
from execution.exchanges.registry import (
    GUARANTEES,
    TABLES,
    client_order_id_of,
    row_of,
    verdict_of,
    without_guarantees,
)
from execution.exchanges.verdicts import Failure, VerdictRule, each, match_rule
from execution.model.order import Verdict
from oneorder.identifiers import order_id_of

EACH = pytest.mark.parametrize("guarantees", GUARANTEES.values(), ids=lambda found: found.exchange)


@EACH
def test_each_contract_comes_with_a_table_an_adapter_and_its_source(
    guarantees: ExchangeGuarantees,
) -> None:
    assert TABLES[guarantees.exchange]
    assert guarantees.exchange in {*ADAPTERS, "binance"}
    assert re.search(r"docs", guarantees.source)
    assert guarantees.lookup


@EACH
def test_each_unknown_outcome_under_a_contract_can_be_found_out(
    guarantees: ExchangeGuarantees,
) -> None:
    assert guarantees.is_resolvable
    assert guarantees.is_fenced or guarantees.uniqueness is Uniqueness.ALL_ORDERS


@EACH
def test_a_fence_without_a_margin_is_none(guarantees: ExchangeGuarantees) -> None:
    assert guarantees.margin_ms == guarantees.engine_bound_ms + guarantees.read_lag_ms
    assert guarantees.margin_ms > 0
    assert not guarantees.is_fenced or guarantees.engine_bound_ms > 0
    assert guarantees.is_fenced == (guarantees.window_max_ms > 0)


def test_the_exchanges_are_those_that_were_asked_for() -> None:
    assert set(GUARANTEES) == set(TABLES) == {
        "binance", "bybit", "okx", "kraken", "coinbase", "upbit",
    }  # fmt: skip
    assert {name for name, guarantees in GUARANTEES.items() if guarantees.is_fenced} == {
        "binance", "bybit", "okx", "kraken",
    }  # fmt: skip
    unique = [name for name in GUARANTEES if GUARANTEES[name].uniqueness is Uniqueness.ALL_ORDERS]
    assert unique == ["bybit", "coinbase", "upbit"]


def test_an_exchange_without_a_contract_promises_nothing() -> None:
    guarantees = without_guarantees("somewhere")
    assert guarantees.exchange == "somewhere"
    assert guarantees.uniqueness is Uniqueness.NONE
    assert not guarantees.is_fenced
    assert not guarantees.is_resolvable
    assert re.match(guarantees.client_id_pattern, order_id_of("a signal"))


@EACH
@given(signal_id=st.text(min_size=1, max_size=40))
def test_every_client_order_id_fits_its_exchange(
    guarantees: ExchangeGuarantees, signal_id: str
) -> None:
    order_id = order_id_of(signal_id)
    client_order_id = client_order_id_of(order_id, guarantees.exchange)
    assert re.fullmatch(guarantees.client_id_pattern, client_order_id)
    assert client_order_id == client_order_id_of(order_id, guarantees.exchange)


@given(one=st.text(min_size=1), another=st.text(min_size=1))
def test_different_orders_have_different_ids_at_kraken(one: str, another: str) -> None:
    ids = {client_order_id_of(order_id_of(text), "kraken") for text in (one, another)}
    assert len(ids) == len({one, another})


def test_krakens_ids_are_uuids_and_do_not_change_from_one_version_of_ours_to_the_next() -> None:
    client_order_id = client_order_id_of("ooaaaaaaaaaaaaaaaaaaaaaaaa", "kraken")
    assert client_order_id == "cd85b8de-7fd3-4a5b-8820-c33c3a3077a2"
    assert UUID(client_order_id).version == 4


@pytest.mark.parametrize("exchange", [name for name in GUARANTEES if name != "kraken"])
def test_elsewhere_the_order_id_is_the_client_order_id(exchange: str) -> None:
    assert client_order_id_of("ooaaaaaaaaaaaaaaaaaaaaaaaa", exchange) == (
        "ooaaaaaaaaaaaaaaaaaaaaaaaa"
    )


# How a row is chosen

A, B = (VerdictRule(Verdict.REJECTED, "a", code="1"), VerdictRule(Verdict.NOT_SENT, "b", code="1"))


def test_the_first_row_that_fits_decides() -> None:
    failure = Failure("ExchangeError", "no", 400, "1")
    assert match_rule(failure, (A, B)) is A
    assert match_rule(failure, (B, A)) is B
    assert match_rule(failure, ()) is None


@pytest.mark.parametrize(
    ("row", "fits"),
    [
        (VerdictRule(Verdict.REJECTED, ""), True),
        (VerdictRule(Verdict.REJECTED, "", status=range(400, 500)), True),
        (VerdictRule(Verdict.REJECTED, "", status=range(200, 300)), False),
        (VerdictRule(Verdict.REJECTED, "", code="-2010"), True),
        (VerdictRule(Verdict.REJECTED, "", code="2010"), False),
        (VerdictRule(Verdict.REJECTED, "", message="BALANCE"), True),
        (VerdictRule(Verdict.REJECTED, "", message="price"), False),
        (VerdictRule(Verdict.REJECTED, "", kind="InvalidOrder"), True),
        (VerdictRule(Verdict.REJECTED, "", kind="ExchangeError"), False),
        (VerdictRule(Verdict.REJECTED, "", reached=True), True),
        (VerdictRule(Verdict.REJECTED, "", reached=False), False),
        (VerdictRule(Verdict.REJECTED, "", status=range(400, 500), code="1"), False),
    ],
)
def test_a_row_fits_where_all_that_it_names_is_so(row: VerdictRule, fits: bool) -> None:
    failure = Failure("InvalidOrder", "insufficient balance", 400, "-2010")
    assert row.fits(failure) is fits


def test_nothing_fits_a_status_that_never_came() -> None:
    assert not VerdictRule(Verdict.REJECTED, "", status=range(400, 500)).fits(Failure("E", "m"))


def test_one_row_is_made_for_every_code() -> None:
    rows = each(Verdict.REJECTED, "because", "1", "2", status=range(400, 500))
    assert [row.code for row in rows] == ["1", "2"]
    assert {(row.verdict, row.why, row.status) for row in rows} == {
        (Verdict.REJECTED, "because", range(400, 500))
    }


def codes(rows: Iterable[VerdictRule]) -> list[str]:
    return [row.code for row in rows if row.code is not None and row.message is None]


@pytest.mark.parametrize("exchange", TABLES)
def test_no_code_stands_twice_in_a_table(exchange: str) -> None:
    listed = codes(TABLES[exchange])
    assert sorted(listed) == sorted(set(listed))


@pytest.mark.parametrize("exchange", [*TABLES, "nowhere"])
def test_what_no_row_names_is_unknown(exchange: str) -> None:
    nothing_known = Failure("ExchangeError", "")
    assert row_of(nothing_known, exchange) is None
    assert verdict_of(nothing_known, exchange) is Verdict.UNKNOWN
    assert verdict_of(Failure("InvalidOrder", "no", 400, "no-such-code"), exchange) is (
        Verdict.UNKNOWN
    )


@pytest.mark.parametrize("exchange", [*TABLES, "nowhere"])
@pytest.mark.parametrize("kind", ["InsufficientFunds", "InvalidOrder", "AuthenticationError",
                                  "RateLimitExceeded", "OrderNotFound", "BadRequest"])  # fmt: skip
def test_what_ccxt_calls_an_error_proves_nothing(kind: str, exchange: str) -> None:
    assert verdict_of(Failure(kind, "said ccxt"), exchange) is Verdict.UNKNOWN


@pytest.mark.parametrize("exchange", [*TABLES, "nowhere"])
@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 530, 599])
def test_a_server_that_broke_proves_nothing_whatever_it_says(status: int, exchange: str) -> None:
    for code in (None, *codes(TABLES.get(exchange, ()))):
        assert verdict_of(Failure("E", "m", status, code), exchange) is Verdict.UNKNOWN


@pytest.mark.parametrize("exchange", [*TABLES, "nowhere"])
def test_what_never_left_was_not_sent(exchange: str) -> None:
    assert verdict_of(Failure("E", "m", reached=False), exchange) is Verdict.NOT_SENT
