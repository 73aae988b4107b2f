"""The composition root: the one place where the parts of a process are put together."""

import os
import socket
from dataclasses import dataclass
from functools import cache, partial

from execution.api.connections import Connections
from execution.arbitrage.decisions import Limits
from execution.arbitrage.executor import ArbitrageExecutor
from execution.arbitrage.model import Arbitrage
from execution.assembly import OrderRules, assemble_orders, assemble_repair
from execution.exchanges.account import Account
from execution.exchanges.address_holds import AddressHolds
from execution.exchanges.bulkhead import Bulkhead, bulkhead_of
from execution.exchanges.clocks import ExchangeClocks
from execution.ledger.archive import Archive, Retention
from execution.ledger.port import Ledger
from execution.model.clock import Clock, SystemClock, steady_ms
from execution.model.errors import UnknownAccount
from execution.model.events import Event
from execution.model.order import Order, OrderState
from execution.operations.missing_accounts import MissingAccount
from execution.orders.manager import OrderManager
from execution.orders.observer import LogObserver, Observer
from execution.positions.valuation import MarkSource, RecentMarks, Valuer
from execution.reconciliation.context import ReconciliationContext
from execution.reconciliation.reconciler import Reconciler
from execution.reconciliation.run import Reconciliation
from execution.repair.rebuilding import Rebuilder
from execution.repair.repairer import Repairer
from execution.store.stores import Stores
from workers.configuration.opening import ledger_of, stores_of
from workers.configuration.settings import (
    Settings,
    drift_policy_of,
    load_settings,
    windows_of,
)
from workers.configuration.start_check import checked_accounts
from workers.intake.arbitrages import ArbitrageIntake
from workers.intake.intake import Intake
from workers.intake.roster import Roster
from workers.intake.waiting_rules import WaitingRules, alert_of_waiting
from workers.observers.logs import log_arbitrage, log_missing_account, log_reconciliation
from workers.observers.sentry import (
    AlertObserver,
    alert_of_arbitrage,
    alert_of_missing_account,
    alert_of_reconciliation,
)

# A signal without a reference price gets the last mark, if that is not older than this.
REFERENCE_AGE_MAX_MS = 15_000


@dataclass(frozen=True, slots=True)
class Services:
    """The services that tasks and commands use."""

    settings: Settings
    accounts: dict[str, Account]
    clock: Clock
    stores: Stores
    ledger: Ledger
    connections: Connections
    clocks: ExchangeClocks
    manager: OrderManager
    roster: Roster
    rules: WaitingRules
    intake: Intake
    valuer: Valuer
    archive: Archive
    repairer: Repairer
    rebuilder: Rebuilder
    reconciler: Reconciler
    executor: ArbitrageExecutor
    bulkhead: Bulkhead


