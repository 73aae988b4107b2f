"""How many orders a second the ledger writes, and how many fills a second it reads.

Each order has one attempt and one fill and is written in a batch of 500, as by the archive. Without
a URL the ledger is SQLite in a temporary file. A URL must be of an empty database.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from execution.ledger.sql.ledger import SqlLedger
from execution.model.order import (
    Attempt,
    Fee,
    Fill,
    Order,
    OrderState,
    OrderType,
    Side,
    TimeInForce,
    Verdict,
)

BATCH = 500
ACCOUNT, SYMBOL = "binance-main", "BTC/USDT"
START = datetime(2030, 1, 1, tzinfo=UTC)
LOOKUPS = 1000


def main(
    orders: Annotated[int, typer.Option(min=BATCH)] = 100_000,
    url: Annotated[str, typer.Option(help="A ledger_url; SQLite if there is none.")] = "",
) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        ledger = SqlLedger(url or f"sqlite:///{path}")
        made = list(_batches(orders))

        began = time.perf_counter()
        for batch in made:
            ledger.write(batch)
        _tell("orders written", orders, time.perf_counter() - began)

        changed = [replace(order, version=2, reason="changed") for order in made[0]]
        began = time.perf_counter()
        ledger.write(changed)
        _tell("orders changed", len(changed), time.perf_counter() - began)

        began = time.perf_counter()
        assert sum(1 for _ in ledger.fills(ACCOUNT, SYMBOL)) == orders
        _tell("fills read", orders, time.perf_counter() - began)

        began = time.perf_counter()
        assert sum(1 for _ in ledger.orders()) == orders
        _tell("orders read", orders, time.perf_counter() - began)

        began = time.perf_counter()
        assert all(ledger.order(f"oo{n}") for n in range(LOOKUPS))
        _tell("orders looked up, one by one", LOOKUPS, time.perf_counter() - began)
        ledger.close()
        if not url:
            print(f"{path.stat().st_size / 1e6:.0f} MB")


def _tell(what: str, count: int, took_s: float) -> None:
    print(f"{what:30}{count:>9,} in {took_s:6.2f} s{count / took_s:>12,.0f} / s")


def _batches(count: int) -> Iterator[list[Order]]:
    for start in range(0, count, BATCH):
        yield [_order(number) for number in range(start, min(start + BATCH, count))]


def _order(number: int) -> Order:
    now = START + timedelta(milliseconds=number)
    bought = Fill(
        trade_id=str(number),
        side=Side.BUY,
        price=Decimal("50000.12"),
        amount=Decimal("0.01"),
        fees=(Fee("USDT", Decimal("0.50000120")),),
        time=now,
        sequence=number + 1,
    )
    return Order(
        order_id=f"oo{number}",
        signal_id=f"signal-{number}",
        account=ACCOUNT,
        symbol=SYMBOL,
        side=Side.BUY,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        amount=Decimal("0.01"),
        price=Decimal("50000.12"),
        client_order_id=f"oo{number}",
        created_at=now,
        updated_at=now,
        state=OrderState.FILLED,
        exchange_order_id=str(number),
        filled=Decimal("0.01"),
        average=Decimal("50000.12"),
        attempts=(Attempt(1, number, number + 5000, number + 6000, Verdict.ACCEPTED),),
        fills=(bought,),
        version=1,
        revision="0123456789abcdef",
    )


if __name__ == "__main__":
    typer.run(main)
