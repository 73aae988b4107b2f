"""Contracts, linear and inverse: known answers worked out by hand, and the terms of a symbol."""

from decimal import Decimal, localcontext

import pytest

from execution.model.decimals import ZERO
from execution.model.instrument import COST_GRID, Kind, instrument_of
from execution.model.order import Fill
from execution.model.position import Position, fold
from execution.positions.balance_sheet import cash_flows
from tests.support.fakes import fill

# Contracts of 0.01 BTC, settled in USDT; and of 100 USD, settled in BTC.
LINEAR = Position("okx-main", "BTC/USDT:USDT", contract_size=Decimal("0.01"))
INVERSE = Position("okx-main", "BTC/USD:BTC", contract_size=Decimal(100))
DOLLARS = Position("bybit-main", "BTC/USD:BTC")


def to_8_places(number: Decimal) -> Decimal:
    return number.quantize(Decimal("1e-8"))


def test_linear_contracts_are_worth_their_size() -> None:
    """300 contracts are 3 BTC: bought at 50,000, 100 of them sold at 50,600."""
    position = fold(LINEAR, [fill("1", "buy", "300", "50000"), fill("2", "sell", "100", "50600")])
    assert position.amount == 200
    assert position.entry_price == 50_000
    assert position.cost == 100_000
    assert position.realised_pnl == 600
    assert position.unrealised_pnl(Decimal(49_000)) == -2_000
    assert position.turnover == 150_000 + 50_600


def test_a_linear_flip_closes_and_opens() -> None:
    position = fold(LINEAR, [fill("1", "sell", "100", "50000"), fill("2", "buy", "150", "49000")])
    assert (position.amount, position.entry_price) == (Decimal(50), Decimal(49_000))
    assert position.realised_pnl == 1_000
    assert position.cost == 24_500


def test_a_fee_of_a_linear_contract_reduces_the_profit_only_in_its_settle_asset() -> None:
    fees = [("USDT", "2.5"), ("BNB", "0.01"), ("BTC", "0.0001")]
    position = fold(LINEAR, [fill("1", "buy", "100", "50000", fees)])
    assert position.amount == 100
    assert position.cost == 50_000
    assert position.realised_pnl == Decimal("-2.5")
    assert position.fees == {asset: Decimal(paid) for asset, paid in fees}


def test_a_short_inverse_contract_loses_in_base_as_the_price_rises() -> None:
    """100,000 USD are 10 BTC at 10,000 and 9.09090909 BTC at 11,000."""
    short = fold(DOLLARS, [fill("1", "sell", "100000", "10000")])
    assert (short.amount, short.cost, short.entry_price) == (-100_000, -10, 10_000)
    assert to_8_places(short.unrealised_pnl(Decimal(11_000))) == Decimal("-0.90909091")
    closed = fold(short, [fill("2", "buy", "100000", "11000")])
    assert to_8_places(closed.realised_pnl) == Decimal("-0.90909091")
    assert (closed.amount, closed.cost, closed.entry_price) == (0, 0, None)


def test_a_long_inverse_contract_earns_in_base_as_the_price_rises() -> None:
    """200 contracts of 100 USD are 1 BTC at 20,000 and 0.8 BTC at 25,000; half are 0.4 BTC."""
    position = fold(INVERSE, [fill("1", "buy", "200", "20000")])
    assert position.unrealised_pnl(Decimal(25_000)) == Decimal("0.2")
    position = fold(position, [fill("2", "sell", "100", "25000")])
    assert position.amount == 100
    assert position.realised_pnl == Decimal("0.1")
    assert position.entry_price == 20_000
    assert position.unrealised_pnl(Decimal(25_000)) == Decimal("0.1")
    assert position.turnover == Decimal("1.4")


def test_the_entry_of_inverse_contracts_is_the_harmonic_average() -> None:
    """10,000 USD at 10,000 are 1 BTC, at 40,000 a quarter: 20,000 USD cost 1.25 BTC."""
    position = fold(INVERSE, [fill("1", "buy", "100", "10000"), fill("2", "buy", "100", "40000")])
    assert position.cost == Decimal("1.25")
    assert position.entry_price == 16_000


def test_an_inverse_flip_closes_at_its_entry_and_opens_at_the_new_price() -> None:
    """Long 1 BTC's worth at 20,000; 300 contracts sold at 25,000 close 0.8 and open 0.4 BTC."""
    position = fold(INVERSE, [fill("1", "buy", "200", "20000"), fill("2", "sell", "300", "25000")])
    assert (position.amount, position.entry_price) == (-100, 25_000)
    assert position.cost == Decimal("-0.4")
    assert position.realised_pnl == Decimal("0.2")
    assert position.unrealised_pnl(Decimal(20_000)) == Decimal("0.1")


def test_a_flip_that_does_not_divide_opens_with_all_that_the_close_left_of_its_value() -> None:
    """1 contract closed and 2 opened at 30,000: a third of the hundredth, and the rest of it."""
    position = fold(INVERSE, [fill("1", "buy", "1", "10000"), fill("2", "sell", "3", "30000")])
    third = (Decimal(100) / 30_000).quantize(COST_GRID)
    assert position.cost == -(Decimal("0.01") - third)
    assert position.realised_pnl == Decimal("0.01") - third


