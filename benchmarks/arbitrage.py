"""Arbitrages between two exchanges of different dialects: do the records tell the truth, how far
apart do the two legs arrive, and how long does one take.

Two paper exchanges follow one seeded price at distances of their own, the collector keeps their
books, the scanner publishes what pays, and real workers carry it out. Then the records are compared
with both ledgers. Exits 1 where something differs, or was left open. The scanner offers no balance
twice within seconds, so 200 take some five minutes.
"""

import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from execution.arbitrage.model import Arbitrage
from execution.model.decimals import EXACT, ZERO, to_text, total
from workers.sandbox.arbitrage_audit import compare_arbitrages, traded
from workers.sandbox.audit import Ledger
from workers.sandbox.local_stack import LocalStack

ACCOUNTS = ("binance-main", "bybit-main")
WORKERS = ("worker-1", "worker-2")
SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")
SETTINGS = {
    "collector": {"symbols": list(SYMBOLS)},
    "arbitrage": {"min_profit_bps": "1", "notional_max": "2000", "cooldown_s": 1},
}
SPREAD_BPS = "60"
PATIENCE_S = 900
SHOWN_MAX = 20


def main(
    opportunities: Annotated[int, typer.Option(min=10)] = 200,
    seed: Annotated[int, typer.Option(help="The same seed follows the same prices.")] = 7,
) -> None:
    """Run and print."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalStack(Path(folder), SETTINGS, ACCOUNTS[0], further={ACCOUNTS[1]: "bybit"}) as stack,
    ):
        _start(stack, seed)
        began = time.monotonic()
        _publish(stack, opportunities)
        took_s = time.monotonic() - began
        stack.wait_for("every arbitrage to end", lambda: _all_ended(stack), PATIENCE_S)
        sys.exit(_report(stack, seed, took_s))


def _start(stack: LocalStack, seed: int) -> None:
    stack.start_redis()
    shared = ["--price-seed", str(seed), "--spread-bps", SPREAD_BPS, "--weight-per-minute", "0"]
    funds = ["--balance", "USDT=10000000", "--balance", "BTC=1000", "--balance", "ETH=10000"]
    more = ["--balance", "SOL=100000", "--balance", "XRP=10000000"]
    for number, account in enumerate(ACCOUNTS):
        own = ["--seed", str(seed + number)]
        stack.start_paper(*own, *shared, *funds, *more, account=account)
    for name in WORKERS:
        stack.start_worker(name)
    stack.start_beat()
    stack.start_collector()
    for name in WORKERS:
        stack.wait_for_worker(name)


def _publish(stack: LocalStack, opportunities: int) -> None:
    """Let the scanner publish until this many arbitrages are recorded."""
    scan = [sys.executable, "-m", "workers.cli", "scan", "--watch", "--publish", "--json"]
    stack.start("scan", scan)
    stack.wait_for("scan", lambda: len(_found(stack)) >= opportunities, PATIENCE_S)
    stack.processes["scan"].terminate()
    stack.processes["scan"].wait()


def _found(stack: LocalStack) -> list[Arbitrage]:
    return stack.stores().arbitrages.arbitrages()


def _all_ended(stack: LocalStack) -> bool:
    is_empty = not stack.stores().intents.take_intents(1, older_than_ms=0)
    return is_empty and all(one.has_ended for one in _found(stack))


def _report(stack: LocalStack, seed: int, took_s: float) -> int:
    """Print the tables; return the exit status."""
    found = _found(stack)
    ledgers = {account: stack.ledger(account) for account in ACCOUNTS}
    checks = compare_arbitrages(found, stack.store().orders(), ledgers)
    differences = [check for check in checks if not check.agrees]
    console = Console(width=110)
    console.print(_outcome_table(found, ledgers, seed, len(differences)))
    console.print(_time_table(found, ledgers, took_s))
    for check in differences[:SHOWN_MAX]:
        console.print(f"{check.what} {check.subject}: {check.ours}, not {check.theirs}")
    is_open = any(one.imbalance for one in found)
    return 1 if differences or is_open else 0


def _outcome_table(
    found: list[Arbitrage], ledgers: Mapping[str, Ledger], seed: int, differences: int
) -> Table:
    table = Table(title=f"{len(found)} opportunities, seed {seed}", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    sent = [one for one in found if one.legs]
    states = Counter(one.state.value for one in found)
    losing = sum((one.expected_profit or ZERO) < 0 for one in sent)
    rows = {
        **{state: str(count) for state, count in sorted(states.items())},
        "both legs sent": str(len(sent)),
        "needed more orders": str(sum(bool(one.hedges) for one in sent)),
        "left imbalanced": str(sum(bool(one.imbalance) for one in found)),
        "sent though expected to lose": str(losing),
        "expected profit, USDT": _money(total(one.expected_profit or ZERO for one in sent)),
        "realised profit by records": _money(total(one.net_profit for one in found)),
        "realised profit by ledgers": _money(_ledger_profit(ledgers)),
        "checks that differ": str(differences),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _ledger_profit(ledgers: Mapping[str, Ledger]) -> Decimal:
    """What all trades of both exchanges come to, without a look at the records."""
    rows = [row for ledger in ledgers.values() for row in ledger["trades"]]
    return total(
        traded(symbol, [row for row in rows if row["symbol"] == symbol.replace("/", "")]).net_profit
        for symbol in SYMBOLS
    )


def _money(amount: Decimal) -> str:
    with localcontext(EXACT):
        return to_text(amount.quantize(Decimal("1e-8")))


def _time_table(found: list[Arbitrage], ledgers: Mapping[str, Ledger], took_s: float) -> Table:
    """Skew by the exchanges' own receive times; duration by the records."""
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    title = f"Times, ms: {len(found) / took_s:.1f} opportunities a second, load average {load}"
    table = Table(title=title, title_justify="left")
    for column in ("", "median", "p95", "most"):
        table.add_column(column, justify="left" if not column else "right")
    durations = [
        (one.updated_at - one.created_at).total_seconds() * 1000 for one in found if one.legs
    ]
    for name, figures in (
        ("between the arrivals of the two legs", _skews_ms(found, ledgers)),
        ("from the first look to the end", durations),
    ):
        p95 = statistics.quantiles(figures, n=20)[18]
        values = (statistics.median(figures), p95, max(figures))
        table.add_row(name, *(f"{value:.1f}" for value in values))
    return table


def _skews_ms(found: list[Arbitrage], ledgers: Mapping[str, Ledger]) -> list[float]:
    arrived: dict[tuple[str, str], Any] = {
        (account, row["clientOrderId"]): row["receivedAt"]
        for account, ledger in ledgers.items()
        for row in ledger["orders"]
    }
    firsts = [[(leg.account, leg.order_id) for leg in one.legs[:2]] for one in found if one.legs]
    return [
        abs(arrived[buy] - arrived[sell])
        for buy, sell in firsts
        if buy in arrived and sell in arrived
    ]


if __name__ == "__main__":
    typer.run(main)
