"""Commands that run something until it is done or stopped."""

import math
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from execution.model.errors import LedgerUrlError, UnsupportedExchange
from oneorder.errors import SettingsError
from workers.cli.app import (
    AsJson,
    CommandError,
    cli,
    console,
    log_to_stderr,
    print_json,
    services,
    show,
)
from workers.cli.interrupts import SIGNALS
from workers.views.plain_values import plain_value


@cli.command()
def demo(
    signals: Annotated[int, typer.Option(min=30, help="How many signals to publish.")] = 40,
    seed: Annotated[int, typer.Option(help="The same seed publishes the same signals.")] = 7,
    report: Annotated[Path, typer.Option(help="Where the report of the run is written.")] = Path(
        "oneorder-demo-report.html"
    ),
) -> None:
    """Run the whole system once on this machine, in separate processes."""
    from workers.sandbox.demo import run_demo

    log_to_stderr()
    # Refused before the run, not after it.
    if report.is_dir() or not report.resolve().parent.is_dir():
        raise CommandError(f"--report: {str(report)!r} is a folder, or in one that does not exist")
    raise typer.Exit(run_demo(signals, seed, report, console()))


@cli.command()
def chaos(
    orders: Annotated[int, typer.Option(min=0, help="How many single orders.")] = 500,
    arbitrages: Annotated[
        int, typer.Option(min=0, help="How many arbitrages between two exchanges.")
    ] = 75,
    seed: Annotated[int, typer.Option(help="Determines the faults and their times.")] = 1,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long the disorder lasts.")] = 1,
    keep: Annotated[
        Path | None, typer.Option(help="An empty folder for logs and data, which is kept.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Kill, pause, cut and poison everything while orders and arbitrages run; exit 1 if one is lost
    or doubled, has no end, or if records and ledgers differ."""
    from workers.sandbox.chaos.folder import NotUsable, run_folder
    from workers.sandbox.chaos.report import outcome_view, show_outcome
    from workers.sandbox.chaos.run import run_chaos
    from workers.sandbox.chaos.signals import Plan

    log_to_stderr()
    if not math.isfinite(minutes):
        raise typer.BadParameter(f"--minutes: {minutes} is not a length of time")
    if not orders + arbitrages:
        raise typer.BadParameter("--orders, --arbitrages: at least one must be above 0")
    try:
        with run_folder(keep) as folder:
            outcome = run_chaos(Plan(orders, arbitrages, seed, minutes), folder.path)
            folder.is_kept = folder.is_kept or not outcome.is_clean
            if as_json:
                print_json(outcome_view(outcome))
            else:
                show_outcome(outcome, console())
    except NotUsable as error:
        raise CommandError(f"--keep: {error}") from None
    raise typer.Exit(0 if outcome.is_clean else 1)


@cli.command()
def doctor(as_json: AsJson = False) -> None:
    """Check settings, Redis, workers, beat, the ledger, and each account's exchange, key, clock and
    last reconciliation; exit 1 if something fails."""
    from workers.doctor import Finding, Result, examine

    try:
        findings = examine(services())
    except (SettingsError, UnsupportedExchange, LedgerUrlError) as error:
        findings = [Finding("settings", Result.FAIL, str(error))]
    show("Doctor", plain_value(findings), ("check", "result", "detail", "help"), as_json)
    raise typer.Exit(1 if any(finding.result is Result.FAIL for finding in findings) else 0)


@cli.command()
def redis(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where to listen.")] = 6379,
    directory: Annotated[Path, typer.Option("--dir", help="The folder of the data.")] = Path(),
) -> None:
    """Run an embedded Valkey in the foreground, every write on disk before it is confirmed."""
    from workers.sandbox.valkey import run_valkey

    run_valkey(port, directory)


@cli.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    add_help_option=False,
)
def paper(context: typer.Context) -> None:
    """Run a paper exchange in the foreground: --dialect, --port, --seed, --account, --balance."""
    # It handles the signals as soon as it has started; none of them ends it during the start.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    os.execv(sys.executable, [sys.executable, "-m", "paper_exchange", *context.args])  # noqa: S606