def test_a_fee_of_an_inverse_contract_reduces_the_profit_in_base_and_never_the_amount() -> None:
    fees = [("BTC", "0.0005"), ("USD", "3"), ("BNB", "0.1")]
    position = fold(INVERSE, [fill("1", "buy", "200", "20000", fees)])
    assert position.amount == 200
    assert position.cost == 1
    assert position.realised_pnl == Decimal("-0.0005")
    assert position.fees == {asset: Decimal(paid) for asset, paid in fees}


def test_a_contract_moves_its_settle_asset_by_the_profit_and_the_fees_elsewhere() -> None:
    fills = [
        fill("1", "buy", "200", "20000", [("BTC", "0.0005"), ("BNB", "0.1")]),
        fill("2", "sell", "100", "25000"),
    ]
    assert cash_flows(fold(INVERSE, fills)) == {"BTC": Decimal("0.0995"), "BNB": Decimal("-0.1")}
    linear = [fill("1", "buy", "300", "50000"), fill("2", "sell", "100", "50600")]
    assert cash_flows(fold(LINEAR, linear)) == {"USDT": Decimal(600)}


def test_the_flows_of_spot_are_what_came_and_what_was_paid() -> None:
    fills = [
        fill("1", "buy", "2", "100", [("BTC", "0.01"), ("USDT", "0.3"), ("BNB", "0.004")]),
        fill("2", "sell", "1", "110"),
    ]
    assert cash_flows(fold(Position("a", "BTC/USDT"), fills)) == {
        "BTC": Decimal("0.99"),
        "USDT": Decimal("-90.3"),
        "BNB": Decimal("-0.004"),
    }


@pytest.mark.parametrize("flat", [LINEAR, INVERSE])
@pytest.mark.parametrize("precision", [6, 28])
def test_what_is_computed_does_not_depend_on_the_callers_precision(
    flat: Position, precision: int
) -> None:
    fills = [fill("1", "buy", "123456789", "10000.03"), fill("2", "sell", "23456789", "9999.97")]
    mark, expected = Decimal("12345.678912"), fold(flat, fills)
    with localcontext() as context:
        context.prec = precision
        found = fold(flat, fills)
        seen = (found.entry_price, found.unrealised_pnl(mark), cash_flows(found))
    assert found == expected
    assert seen == (expected.entry_price, expected.unrealised_pnl(mark), cash_flows(expected))


@pytest.mark.parametrize(
    ("symbol", "kind", "settle"),
    [
        ("BTC/USDT", Kind.SPOT, "USDT"),
        ("BTC/USDT:USDT", Kind.LINEAR, "USDT"),
        ("BTC/USD:BTC", Kind.INVERSE, "BTC"),
        ("BTC/USD:BTC-261225", Kind.INVERSE, "BTC"),
        ("BTC/USDC:USDC-261225", Kind.LINEAR, "USDC"),
    ],
)
def test_a_symbol_tells_its_kind_and_what_it_settles_in(
    symbol: str, kind: Kind, settle: str
) -> None:
    terms = instrument_of(symbol, Decimal(1))
    assert (terms.kind, terms.settle) == (kind, settle)


@pytest.mark.parametrize("symbol", ["ETH/USD:BTC", "BTC/USDT:USDT-261225-90000-C"])
def test_a_symbol_whose_terms_are_not_known_is_refused_by_name(symbol: str) -> None:
    with pytest.raises(ValueError, match=rf"^symbol: '{symbol}' "):
        fold(Position("a", symbol), [fill("1", "buy", "1", "1")])


@pytest.mark.parametrize(
    ("symbol", "size", "named"),
    [
        ("BTC/USD:BTC", "0", "contract_size: 0 is not above zero"),
        ("BTC/USD:BTC", "-100", "contract_size: -100 is not above zero"),
        ("BTC/USDT", "100", "contract_size: 100 is not 1, and BTC/USDT is spot"),
    ],
)
def test_a_contract_size_that_cannot_be_is_refused(symbol: str, size: str, named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named}$"):
        Position("a", symbol, contract_size=Decimal(size))


@pytest.mark.parametrize("price", ["0", "-1"])
def test_an_inverse_contract_has_no_value_at_a_price_that_is_not_above_zero(price: str) -> None:
    free: list[Fill] = [fill("1", "buy", "1", price)]
    with pytest.raises(ValueError, match=rf"^price: {price} is not above zero"):
        fold(INVERSE, free)
    with pytest.raises(ValueError, match=rf"^price: {price} is not above zero"):
        INVERSE.unrealised_pnl(Decimal(price))


def test_an_inverse_contract_worth_less_than_the_grid_has_no_entry_price() -> None:
    position = fold(INVERSE, [fill("1", "buy", "1", "1e30")])
    assert (position.cost, position.entry_price) == (ZERO, None)
