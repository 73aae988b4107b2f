"""A position as a hash of text, and back."""

from decimal import Decimal

import pytest

from execution.model.position import Position, fold
from execution.store.access.codec import position_from_hash, position_to_hash
from tests.support.fakes import fill

EMPTY = [
    Position("binance-main", "BTC/USDT"),
    Position("okx-main", "BTC/USDT:USDT", contract_size=Decimal("0.010")),
    Position("okx-main", "BTC/USD:BTC", contract_size=Decimal(100), revision="kept"),
]
FILLS = [
    fill("1", "buy", "3", "33333.34", [("BNB", "0.00001"), ("USDT", "-0.5")]),
    fill("2", "sell", "0.7", "33333.33", [("BTC", "0.00002")]),
]
every_kind = pytest.mark.parametrize("empty", EMPTY, ids=lambda empty: empty.instrument.kind)


@every_kind
def test_a_position_comes_back_from_its_hash_as_it_was(empty: Position) -> None:
    for position in (empty, fold(empty, FILLS)):
        assert position_from_hash(position_to_hash(position)) == position


def test_a_hash_has_the_fields_for_display() -> None:
    stored = position_to_hash(fold(EMPTY[1], [fill("1", "sell", "200", "100", [("USDT", "0.10")])]))
    expected = {
        "account": "okx-main",
        "symbol": "BTC/USDT:USDT",
        "amount": "-200",
        "cost": "-200",
        "entry_price": "100",
        "realised_pnl": "-0.1",
        "turnover": "200",
        "fees": '{"USDT": "0.1"}',
        "contract_size": "0.01",
        "version": "1",
        "revision": "",
    }
    assert {name: stored[name] for name in expected} == expected


def test_a_hash_of_a_release_that_knew_no_contract_size_means_one() -> None:
    stored = position_to_hash(fold(EMPTY[0], FILLS))
    del stored["contract_size"]
    found = position_from_hash(stored)
    assert found.contract_size == 1
    assert found == fold(EMPTY[0], FILLS)
