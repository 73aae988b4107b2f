"""The command that ends a pause requested by an exchange."""

from typing import Annotated

import typer

from execution.model.clock import SystemClock
from workers.cli.app import AsJson, CommandError, cli, log_to_stderr, print_line, stores
from workers.configuration.settings import load_settings


@cli.command()
def release(
    account: Annotated[str, typer.Option("--account", help="The account that is on hold.")],
    as_json: AsJson = False,
) -> None:
    """End the pause that the account's exchange requested, before its time.

    Use it if the pause no longer applies, for example after a change of the machine's address.
    While the exchange still counts, more requests prolong a ban. Other accounts at the same address
    are released too.
    """
    from execution.api.connections import addresses_of
    from execution.exchanges.account import Account
    from workers.intake.sweeping import APART_MS

    log_to_stderr()
    configured = load_settings().accounts.get(account)
    if configured is None:
        raise CommandError(f"--account: {account!r} is not configured")
    known = Account(account, configured.exchange, base_url=configured.base_url)
    ended = [each for each in addresses_of(known) if stores().address_holds.end_address_hold(each)]
    if stores().holds.end_hold(account):
        ended.append(account)
    if not ended:
        raise CommandError(f"--account: {account!r} is not on hold")
    now_ms = SystemClock().now_ms()
    stores().orders.make_due(account, now_ms, now_ms, APART_MS)
    view = {"account": account, "released": ended}
    print_line(view if as_json else None, f"released: {', '.join(ended)}")
