"""Ids follow from the signal id alone, and fit every exchange that takes letters and digits."""

import re

from execution.exchanges.profiles import binance, kraken
from execution.exchanges.registry import GUARANTEES, client_order_id_of
from execution.orders.identifiers import is_ours, may_be_ours
from oneorder.identifiers import order_id_of


def test_the_same_signal_always_has_the_same_order_id() -> None:
    assert order_id_of("signal-1") == "oorlsybv3fzaqpiu5sg6n5yn36"
    assert order_id_of("signal-2") != order_id_of("signal-1")


def test_order_ids_are_26_lower_case_letters_and_digits() -> None:
    for signal_id in ("a", "x" * 128, "ünïcode", "with space", "1"):
        assert re.fullmatch(r"oo[a-z2-7]{24}", order_id_of(signal_id))


def test_order_ids_fit_binances_client_ids_as_they_are() -> None:
    assert re.match(binance.GUARANTEES.client_id_pattern, order_id_of("signal-1"))
    assert re.fullmatch(r"[a-zA-Z0-9-_]{1,36}", order_id_of("x" * 128))


def test_a_hundred_thousand_signals_that_are_much_alike_have_as_many_ids() -> None:
    assert len({order_id_of(f"signal-{number}") for number in range(100_000)}) == 100_000


def test_our_orders_are_known_by_sight() -> None:
    assert is_ours(order_id_of("signal-1"))
    for other in (None, "", "oo", "web_1234", "x-R4BD3S82" + "a" * 16, order_id_of("s") + "a"):
        assert not is_ours(other)


def test_a_uuid_may_be_ours_but_where_all_other_orders_have_one() -> None:
    uuid = client_order_id_of(order_id_of("signal-1"), kraken.GUARANTEES.exchange)
    assert may_be_ours(uuid, kraken.GUARANTEES.exchange)
    assert may_be_ours(uuid)
    assert not may_be_ours(uuid, "coinbase")
    for exchange in GUARANTEES:
        assert may_be_ours(client_order_id_of(order_id_of("signal-1"), exchange), exchange)
        assert not may_be_ours("web_1", exchange)
        assert not may_be_ours(None, exchange)
