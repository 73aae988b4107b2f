"""Guarantees, verdicts and client order ids of each exchange, by its ccxt id."""

import hashlib
from uuid import UUID

from execution.exchanges.guarantees import (
    ENDED_KEPT_MS,
    ENGINE_BOUND_MS,
    ExchangeGuarantees,
    Uniqueness,
)
from execution.exchanges.profiles import binance, bybit, coinbase, kraken, okx, upbit
from execution.exchanges.verdicts import EVERY_EXCHANGE, Failure, VerdictRule, match_rule
from execution.model.order import Verdict

PROFILES = {
    "binance": binance,
    "bybit": bybit,
    "okx": okx,
    "kraken": kraken,
    "coinbase": coinbase,
    "upbit": upbit,
}
GUARANTEES = {name: profile.GUARANTEES for name, profile in PROFILES.items()}
TABLES: dict[str, tuple[VerdictRule, ...]] = {
    name: profile.VERDICTS for name, profile in PROFILES.items()
}


def without_guarantees(exchange: str) -> ExchangeGuarantees:
    """The guarantees of an unsupported exchange, which are none: its unknown outcomes are
    quarantined."""
    return ExchangeGuarantees(
        exchange=exchange,
        client_id_pattern=r"^[a-zA-Z0-9]{1,26}$",
        uniqueness=Uniqueness.NONE,
        window_ms=5_000,
        window_min_ms=1,
        window_max_ms=0,
        engine_bound_ms=ENGINE_BOUND_MS,
        read_lag_ms=2_000,
        ended_kept_ms=ENDED_KEPT_MS,
        lookup="none that proves anything",
        source="none: its documentation was not checked; every figure is our assumption",
    )


def client_order_id_of(order_id: str, exchange: str) -> str:
    """The client order id of the order at `exchange`; the same one every time.

    If the order id does not fit, as on Kraken, it is a UUID made from the order id's hash.
    """
    if exchange != "kraken":
        return order_id
    digest = hashlib.blake2b(order_id.encode(), digest_size=16).digest()
    return str(UUID(bytes=digest, version=4))


def row_of(failure: Failure, exchange: str) -> VerdictRule | None:
    """The row that matches a failed placement; None if nothing is proved."""
    return match_rule(failure, (*EVERY_EXCHANGE, *TABLES.get(exchange, ())))


def verdict_of(failure: Failure, exchange: str) -> Verdict:
    """Judge a failed placement by the exchange's table; UNKNOWN if no row matches."""
    row = row_of(failure, exchange)
    return Verdict.UNKNOWN if row is None else row.verdict
