"""Whatever set of keys that hold positions is lost: beat's next looks put all of it back.

Each case deletes one subset of the keys, with fills before the loss that the ledger has or has not,
and with or without fills between the loss and the look. The exchange's own trades are the truth.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest

from execution.model.order import Order, OrderState, Side
from execution.reconciliation.run import DriftPolicy
from execution.store.access import keys
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, Rig
from tests.support.stores_kit import ServerRig

# What holds positions on a server; every subset of these is lost in turn.
HOLDING = {
    "position": keys.position(ACCOUNT, SYMBOL),
    "positions": keys.POSITIONS,
    "versions": keys.POSITION_VERSIONS,
    "mended": keys.VERIFIED,
    "records": "",
    "checkpoint": keys.CHECKPOINT,
}
# What else is there; each of these is lost with each of those, and with all of them.
BESIDE = {
    "orders": keys.ORDERS,
    "due": keys.DUE,
    "unarchived": keys.UNARCHIVED,
    "leaving": keys.LEAVING,
    "live": keys.live(ACCOUNT),
    "exchange_ids": keys.exchange_ids(ACCOUNT),
    "epoch": keys.EPOCH,
    "ledger": keys.LEDGER,
    "commits": keys.COMMITS,
    "accounts": keys.ACCOUNTS,
}
TABLES = {
    "position": "positions",
    "versions": "position_versions",
    "mended": "verified_epoch",
    "records": "orders",
    "checkpoint": "agreed",
    "orders": "known",
    "due": "due",
    "unarchived": "unarchived",
    "live": "live",
    "exchange_ids": "exchange_ids",
    "leaving": "leaving",
    "ledger": "ledger_identity",
}
Drop = Callable[[Any, tuple[str, ...]], None]


def subsets() -> Iterator[tuple[str, ...]]:
    for size in range(1, len(HOLDING) + 1):
        yield from combinations(HOLDING, size)
    for name in BESIDE:
        yield (name,)
        yield from ((name, other) for other in HOLDING)
        yield (name, *HOLDING)


def from_server(rig: Any, names: tuple[str, ...]) -> None:
    lost = [key for name in names if (key := (HOLDING | BESIDE)[name])]
    if "records" in names:
        lost += list(rig.redis.scan_iter(keys.order("*")))
    rig.redis.delete(*lost)


def from_memory(rig: Any, names: tuple[str, ...]) -> None:
    for name in names:
        if name in TABLES:
            rig.store.tables.drop(TABLES[name])


def filled(rig: Any, number: int, price: str, side: Side = Side.BUY) -> Order:
    rig.clock.advance(1_000)
    rig.exchange.fill_next.append([(price, "1")])
    return rig.manager.submit(rig.order(signal_id=f"signal-{number}", side=side))


def truth(rig: Any) -> tuple[Decimal, Decimal]:
    """What the account holds, and what it paid for that in all."""
    held = paid = Decimal(0)
    for standing in rig.exchange.standing:
        for fill in standing.fills:
            sign = 1 if fill.side is Side.BUY else -1
            held += sign * fill.amount
            paid += sign * fill.amount * fill.price
    return held, paid


def believed(rig: Any) -> tuple[Decimal, Decimal]:
    position = rig.store.position(ACCOUNT, SYMBOL)
    return position.amount, position.cost - position.realised_pnl


def lose_and_repair(
    rig: Any, drop: Drop, names: tuple[str, ...], *, archives: bool, fills: int
) -> None:
    for _ in range(3):
        rig.reconcile(DriftPolicy.ADOPT)
        rig.clock.advance(5_000)
    opening = rig.book.sheet(ACCOUNT).opening
    filled(rig, 1, "99")
    filled(rig, 2, "101", Side.SELL)
    filled(rig, 3, "98")
    resting = rig.manager.submit(rig.order(signal_id="resting"))
    rig.archive.run()
    rig.reconcile(DriftPolicy.ADOPT)
    filled(rig, 4, "97")
    if archives:
        rig.archive.run()
    drop(rig, names)
    for number in range(fills):
        filled(rig, 10 + number, "96")
    rig.archive.run()
    for _ in range(4):
        rig.clock.advance(5_000)
        rig.reconcile(DriftPolicy.ADOPT)
        rig.archive.run()
    assert believed(rig) == truth(rig)
    (position,) = rig.store.positions()
    assert position == rig.store.position(ACCOUNT, SYMBOL)
    # What was lost is not booked as a deposit, and no order was doubled for it.
    assert rig.book.sheet(ACCOUNT).opening == opening
    last = rig.book.runs(1)[0]
    assert (last.repaired, last.warnings, last.error, last.drift) == ([], [], None, {})
    assert rig.store.order(resting.order_id).state is OrderState.OPEN
    for number in (1, 2, 3, 4):
        side = Side.SELL if number == 2 else Side.BUY
        rig.manager.submit(rig.order(signal_id=f"signal-{number}", side=side))
    rig.sweep(for_ms=10_000)
    assert rig.accepted == 5 + fills


# Whether the ledger has all fills from before the loss, and how many come after it.
WAYS = [(archives, fills) for archives in (False, True) for fills in (1, 0, 7)]


def cases() -> Iterator[tuple[tuple[str, ...], bool, int]]:
    """Every subset of what holds positions in every way, and all others in one way each."""
    for i, names in enumerate(subsets()):
        for archives, fills in WAYS if names[0] in HOLDING else [WAYS[i % len(WAYS)]]:
            yield names, archives, fills


@pytest.mark.parametrize(("names", "archives", "fills"), [*cases()])
def test_every_subset_that_memory_loses_comes_back(
    names: tuple[str, ...], archives: bool, fills: int
) -> None:
    lose_and_repair(Rig(), from_memory, names, archives=archives, fills=fills)


# Memory loses every subset in every run; a server a quarter of them, and all in `make soak`.
PARTS = [0, *(pytest.param(part, marks=pytest.mark.soak) for part in (1, 2, 3))]


@pytest.mark.parametrize("part", PARTS)
def test_every_subset_that_a_server_loses_comes_back(valkey_url: str, part: int) -> None:
    """Each subset with one of the ways in which fills come before and after it."""
    chosen = [names for names in subsets() if len(names) != 2 or names[0] in HOLDING]
    for i, names in enumerate(chosen):
        archives, fills = WAYS[i % len(WAYS)]
        if i % 4 == part:
            rig = ServerRig(valkey_url)
            try:
                lose_and_repair(rig, from_server, names, archives=archives, fills=fills)
            except AssertionError as error:
                how = f"archived: {archives}, fills after: {fills}"
                raise AssertionError(f"lost: {', '.join(names)}; {how}") from error