def compose(
    settings: Settings,
    accounts: dict[str, Account],
    stores: Stores,
    ledger: Ledger,
    observe: Observer,
) -> Services:
    """Put the parts together. Raises UnsupportedExchange for an account at an unsupported
    exchange."""
    clock = SystemClock()
    clocks = ExchangeClocks(stores.clocks, clock, socket.gethostname(), steady_ms)
    holds = AddressHolds(stores.address_holds, clock, steady_ms)
    connections = Connections(accounts, clock, clocks, holds)
    remember_s = settings.remember_days * 86_400
    market_age_max_s = settings.limits.signal_max_age_s or None
    retention = Retention(settings.keep_settled_s, remember_s)
    halts = stores.halts.halts
    archive = Archive(stores.archive, stores.valuations, ledger, clock, retention, halts)
    repairer, rebuilder = assemble_repair(
        stores, stores.leases, stores.repair, ledger, archive, clock, remember_s
    )
    core = assemble_orders(
        stores,
        connections.exchange,
        clock,
        clocks,
        observe,
        OrderRules(
            settings.recv_window_ms, settings.attempts_max, windows_of(settings), market_age_max_s
        ),
        recall=archive.recall,
        bulkhead=bulkhead_of(settings.worker_threads, len(accounts)),
    )
    executor = ArbitrageExecutor(
        core, connections.exchange, stores.arbitrages, limits_of(settings), announce_arbitrage
    )
    arbitrages = ArbitrageIntake(
        executor,
        clock,
        min_profit_bps=settings.arbitrage.min_profit_bps,
        max_loss_bps=settings.arbitrage.max_loss_bps,
    )
    roster = Roster(stores.workers, clock, accounts)
    rules = WaitingRules(
        clock,
        wait_max_s=settings.signal_wait_max_s,
        market_age_max_s=market_age_max_s,
        alert=alert_of_waiting,
    )
    marks = RecentMarks(stores.valuations, clock, REFERENCE_AGE_MAX_MS)
    context = ReconciliationContext(
        orders=stores.orders,
        positions=stores.positions,
        epochs=stores.epochs,
        halts=stores.halts,
        leases=stores.leases,
        runs=stores.reconciliations,
        journal=core.journal,
        clock=clock,
        history=archive,
    )
    return Services(
        settings=settings,
        accounts=accounts,
        clock=clock,
        stores=stores,
        ledger=ledger,
        connections=connections,
        clocks=clocks,
        manager=core.manager,
        roster=roster,
        rules=rules,
        intake=Intake(
            stores.intents,
            stores.waiting,
            core.manager,
            clock,
            roster,
            arbitrages,
            rules,
            marks.price,
        ),
        valuer=Valuer(stores.positions, stores.valuations, clock),
        archive=archive,
        repairer=repairer,
        rebuilder=rebuilder,
        reconciler=Reconciler(
            context,
            lambda: repairer.run(accounts),
            announce,
            rebuilder.complaint,
            rebuilder.has_proved,
        ),
        executor=executor,
        bulkhead=core.bulkhead,
    )


def limits_of(settings: Settings) -> Limits:
    """The parameters of arbitrages, from the settings."""
    return Limits(
        leg_ttl_ms=settings.arbitrage.leg_ttl_ms,
        patience_ms=settings.arbitrage.patience_s * 1_000,
        notional_max=settings.arbitrage.notional_max,
    )


@cache
def services() -> Services:
    """The services of this process, by its settings. Raises SettingsError, UnsupportedExchange and
    LedgerUrlError."""
    settings = load_settings()
    accounts = checked_accounts(settings, os.environ)
    return compose(settings, accounts, stores_of(settings), ledger_of(settings), observe)


def reconcile_account(parts: Services, name: str) -> Reconciliation:
    """Reconcile an account by its policy. Raises as Reconciler.run does, and UnknownAccount."""
    if name not in parts.accounts:
        raise UnknownAccount(f"{name!r} is not configured")
    policy = drift_policy_of(parts.settings, name)
    return parts.reconciler.run(name, partial(parts.connections.exchange, name), policy)


def mark_sources(parts: Services) -> list[MarkSource]:
    """Every account with the source of its prices."""
    return [
        MarkSource(
            account=name,
            market=f"{account.exchange} {account.base_url or ''}".strip(),
            exchange=partial(parts.connections.exchange, name),
        )
        for name, account in parts.accounts.items()
    ]


_OBSERVERS: tuple[Observer, ...] = (LogObserver(), AlertObserver())


def observe(order: Order, event: Event, before: OrderState | None) -> None:
    """Notify all observers of orders."""
    for observer in _OBSERVERS:
        observer(order, event, before)


def announce(run: Reconciliation) -> None:
    """Notify all observers of reconciliations."""
    log_reconciliation(run)
    alert_of_reconciliation(run)


def announce_missing_account(missing: MissingAccount) -> None:
    """Notify all observers of accounts."""
    log_missing_account(missing)
    alert_of_missing_account(missing)


def announce_arbitrage(ended: Arbitrage) -> None:
    """Notify all observers of arbitrages."""
    log_arbitrage(ended)
    alert_of_arbitrage(ended)
