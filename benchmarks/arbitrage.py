"""Arbitrages between two exchanges of different dialects: whether the records are true, how far
apart the two legs arrive, and how long one takes.

Two paper exchanges follow one seeded price at different distances, the collector keeps their books,
the scanner publishes profitable arbitrages, and real workers carry them out. Then the records are
compared with both ledgers. Exits 1 if they differ, or if anything was left open. The scanner does
not offer a balance twice within seconds, so 200 take about five minutes.
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
    stack.wait_for("scan", lambda: len(_arbitrages(stack)) >= opportunities, PATIENCE_S)
    stack.processes["scan"].terminate()
    stack.processes["scan"].wait()


def _arbitrages(stack: LocalStack) -> list[Arbitrage]:
    return stack.stores().arbitrages.arbitrages()


def _all_ended(stack: LocalStack) -> bool:
    is_empty = not stack.stores().intents.take_intents(1, older_than_ms=0)
    return is_empty and all(arbitrage.has_ended for arbitrage in _arbitrages(stack))


def _report(stack: LocalStack, seed: int, took_s: float) -> int:
    """Print the tables; return the exit status."""
    arbitrages = _arbitrages(stack)
    ledgers = {account: stack.ledger(account) for account in ACCOUNTS}
    checks = compare_arbitrages(arbitrages, stack.store().orders(), ledgers)
    differences = [check for check in checks if not check.agrees]
    console = Console(width=110)
    console.print(_outcome_table(arbitrages, ledgers, seed, len(differences)))
    console.print(_time_table(arbitrages, ledgers, took_s))
    for check in differences[:SHOWN_MAX]:
        console.print(f"{check.what} {check.subject}: {check.ours}, not {check.theirs}")
    is_open = any(arbitrage.imbalance for arbitrage in arbitrages)
    return 1 if differences or is_open else 0


def _outcome_table(
    arbitrages: list[Arbitrage], ledgers: Mapping[str, Ledger], seed: int, differences: int
) -> Table:
    table = Table(title=f"{len(arbitrages)} opportunities, seed {seed}", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    sent = [arbitrage for arbitrage in arbitrages if arbitrage.legs]
    states = Counter(arbitrage.state.value for arbitrage in arbitrages)
    losing = sum((arbitrage.expected_profit or ZERO) < 0 for arbitrage in sent)
    rows = {
        **{state: str(count) for state, count in sorted(states.items())},
        "both legs sent": str(len(sent)),
        "needed more orders": str(sum(bool(arbitrage.hedges) for arbitrage in sent)),
        "left imbalanced": str(sum(bool(arbitrage.imbalance) for arbitrage in arbitrages)),
        "sent though expected to lose": str(losing),
        "expected profit, USDT": _money(
            total(arbitrage.expected_profit or ZERO for arbitrage in sent)
        ),
        "realised profit by records": _money(
            total(arbitrage.net_profit for arbitrage in arbitrages)
        ),
        "realised profit by ledgers": _money(_ledger_profit(ledgers)),
        "checks that differ": str(differences),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _ledger_profit(ledgers: Mapping[str, Ledger]) -> Decimal:
    """The net result of all trades of both exchanges, from their ledgers alone."""
    rows = [row for ledger in ledgers.values() for row in ledger["trades"]]
    return total(
        traded(symbol, [row for row in rows if row["symbol"] == symbol.replace("/", "")]).net_profit
        for symbol in SYMBOLS
    )


def _money(amount: Decimal) -> str:
    with localcontext(EXACT):
        return to_text(amount.quantize(Decimal("1e-8")))


def _time_table(arbitrages: list[Arbitrage], ledgers: Mapping[str, Ledger], took_s: float) -> Table:
    """Skew by the exchanges' own receive times; duration by the records."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    title = f"Times, ms: {len(arbitrages) / took_s:.1f} opportunities a second, load average {load}"
    table = Table(title=title, title_justify="left")
    for column in ("", "median", "p95", "most"):
        table.add_column(column, justify="left" if not column else "right")
    durations = [
        (arbitrage.updated_at - arbitrage.created_at).total_seconds() * 1000
        for arbitrage in arbitrages
        if arbitrage.legs
    ]
    for name, figures in (
        ("between the arrivals of the two legs", _skews_ms(arbitrages, ledgers)),
        ("from the first record to the end", durations),
    ):
        p95 = statistics.quantiles(figures, n=20)[18]
        values = (statistics.median(figures), p95, max(figures))
        table.add_row(name, *(f"{value:.1f}" for value in values))
    return table


def _skews_ms(arbitrages: list[Arbitrage], ledgers: Mapping[str, Ledger]) -> list[float]:
    arrived: dict[tuple[str, str], Any] = {
        (account, row["clientOrderId"]): row["receivedAt"]
        for account, ledger in ledgers.items()
        for row in ledger["orders"]
    }
    firsts = [
        [(leg.account, leg.order_id) for leg in arbitrage.legs[:2]]
        for arbitrage in arbitrages
        if arbitrage.legs
    ]
    return [
        abs(arrived[buy] - arrived[sell])
        for buy, sell in firsts
        if buy in arrived and sell in arrived
    ]


if __name__ == "__main__":
    typer.run(main)
