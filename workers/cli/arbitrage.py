"""Commands about spreads between exchanges, and about what was made of them."""

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
    more_text,
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
        bool, typer.Option("--publish", help="Publish what pays, as arbitrage.publish does.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show every spread by depth and after fees, from the collector's books, and what pays."""
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
            found = scanner.look()
            if publisher is not None:
                scanner.publish(found.opportunities, publisher)
            if as_json:
                print_json(arbitrage_views.scan_view(found))
            else:
                live.update(_scan_tables(arbitrage_views.scan_view(found)), refresh=True)
            time.sleep(LOOK_EVERY_S)


def _show_scan(view: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(view)
    else:
        lay_out(_scan_tables(view))


def _scan_tables(view: dict[str, Any]) -> Group:
    parts = [
        tables.table("What pays", view["opportunities"], tables.OPPORTUNITY_COLUMNS),
        tables.table("Spreads", view["spreads"][:SPREADS_SHOWN], tables.SPREAD_COLUMNS),
    ]
    if view["left_out"]:
        parts.append(
            tables.table("Does not count", view["left_out"], ("account", "symbol", "reason"))
        )
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
    found, has_more = wanted.newest(
        stores().listings.arbitrages(),
        lambda one: one.created_at,
        lambda one: wanted.matches(
            accounts=(one.buy_account, one.sell_account),
            symbols=(one.symbol,),
            strategy=one.strategy,
            state=one.state.value,
        ),
    )
    rows = [arbitrage_views.arbitrage_view(arbitrage) for arbitrage in found]
    note = more_text(wanted) if has_more else None
    show("Arbitrages", rows, tables.ARBITRAGE_COLUMNS, as_json, note)
    if not as_json and rows:
        totals = arbitrage_views.arbitrage_totals(found)
        lay_out(tables.table("By symbol", totals, tables.ARBITRAGE_TOTAL_COLUMNS))


@cli.command()
def inventory(as_json: AsJson = False) -> None:
    """Show balances by account, and suggest transfers that let every account take either leg."""
    from workers.market.inventory import inventory_of

    found = inventory_of(services())
    if as_json:
        print_json(found)
        return
    lay_out(
        tables.table("Inventory", found["holdings"], tables.HOLDING_COLUMNS),
        tables.table("To move by hand", found["suggestions"], tables.MOVE_COLUMNS),
        *(f"{each['account']} could not be read: {each['reason']}" for each in found["unread"]),
    )
