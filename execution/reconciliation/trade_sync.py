"""One look at one account: its trades since the last look, its open orders, and its balances."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from execution.exchanges.port import Exchange
from execution.model.errors import (
    IllegalTransition,
    LedgerUnavailable,
    NotAdoptable,
    Undecided,
    UnknownOrder,
)
from execution.model.events import Reported
from execution.model.order import Fill, Order, OrderReport, OrderState
from execution.orders.identifiers import is_ours, may_be_ours
from execution.orders.store import Halt
from execution.positions.balance_sheet import (
    BalanceSheet,
    already_read,
    moved_by_trade,
    with_external_trades,
    with_read,
)
from execution.reconciliation.adoption import adopted_order, external_order
from execution.reconciliation.context import ReconciliationContext
from execution.reconciliation.drift_pairs import pairs_that_explain
from execution.reconciliation.ended_orders import stands_though_ended
from execution.reconciliation.run import DriftPolicy, Reconciliation
from execution.reconciliation.symbol_failures import SymbolFailures
from execution.reconciliation.trade_runs import name_of, runs_of

# Trades are asked for from this long before the oldest order, in case clocks disagree.
LOOKBACK_MS = 60_000
# So many pairs a run are asked, because of drift, for trades that nothing else tells of.
PAIRS_MAX = 6
# A trade whose order the exchange still does not show after so long is a stranger's.
DECIDED_AFTER = timedelta(minutes=10)
# Records that say that no such order can stand at the exchange.
SAID_NO = frozenset({OrderState.REFUSED, OrderState.REJECTED})


class TradeSync:
    """Writes what it finds into `found`. `keep_lease` is called before each symbol."""

    def __init__(
        self,
        context: ReconciliationContext,
        exchange: Exchange,
        policy: DriftPolicy,
        found: Reconciliation,
        keep_lease: Callable[[], None],
    ) -> None:
        self._context = context
        self._exchange = exchange
        self._policy = policy
        self._found = found
        self._keep_lease = keep_lease
        self._account = found.account
        self.sheet: BalanceSheet = context.runs.sheet(found.account)
        self._live = context.store.live_orders(found.account)
        self.failures = SymbolFailures(found.symbols_failed)
        self._reread = context.runs.reread(found.account)
        # Trades that are read again, of the symbol that is being read.
        self._old: set[str] = set()

    def asked(self, kind: str) -> Exchange:
        """The exchange, after noting what it is asked for."""
        self._found.calls[kind] = self._found.calls.get(kind, 0) + 1
        return self._exchange

    def traded(self) -> set[str]:
        """The symbols in which orders of ours may have traded unseen."""
        return {order.symbol for order in self._context.store.live_orders(self._account)}

    def look_at_trades(self, drift: Mapping[str, Decimal], assets_held: Collection[str]) -> None:
        """Read trades and open orders of every symbol that we trade or hold, and the trades of some
        of those that could explain the drift. A symbol that fails does not keep the others from
        being read. Raises ExchangeUnavailable where the exchange does not answer at all."""
        held = {p.symbol for p in self._context.store.positions(self._account) if p.amount}
        traded = {order.symbol for order in self._live}
        again = set(() if self._reread is None else self._reread.symbols)
        known = traded | held | again
        if drift != self.sheet.suspected:
            self.sheet = replace(self.sheet, asked=())
        pairs = pairs_that_explain(drift, self._exchange.symbols() if drift else (), assets_held)
        unasked = [symbol for symbol in pairs if symbol not in self.sheet.asked]
        extra = [symbol for symbol in unasked if symbol not in known][:PAIRS_MAX]
        self._found.symbols = sorted({*known, *extra})
        unread = {
            symbol
            for symbol in self._found.symbols
            if not self._look_at(symbol, symbol in again, is_ours=symbol in known)
        }
        # Nothing trades where nothing is listed.
        asked = {*self._found.symbols} - unread | self.failures.unlisted
        self.sheet = replace(
            self.sheet, asked=tuple(s for s in pairs if s in asked or s in self.sheet.asked)
        )
        self._found.pairs_unasked = len(pairs) - len(self.sheet.asked)
        if self._reread is not None and not (again & unread) - self.failures.unlisted:
            self._context.runs.set_reread(self._account, None)

    def _look_at(self, symbol: str, again: bool, *, is_ours: bool) -> bool:
        """Say whether all its trades are read and each has its order."""
        self._keep_lease()

        def read_open_orders() -> bool:
            self._read_open_orders(symbol)
            return True

        is_read = self.failures.attempt(symbol, lambda: self._read_trades(symbol, again=again))
        if is_ours and symbol not in self.failures.unlisted:
            self.failures.attempt(symbol, read_open_orders)
        return is_read

    def _read_trades(self, symbol: str, *, again: bool) -> bool:
        """Take the trades since the cursor, and move it past all whose owner is known; say whether
        that were all. Behind one whose owner is not known, our own are taken all the same; they are
        told again, and known then."""
        account, book = self._account, self._context.runs
        cursor = None if again else book.cursor(account, symbol)
        trades = self.asked("trades").fills_since(symbol, cursor, self._since_ms(symbol, again))
        self._found.trades_read += len(trades)
        self._old = already_read(self.sheet, symbol, [trade.fill.trade_id for trade in trades])
        exchange_ids = {trade.exchange_order_id for trade in trades}
        ours = self._context.store.order_ids_by_exchange_id(account, symbol, exchange_ids)
        is_stuck = False
        for exchange_id, fills in runs_of(trades):
            if is_stuck and exchange_id not in ours:
                continue
            try:
                self._take(symbol, exchange_id, fills, ours.get(exchange_id))
            except Undecided:
                is_stuck = True
            if not is_stuck:
                if (last := fills[-1].trade_id) not in self._old:
                    self.sheet = with_read(self.sheet, symbol, last)
                book.set_cursor(account, symbol, last, self.sheet)
        return not is_stuck

    def _since_ms(self, symbol: str, again: bool) -> int:
        """From when on trades matter, where none was read before or all is to be read again."""
        times = [order.created_at for order in self._live if order.symbol == symbol]
        if again and self._reread is not None:
            times.append(self._reread.since)
        else:
            times.append(self.sheet.opened_at or self._found.started_at)
        return int(min(times).timestamp() * 1000) - LOOKBACK_MS

    def _take(
        self, symbol: str, exchange_id: str, fills: tuple[Fill, ...], order_id: str | None
    ) -> None:
        order, report = self._owner(symbol, exchange_id, order_id, fills[-1].time)
        if order is not None and order.symbol != symbol:
            # An order of ours has the id, and cannot have traded here.
            order, report = None, None
        if order is None and report is not None and self._policy is DriftPolicy.ADOPT:
            order = self._external(report)
        if order is None:
            self._note_stranger(symbol, exchange_id, fills)
            return
        if report is None:
            report = OrderReport(exchange_id, order.client_order_id, symbol, order.state)
        if order.version == 0:
            # Only these trades are new for certain: what else it has traded may be counted already.
            report = replace(report, filled=None)
        try:
            after = self._context.journal.record(order, Reported(replace(report, fills=fills)))
        except (IllegalTransition, UnknownOrder):
            # Of two orders at the exchange only one is ours, and one that we refused is not.
            self._note_stranger(symbol, exchange_id, fills)
            return
        if order.is_live and not after.is_live:
            self._found.orders_settled.append(after.order_id)
        self._found.fills_applied += len(after.fills) - (len(order.fills) if order.version else 0)

    def _owner(
        self, symbol: str, exchange_id: str, order_id: str | None, time: datetime
    ) -> tuple[Order | None, OrderReport | None]:
        """The order that an exchange's id belongs to, None for a stranger's; and what the exchange
        says of it, where it was asked. `time` is that of its trade. Raises Undecided."""
        if order_id is not None:
            try:
                return self._context.journal.load(order_id), None
            except UnknownOrder:
                self._found.repaired.append(f"the record of order {order_id}")
        try:
            recalled = self._context.history.recall_by_exchange_id(
                self._account, symbol, exchange_id
            )
        except LedgerUnavailable:
            raise Undecided(exchange_id) from None
        if recalled is not None:
            self._found.orders_recalled.append(recalled.order_id)
            return recalled, None
        report = self.asked("order").fetch(symbol, exchange_id)
        if report is None and self._context.clock.now() - time < DECIDED_AFTER:
            raise Undecided(exchange_id)
        return None if report is None else self._of_report(report), report

    def _of_report(self, report: OrderReport) -> Order | None:
        """Our order of that client id: known, being placed just now, or forgotten and adopted."""
        client_id = report.client_order_id or ""
        # An order is on record before its request leaves: whatever of ours stands there by now is
        # among these.
        live = self._context.store.live_orders(self._account)
        placing = next((order for order in live if order.client_order_id == client_id), None)
        if placing is not None or not is_ours(client_id):
            return placing
        known = self._context.store.order(client_id)
        if known is not None:
            return known
        try:
            adopted = adopted_order(self._account, report, self._context.clock.now())
        except NotAdoptable:
            return None
        self._found.orders_adopted.append(adopted.order_id)
        return adopted

    def _external(self, report: OrderReport) -> Order | None:
        if may_be_ours(report.client_order_id, self._exchange.guarantees.exchange):
            return None
        try:
            order = external_order(self._account, report, self._context.clock.now())
        except NotAdoptable:
            return None
        self._found.orders_adopted.append(order.order_id)
        return order

    def _note_stranger(self, symbol: str, exchange_id: str, fills: tuple[Fill, ...]) -> None:
        fresh = [fill for fill in fills if fill.trade_id not in self._old]
        if not fresh:
            return
        name = f"{symbol} {exchange_id}"
        if self._policy is DriftPolicy.HALT:
            # Before the cursor moves past it, after which nobody would see it again.
            self.halt(f"orders that are not ours: {name}")
        if name not in self._found.external_orders:
            self._found.external_orders.append(name)
        counted = [fill for fill in fresh if self._counts(fill.time)]
        moved = [(name_of(symbol, fill), moved_by_trade(symbol, fill)) for fill in counted]
        self.sheet = with_external_trades(self.sheet, moved)

    def _counts(self, time: datetime) -> bool:
        """What happened before the opening balances is in them."""
        return self.sheet.opened_at is not None and time >= self.sheet.opened_at

    def _read_open_orders(self, symbol: str) -> None:
        """Settle each order that we think open and the exchange does not list as such; find those
        that it lists and we do not know."""
        # Read anew: the trades that were just taken have ended some of them.
        live = self._context.store.live_orders(self._account)
        orders = [o for o in live if o.symbol == symbol and o.state is OrderState.OPEN]
        listed = {
            report.exchange_order_id: report
            for report in self.asked("open orders").open_orders(symbol)
        }
        for order in orders:
            report = listed.pop(order.exchange_order_id or "", None)
            # Reads may lag behind placements: an order that cannot be found is asked after again.
            report = report or self.asked("order").lookup(order)
            if report is not None:
                self._settle(order, report)
        self._meet(symbol, listed)

    def _settle(self, order: Order, report: OrderReport) -> None:
        after = self._context.journal.record(
            self._context.journal.load(order.order_id), Reported(report)
        )
        if not after.is_live:
            self._found.orders_settled.append(order.order_id)

    def _meet(self, symbol: str, listed: dict[str, OrderReport]) -> None:
        """Adopt open orders of ours that nobody remembers; name those of others."""
        known = self._context.store.order_ids_by_exchange_id(self._account, symbol, listed)
        for exchange_id, report in listed.items():
            if exchange_id in known:
                self._note_if_ended(symbol, exchange_id, known[exchange_id])
                continue
            order = self._of_report(report)
            if order is None or order.state in SAID_NO:
                self._found.external_open_orders.append(f"{symbol} {exchange_id}")
            elif order.version == 0:
                self._context.journal.record(order, Reported(report))

    def _note_if_ended(self, symbol: str, exchange_id: str, order_id: str) -> None:
        order, now = self._context.store.order(order_id), self._context.clock.now()
        why = order and stands_though_ended(order, exchange_id, now)
        if why:
            self._found.external_open_orders.append(f"{symbol} {exchange_id}")
            self._found.warnings.append(why)

    def halt(self, what: str) -> None:
        """Let nothing new be sent on the account, if that is not so already."""
        store, clock = self._context.store, self._context.clock
        if not any(halt.account == self._account for halt in store.halts()):
            store.halt(Halt(self._account, f"reconciliation found {what}", clock.now()))
            self._found.halted = True
