"""Reconciles our orders and positions with the exchange.

Only well-formed answers count; a failed request ends the run with the corrections so far, and the
next run continues from the same cursor. The cost of a run grows with what is new.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from execution.model.errors import AlreadyRunning, ExchangeUnavailable, StoreUnavailable
from execution.model.instrument import assets_of
from execution.model.order import OrderState
from execution.model.position import Position
from execution.positions.balance_sheet import BalanceSheet, accepted, looked_at, moved_by
from execution.reconciliation.context import AccountRun, ReconciledExchange, ReconciliationContext
from execution.reconciliation.run import DriftPolicy, Reconciliation, Reread
from execution.reconciliation.symbol_sync import SymbolSync
from execution.repair.store import Repair

LEASE_MS = 30_000
# Changes reach the ledger out of order, but not as late as this.
ARCHIVED_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Reconciles one account at a time; two runs on one account never overlap.

    `repair` finds what the store has lost, before every run. `announce` is called for every run.
    `complaint` is the reason why positions are not compared with the ledger, if they are not; drift
    counts as a deposit only if `has_proved` shows that the account's positions equal its fills,
    because a lost position looks like a deposit, too.
    """

    context: ReconciliationContext
    repair: Callable[[], Repair | None]
    announce: Callable[[Reconciliation], None]
    complaint: Callable[[], str | None] = lambda: None
    has_proved: Callable[[str], bool] = lambda _: True

    def run(
        self,
        account: str,
        exchange_of: Callable[[], ReconciledExchange],
        policy: DriftPolicy = DriftPolicy.REPORT,
    ) -> Reconciliation:
        """Connects to the exchange only after the store was checked, which needs no exchange.

        Raises AlreadyRunning, and ExchangeUnavailable where the exchange gives no usable answers;
        the run is on record in that case, too."""
        leases, clock = self.context.leases, self.context.clock
        owner = uuid4().hex
        name = f"reconcile:{account}"
        if not leases.lease(name, owner, LEASE_MS):
            raise AlreadyRunning(f"account: a reconciliation of {account!r} is running")
        started_ms = clock.now_ms()
        record = Reconciliation(account, clock.now())

        def keep_lease() -> None:
            if not leases.lease(name, owner, LEASE_MS):
                raise AlreadyRunning(f"account: this run on {account!r} took too long")

        try:
            self._repair_store(record)
            run = AccountRun(self.context, exchange_of(), policy, record, keep_lease)
            self._read(run)
            self._act_on_drift(run)
            run.failures.raise_silence()
        except ExchangeUnavailable as error:
            record.error = str(error)
            raise
        finally:
            record.took_ms = clock.now_ms() - started_ms
            self.context.runs.add_run(record)
            leases.release(name, owner)
            self.announce(record)
        return record

    def _repair_store(self, record: Reconciliation) -> None:
        """Restore what the store has lost; without the ledger, continue with the current data."""
        try:
            repair = self.repair()
        except StoreUnavailable as error:
            record.error = f"the store was not checked: {error}"
            return
        if not self.context.epochs.epoch(fresh=True).is_whole:
            # Another process repairs the store, and positions may still change.
            record.error = "the store is being checked"
        if repair is not None:
            recomputed = [f"{position} is recomputed" for position in repair.positions_rebuilt]
            record.repaired += [*repair.lost, *recomputed, *repair.left]
            self._ask_again(repair)
        complaint = self.complaint()
        if complaint is not None:
            record.warnings.append(complaint)

    def _ask_again(self, repair: Repair) -> None:
        """What happened after the ledger last heard of an account is to be read once more."""
        book, positions = self.context.runs, self.context.positions.positions()
        for account, until in repair.known_until.items():
            symbols = {p.symbol for p in positions if p.account == account}
            symbols |= set(book.symbols_read(account))
            reread = Reread(tuple(sorted(symbols)), until - ARCHIVED_WITHIN)
            book.set_reread(account, reread)

    def _read(self, run: AccountRun) -> None:
        """Balances first: their drift shows where to look for trades. They are compared with the
        fills known when they were read, so they are read again if new ones were record."""
        symbols = SymbolSync(run)
        positions = self._positions(run.account)
        balances = run.asked("balances").balances()
        sheet, _ = looked_at(run.sheet, balances, moved_by(positions), self.context.clock.now())
        held = {asset for asset, amount in balances.items() if amount}
        symbols.read(sheet.suspected, held)
        now = self._positions(run.account)
        if _versions(now) != _versions(positions):
            positions, balances = now, run.asked("balances").balances()
        if run.record.error is None and self._is_quiet(run, positions):
            self._check_balances(run, balances, positions)
        if run.sheet.suspected != sheet.suspected:
            # The drift has changed since the pairs were read.
            run.sheet = replace(run.sheet, asked=())
        self.context.runs.set_sheet(run.account, run.sheet)

    def _positions(self, account: str) -> list[Position]:
        return self.context.positions.positions(account)

    def _is_quiet(self, run: AccountRun, positions: list[Position]) -> bool:
        """No fill can have come between the balances and the positions that they are compared with,
        as far as we know. Nothing can fill in a symbol that is not listed any more."""
        restless = any(
            order.state is OrderState.SUBMITTING or order.fills_missing
            for order in run.live_orders()
            if order.symbol not in run.failures.unlisted
        )
        return not restless and _versions(self._positions(run.account)) == _versions(positions)

    def _check_balances(
        self, run: AccountRun, balances: dict[str, Decimal], positions: list[Position]
    ) -> None:
        if _is_blank(balances, run.sheet):
            return
        record, now = run.record, self.context.clock.now()
        run.sheet, confirmed = looked_at(run.sheet, balances, moved_by(positions), now)
        record.balances_checked = True
        record.drift = dict(run.sheet.suspected)
        # A symbol that could not be read may have trades that explain it; so may one that is not
        # listed, perhaps only temporarily, in which we had an order.
        traded = {order.symbol for order in run.live_orders()}
        symbols = run.failures.unread | (run.failures.unlisted & traded)
        unread = {asset for symbol in symbols for asset in assets_of(symbol)}
        if unread:
            # Fees may be paid in any asset in which they were paid before.
            unread |= {asset for position in positions for asset in position.fees}
        is_asked = not record.pairs_unasked and not unread & record.drift.keys()
        record.drift_confirmed = confirmed and is_asked

    def _act_on_drift(self, run: AccountRun) -> None:
        """Apply the policy to drift that two runs have seen."""
        if not run.record.drift_confirmed:
            return
        if run.policy is DriftPolicy.ADOPT and not self.has_proved(run.account):
            run.record.warnings.append(
                "drift is not taken into the opening balances: the positions were not found to be "
                "what the ledger's fills make of them"
            )
        elif run.policy is DriftPolicy.ADOPT:
            self.context.runs.set_sheet(run.account, accepted(run.sheet))
        elif run.policy is DriftPolicy.HALT:
            run.halt(f"balances that drift: {', '.join(sorted(run.record.drift))}")


def _versions(positions: list[Position]) -> set[tuple[str, int, str]]:
    return {(position.symbol, position.version, position.revision) for position in positions}


def _is_blank(balances: dict[str, Decimal], sheet: BalanceSheet) -> bool:
    """An account that had balances and is now reported entirely empty is no evidence."""
    held = any((sheet.opening or {}).values())
    return held and not any(balances.values())
