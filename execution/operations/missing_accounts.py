"""Finds what is still under way on accounts that the settings do not have any more."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import uuid4

from execution.arbitrage.model import Arbitrage
from execution.arbitrage.store import ArbitrageStore
from execution.exchanges.account import what_is_missing
from execution.model.order import Order
from execution.orders.store import Store

SHOWN_MAX = 5
ANNOUNCED_AGAIN_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class MissingAccount:
    """An account that is not configured, with its live orders and its unfinished arbitrages."""

    account: str
    orders: tuple[Order, ...]
    arbitrages: tuple[Arbitrage, ...]

    @property
    def sentence(self) -> str:
        """What is under way there, and what is missing to end it."""
        parts = [
            f"{len(ids)} {what} ({_shown(ids)})"
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
    store: Store, arbitrages: ArbitrageStore, configured: Collection[str]
) -> list[MissingAccount]:
    """Every account that is not configured and has something under way, by name.

    Raises StoreUnavailable.
    """
    unfinished = arbitrages.unfinished()
    places = {account for o in unfinished for account in (o.buy_account, o.sell_account)}
    missing = []
    for account in sorted({*store.accounts(), *places} - set(configured)):
        orders = tuple(store.live_orders(account))
        there = tuple(o for o in unfinished if account in (o.buy_account, o.sell_account))
        if orders or there:
            missing.append(MissingAccount(account, orders, there))
    return missing


def announce_missing(
    store: Store,
    arbitrages: ArbitrageStore,
    configured: Collection[str],
    announce: Callable[[MissingAccount], None],
) -> None:
    """Announce each of them, once a day, whichever process it is that finds it."""
    for missing in missing_accounts(store, arbitrages, configured):
        if store.lease(f"alert:account:{missing.account}", uuid4().hex, ANNOUNCED_AGAIN_MS):
            announce(missing)


def _shown(ids: list[str]) -> str:
    more = len(ids) - SHOWN_MAX
    return ", ".join(ids[:SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
