"""All checks of an installation, in the order in which one depends on the other."""

from dataclasses import replace
from functools import partial

from workers.bootstrap import Services
from workers.doctor.account_checks import check_account, check_reconciliations
from workers.doctor.bounds import Check, run_checks
from workers.doctor.findings import Finding, Result, ok, warn
from workers.doctor.ledger_checks import check_history, check_ledger, check_orders
from workers.doctor.redis_checks import check_redis
from workers.doctor.work_checks import check_work

# The timeout of Redis is 3 s, that of an exchange's client its `timeout_s`.
BOUND_S = 20
HELP = {
    "redis": "start it (oneorder redis), or correct redis_url",
    "ledger": "correct ledger_url, or make room on its disk",
}


def examine(parts: Services, bound_s: int = BOUND_S) -> list[Finding]:
    """Check everything, also if parts do not answer. Takes no longer than twice `bound_s`."""
    stores, ledger = parts.stores, parts.ledger
    first: dict[str, Check] = {
        "redis": lambda: check_redis(stores.health),
        "ledger": lambda: check_ledger(ledger),
        **{
            account: partial(check_account, account, parts.connections.exchange)
            for account in parts.accounts
        },
    }
    found = [_with_help(finding) for finding in run_checks(first, bound_s)]
    # An unreadable part is reported once.
    is_read = {finding.check for finding in found if finding.result is Result.OK}
    second: dict[str, Check] = {}
    if "redis" in is_read:
        second["work"] = lambda: check_work(parts.settings, stores)
        second["reconciliations"] = lambda: check_reconciliations(parts.accounts, stores.listings)
    if {"redis", "ledger"} <= is_read:
        second["history"] = lambda: check_history(stores, ledger, parts.rebuilder.complaint)
        second["orders"] = lambda: check_orders(stores, ledger, parts.settings.accounts)
    return [_settings(parts), *found, *run_checks(second, bound_s)]


def _with_help(finding: Finding) -> Finding:
    """Adds the help that a check which ended early could not give."""
    if finding.result is Result.OK or finding.help:
        return finding
    return replace(finding, help=HELP.get(finding.check, ""))


def _settings(parts: Services) -> Finding:
    if not parts.accounts:
        return warn("settings", "no account is configured", "add an [accounts.NAME] table")
    return ok("settings", f"accounts: {', '.join(parts.accounts)}")
