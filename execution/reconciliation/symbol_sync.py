"""Chooses the symbols that a run reads, and reads the trades and open orders of each."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from execution.model.instrument import assets_of
from execution.reconciliation.context import AccountRun
from execution.reconciliation.open_order_sync import OpenOrderSync
from execution.reconciliation.order_owners import OrderOwners
from execution.reconciliation.trade_sync import TradeSync

# How many pairs a run reads because of drift, for trades without another sign.
PAIRS_MAX = 6


class SymbolSync:
    """A failed symbol does not prevent the reading of others."""

    def __init__(self, run: AccountRun) -> None:
        self._run = run
        self._live = run.live_orders()
        owners = OrderOwners(run)
        self._trades = TradeSync(run, owners, self._live)
        self._open_orders = OpenOrderSync(run, owners)
        self._reread = run.context.runs.reread(run.account)

    def read(self, drift: Mapping[str, Decimal], assets_held: Collection[str]) -> None:
        """Read trades and open orders of every symbol that we trade or hold, and the trades of some
        that could explain the drift. Raises ExchangeUnavailable if the exchange does not answer at
        all."""
        run = self._run
        positions = run.context.positions.positions(run.account)
        known = {position.symbol for position in positions if position.amount}
        known |= {order.symbol for order in self._live}
        known |= self._to_read_again()
        if drift != run.sheet.suspected:
            run.sheet = replace(run.sheet, asked=())
        pairs = pairs_that_explain(drift, run.exchange.symbols() if drift else (), assets_held)
        unasked = [symbol for symbol in pairs if symbol not in run.sheet.asked]
        extra = [symbol for symbol in unasked if symbol not in known][:PAIRS_MAX]
        run.record.symbols = sorted({*known, *extra})
        unread = {
            symbol for symbol in run.record.symbols if not self._read(symbol, symbol in known)
        }
        # An unlisted symbol does not trade.
        asked = {*run.record.symbols} - unread | run.failures.unlisted
        asked_before = run.sheet.asked
        run.sheet = replace(
            run.sheet, asked=tuple(s for s in pairs if s in asked or s in asked_before)
        )
        run.record.pairs_unasked = len(pairs) - len(run.sheet.asked)
        left = (self._to_read_again() & unread) - run.failures.unlisted
        if self._reread is not None and not left:
            run.context.runs.set_reread(run.account, None)

    def _to_read_again(self) -> set[str]:
        return set() if self._reread is None else set(self._reread.symbols)

    def _read(self, symbol: str, is_ours: bool) -> bool:
        """Whether all its trades were read and each has its order."""
        self._run.keep_lease()
        again_since = None
        if self._reread is not None and symbol in self._reread.symbols:
            again_since = self._reread.since

        def read_open_orders() -> bool:
            self._open_orders.read(symbol)
            return True

        failures = self._run.failures
        is_read = failures.attempt(symbol, lambda: self._trades.read(symbol, again_since))
        if is_ours and symbol not in failures.unlisted:
            failures.attempt(symbol, read_open_orders)
        return is_read


def pairs_that_explain(
    drifting: Collection[str], listed: Iterable[str], held: Collection[str]
) -> list[str]:
    """Those of the listed symbols that have a drifting asset on either side, the likeliest first:
    both sides drift, then the other side is held, then the rest.

    Both sides of a trade move, and yet one alone may drift: what was bought may be sold again, on
    the same pair or on another one, and only a loss or the fees stay.
    """
    if not drifting:
        return []

    def unlikeliness(symbol: str) -> tuple[int, str]:
        base, quote = assets_of(symbol)
        others = [asset for asset in (base, quote) if asset not in drifting]
        if not others:
            return 0, symbol
        return 1 if others[0] in held else 2, symbol

    touched = (symbol for symbol in set(listed) if {*assets_of(symbol)} & {*drifting})
    return sorted(touched, key=unlikeliness)
