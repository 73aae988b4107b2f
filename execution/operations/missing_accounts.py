"""Finds unfinished orders and arbitrages on accounts that are not in the settings any more."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from execution.arbitrage.model import Arbitrage
from execution.arbitrage.store import ArbitrageStore
from execution.exchanges.account import what_is_missing
from execution.model.order import Order
from execution.orders.store import LeaseStore
from execution.text.cutting import some

ANNOUNCED_AGAIN_MS = 86_400_000


class LiveOrders(Protocol):
    """Orders that may still change. Every method raises StoreUnavailable when the server does not
    answer."""

    def live_orders(self, account: str) -> list[Order]: ...
    def accounts(self) -> list[str]:
        """Every account that ever had a live order, sorted."""


@dataclass(frozen=True, slots=True)
class MissingAccount:
    """An account that is not configured, with its live orders and its unfinished arbitrages."""

    account: str
    orders: tuple[Order, ...]
    arbitrages: tuple[Arbitrage, ...]

    @property
    def sentence(self) -> str:
        """The unfinished work there, and what is missing to end it."""
        parts = [
            f"{len(ids)} {what} ({some(ids)})"
            for what, ids in (
                ("live orders", [order.order_id for order in self.orders]),
                (
                    "unfinished arbitrages",
                    [arbitrage.arbitrage_id for arbitrage in self.arbitrages],
                ),
            )
            if ids
        ]
        return f"{what_is_missing(self.account)}; it has {' and '.join(parts)}"


def missing_accounts(
    orders: LiveOrders, arbitrages: ArbitrageStore, configured: Collection[str]
) -> list[MissingAccount]:
    """Every account that is not configured and has unfinished orders or arbitrages, by name.

    Raises StoreUnavailable.
    """
    unfinished = arbitrages.unfinished()
    places = {account for o in unfinished for account in (o.buy_account, o.sell_account)}
    missing = []
    for account in sorted({*orders.accounts(), *places} - set(configured)):
        live = tuple(orders.live_orders(account))
        there = tuple(o for o in unfinished if account in (o.buy_account, o.sell_account))
        if live or there:
            missing.append(MissingAccount(account, live, there))
    return missing


def announce_missing(
    orders: LiveOrders,
    arbitrages: ArbitrageStore,
    leases: LeaseStore,
    configured: Collection[str],
    announce: Callable[[MissingAccount], None],
) -> None:
    """Announce each of them once a day, among all processes."""
    for missing in missing_accounts(orders, arbitrages, configured):
        if leases.lease(f"alert:account:{missing.account}", uuid4().hex, ANNOUNCED_AGAIN_MS):
            announce(missing)
