"""Checks of one account: its exchange, its key, the clock, and its last reconciliation."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Protocol

from execution.exchanges.guarantees import ExchangeGuarantees
from execution.exchanges.port import TimeSource
from execution.model.errors import ExchangeUnavailable
from execution.operations.listings import Listings
from execution.reconciliation.run import Reconciliation
from execution.text.cutting import some
from workers.doctor.findings import Finding, fail, ok, warn
from workers.views.plain_values import time_text

UNCERTAINTY_MAX_MS = 500
OFFSET_MAX_MS = 1_000
# The last run of each account is searched among this many runs of all.
RUNS_MAX = 2_000


class CheckedExchange(TimeSource, Protocol):
    """The requests of a check to one account's exchange. Raises ExchangeUnavailable unless the
    answer is well-formed."""

    @property
    def guarantees(self) -> ExchangeGuarantees: ...
    def balances(self) -> dict[str, Decimal]: ...
    def may_trade(self) -> bool | None:
        """Whether the key may place orders; None if the exchange does not say."""

    def may_withdraw(self) -> bool | None:
        """Whether the key may withdraw, which oneorder never needs; None if the exchange does not
        say."""


def check_account(account: str, connect: Callable[[str], CheckedExchange]) -> Iterator[Finding]:
    """That the exchange answers and lets the key read and trade, and that clocks agree."""
    try:
        exchange = connect(account)
        offset = exchange.measure_clock()
        held = [asset for asset, amount in exchange.balances().items() if amount]
        may_trade = exchange.may_trade()
    except ExchangeUnavailable as error:
        yield fail(account, str(error), "check its keys, base_url and the network")
        return
    yield ok(account, f"{exchange.guarantees.exchange} answers")
    detail = f"{offset.offset_ms} ms ahead of ours, known to within {offset.uncertainty_ms} ms"
    is_well = offset.uncertainty_ms <= UNCERTAINTY_MAX_MS and abs(offset.offset_ms) <= OFFSET_MAX_MS
    if is_well:
        yield ok(f"{account} clock", detail)
    else:
        yield warn(f"{account} clock", detail, "keep this machine's clock by NTP")
    yield ok(f"{account} key reads", f"{len(held)} assets with a balance")
    yield _trades(account, may_trade)
    yield _withdraws(account, exchange)


def _trades(account: str, may_trade: bool | None) -> Finding:
    check = f"{account} key trades"
    if may_trade is None:
        return warn(check, "the exchange does not say")
    if may_trade:
        return ok(check, "allowed")
    return fail(check, "not allowed", "allow trading for this key at the exchange")


def _withdraws(account: str, exchange: CheckedExchange) -> Finding:
    check = f"{account} key withdraws"
    try:
        may_withdraw = exchange.may_withdraw()
    except ExchangeUnavailable as error:
        return ok(check, f"not known: {error}")
    if may_withdraw is None:
        return ok(check, "not known: the exchange does not say")
    if may_withdraw:
        return warn(check, "allowed, and oneorder never needs it", "use a key that may not")
    return ok(check, "not allowed")


def check_reconciliations(accounts: Iterable[str], listings: Listings) -> Iterator[Finding]:
    """The result of the last run on each account."""
    last: dict[str, Reconciliation] = {}
    for run in islice(listings.reconciliations(), RUNS_MAX):
        last.setdefault(run.account, run)
    for account in accounts:
        yield from _reconciliation(account, last.get(account))


def _reconciliation(account: str, run: Reconciliation | None) -> Iterator[Finding]:
    check = f"{account} reconciliation"
    again = f"oneorder reconcile --account {account}"
    if run is None:
        yield warn(check, "none on record", again)
        return
    at = f"at {time_text(run.started_at)}"
    if run.error is not None:
        yield fail(check, f"the last one, {at}, ended early: {run.error}", again)
    else:
        yield ok(check, f"the last one, {at}, went through")
    if run.symbols_failed:
        unread = [f"{symbol} ({why})" for symbol, why in run.symbols_failed.items()]
        yield warn(f"{account} symbols not read", some(unread), again)
    for sentence in run.warnings:
        yield warn(f"{check} warns", sentence, f"oneorder reconciliations --account {account}")
    if run.drift:
        amounts = ", ".join(f"{amount} {asset}" for asset, amount in run.drift.items())
        seen = "confirmed" if run.drift_confirmed else "seen once"
        yield warn(
            f"{account} drift",
            f"{amounts}, {seen}",
            f"oneorder reconciliations --account {account}",
        )
    foreign = [*run.external_orders, *run.external_open_orders]
    if foreign:
        yield warn(f"{account} foreign orders", some(foreign), "trade elsewhere by another account")
