"""Carries out one arbitrage, without Redis or workers; for many of them use workers."""

import time
from decimal import Decimal
from typing import Protocol
from uuid import uuid4

from execution.arbitrage.executor import ArbitrageExecutor
from execution.arbitrage.legs import VenueExchange
from execution.arbitrage.model import Arbitrage
from execution.assembly import assemble_arbitrage_in_memory, assemble_in_memory
from execution.exchanges.port import Exchange
from execution.model.clock import SystemClock
from execution.model.decimals import ZERO, to_decimal
from execution.model.order import Side
from execution.orders.factory import one_off_order
from oneorder.identifiers import arbitrage_id_of

__all__ = ["ArbitrageExecutor", "execute_arbitrage"]

PAUSE_S = 0.2


class ArbitrageExchange(Exchange, VenueExchange, Protocol):
    """One account at one exchange, as an arbitrage needs it."""


def execute_arbitrage(
    buy_exchange: ArbitrageExchange,
    sell_exchange: ArbitrageExchange,
    symbol: str,
    amount: Decimal | str,
    max_loss_bps: Decimal | str = "50",
) -> Arbitrage:
    """Buy at one exchange's asks and sell at the other's bids, both at the same time, and follow
    both orders to their end: at most `amount` (base units), and only as far as it is profitable
    after both fees, given depth and balances.

    Blocks until it has ended. The records are in memory and lost with the process: an arbitrage
    that must survive that belongs on a worker. Raises ValueError for an invalid amount or cap.
    """
    signal_id = f"one-off-{uuid4()}"
    now = SystemClock().now()
    arbitrage = Arbitrage(
        arbitrage_id=arbitrage_id_of(signal_id),
        signal_id=signal_id,
        symbol=symbol,
        buy_account="buy",
        sell_account="sell",
        amount=one_off_order(symbol, Side.BUY, amount, None).amount,
        min_profit_bps=ZERO,
        max_loss_bps=_bps("max_loss_bps", max_loss_bps),
        created_at=now,
        updated_at=now,
    )
    exchange_of = {"buy": buy_exchange, "sell": sell_exchange}.__getitem__
    memory = assemble_in_memory(exchange_of)
    core, executor = memory.core, assemble_arbitrage_in_memory(memory, exchange_of)
    arbitrage = executor.submit(arbitrage)
    while not arbitrage.has_ended:
        time.sleep(PAUSE_S)
        for order_id in memory.orders.due(core.clock.now_ms(), limit=10, lease_ms=1_000):
            core.manager.advance_by_id(order_id)
        arbitrage = executor.advance(arbitrage)
    return arbitrage


def _bps(name: str, given: Decimal | str) -> Decimal:
    try:
        number = to_decimal(given)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if number < 0:
        raise ValueError(f"{name}: {given!r} is below zero")
    return number
