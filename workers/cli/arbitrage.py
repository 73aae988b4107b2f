"""Commands about spreads between exchanges, and arbitrages."""

import time
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.live import Live

from execution.arbitrage.model import ArbitrageState
from workers.cli.app import (
    AsJson,
    OfAccount,
    cli,
    console,
    lay_out,
    print_json,
    services,
    show,
    stores,
)
from workers.cli.filters import (
    LAST,
    Last,
    OfStrategy,
    OfSymbol,
    Since,
    wanted_rows,
)
from workers.configuration.settings import load_settings
from workers.views import arbitrages as arbitrage_views
from workers.views import tables

SPREADS_SHOWN = 20
LOOK_EVERY_S = 0.25


@cli.command()
def collect() -> None:
    """Collect order books in the foreground, as [collector] in the settings says."""
    from workers.market.collector import run_collector

    run_collector(load_settings())


@cli.command()
def scan(
    watch: Annotated[bool, typer.Option("--watch", help="Refresh continuously.")] = False,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Publish the profitable ones, as arbitrage.publish does."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List spreads by depth and after fees, from the collected order books; the profitable ones
    first."""
    from oneorder import Publisher
    from oneorder.settings import SignalSettings
    from workers.market.scanner import Scanning

    parts = services()
    settings = parts.settings
    scanner = Scanning(settings, parts.connections, parts.stores.books, parts.clock)
    if not watch and not publish:
        _show_scan(arbitrage_views.scan_view(scanner.look()), as_json)
        return
    publishes = publish or settings.arbitrage.publish
    publisher = Publisher(SignalSettings(redis_url=settings.redis_url)) if publishes else None
    with Live(console=console(), auto_refresh=False) as live:
        while True:
            spreads = scanner.look()
            if publisher is not None:
                scanner.publish(spreads.opportunities, publisher)
            if as_json:
                print_json(arbitrage_views.scan_view(spreads))
            else:
                live.update(_scan_tables(arbitrage_views.scan_view(spreads)), refresh=True)
            time.sleep(LOOK_EVERY_S)


def _show_scan(view: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(view)
    else:
        lay_out(_scan_tables(view))


def _scan_tables(view: dict[str, Any]) -> Group:
    parts = [
        tables.table("Opportunities", view["opportunities"], tables.OPPORTUNITY_COLUMNS),
        tables.table("Spreads", view["spreads"][:SPREADS_SHOWN], tables.SPREAD_COLUMNS),
    ]
    if view["left_out"]:
        parts.append(tables.table("Left out", view["left_out"], ("account", "symbol", "reason")))
    return Group(*parts)


@cli.command()
def arbitrages(
    state: Annotated[str | None, typer.Option("--state", help="Only this state.")] = None,
    account: OfAccount = None,
    symbol: OfSymbol = None,
    strategy: OfStrategy = None,
    last: Last = LAST,
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    """List arbitrages, newest first, with expected and net profit."""
    if state is not None and state not in list(ArbitrageState):
        raise typer.BadParameter(f"{state!r} is not one of {', '.join(ArbitrageState)}")
    wanted = wanted_rows(last, since, account, symbol, strategy, state)
    newest, note = wanted.newest(
        stores().listings.arbitrages(),
        lambda arbitrage: arbitrage.created_at,
        lambda arbitrage: wanted.matches(
            accounts=(arbitrage.buy_account, arbitrage.sell_account),
            symbols=(arbitrage.symbol,),
            strategy=arbitrage.strategy,
            state=arbitrage.state.value,
        ),
    )
    rows = [arbitrage_views.arbitrage_view(arbitrage) for arbitrage in newest]
    show("Arbitrages", rows, tables.ARBITRAGE_COLUMNS, as_json, note)
    if not as_json and rows:
        totals = arbitrage_views.arbitrage_totals(newest)
        lay_out(tables.table("By symbol", totals, tables.ARBITRAGE_TOTAL_COLUMNS))


@cli.command()
def inventory(as_json: AsJson = False) -> None:
    """Show balances by account, and suggest transfers that let every account take either leg."""
    from workers.market.inventory import inventory_of

    view = inventory_of(services())
    if as_json:
        print_json(view)
        return
    lay_out(
        tables.table("Inventory", view["holdings"], tables.HOLDING_COLUMNS),
        tables.table("To transfer manually", view["suggestions"], tables.MOVE_COLUMNS),
        *(f"{each['account']} could not be read: {each['reason']}" for each in view["unread"]),
    )
