"""The store's twin in memory: the same answers for tests, simulations and one-off calls."""

import copy
import itertools
from collections.abc import Iterable
from decimal import Decimal
from threading import RLock

from execution.orders import Order, OrderState
from execution.ports import Change, Clock, ClockOffset, Committed, Epoch, Intent, RefusedIntent
from execution.position_tracker import Position

_NOT_DATA = {"_clock", "_lock", "_entry_numbers", "_epoch"}


class MemoryStore:
    """Everything in dictionaries behind one lock; see ports.Store for the meaning."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = RLock()
        self._orders: dict[str, Order] = {}
        self._due: dict[str, int] = {}
        self._positions: dict[tuple[str, str], Position] = {}
        self._exchange_ids: dict[tuple[str, str, str], str] = {}
        self._intents: dict[str, Intent] = {}
        self._refused: list[RefusedIntent] = []
        self._held_until_ms: dict[str, int] = {}
        self._clock_offsets: dict[tuple[str, str], ClockOffset] = {}
        self._marks: dict[tuple[str, str], tuple[Decimal, int]] = {}
        self._cursors: dict[tuple[str, str], str] = {}
        self._leases: dict[str, tuple[str, int]] = {}
        self._entry_numbers = itertools.count()
        self._epoch = Epoch("1", 0)

    def commit(self, change: Change) -> Committed:
        after, position = change.after, change.position
        with self._lock:
            stored = self._orders.get(after.order_id)
            if _token(stored) != _token(change.before):
                return Committed.CONFLICT
            if change.epoch is not None and change.epoch.run_id != self._epoch.run_id:
                return Committed.RESTARTED
            if change.begins_attempt and self._is_held(after.account):
                return Committed.HELD
            if position is not None:
                held = self.position(position.account, position.symbol)
                if _token(held) != _token(change.position_before):
                    return Committed.CONFLICT
                self._positions[position.account, position.symbol] = position
            self._orders[after.order_id] = after
            if stored is None and after.entry_id is not None:
                self._intents.pop(after.entry_id, None)
            self._due.pop(after.order_id, None)
            if change.due_ms is not None:
                self._due[after.order_id] = change.due_ms
            if after.exchange_order_id is not None:
                key = (after.account, after.symbol, after.exchange_order_id)
                self._exchange_ids.setdefault(key, after.order_id)
            return Committed.DONE

    def epoch(self) -> Epoch:
        return self._epoch

    def roll_back(self, to: "MemoryStore") -> None:
        """Restart as a server does that lost what was written since the copy `to` was made."""
        with self._lock:
            epoch = Epoch(str(int(self._epoch.run_id) + 1), self._clock.now_ms())
            lost = {name: value for name, value in vars(to).items() if name not in _NOT_DATA}
            vars(self).update(copy.deepcopy(lost))
            self._epoch = epoch

    def copied(self) -> "MemoryStore":
        """What is in the store now, for `roll_back`."""
        with self._lock:
            twin = MemoryStore(self._clock)
            kept = {name: value for name, value in vars(self).items() if name not in _NOT_DATA}
            vars(twin).update(copy.deepcopy(kept))
            return twin

    def _is_held(self, account: str) -> bool:
        return self._held_until_ms.get(account, 0) > self._clock.now_ms()

    def order(self, order_id: str) -> Order | None:
        return self._orders.get(order_id)

    def orders(self, state: OrderState | None = None, account: str | None = None) -> list[Order]:
        with self._lock:
            found = sorted(self._orders.values(), key=lambda o: (o.created_at, o.order_id))
        return [
            order
            for order in found
            if (state is None or order.state is state)
            and (account is None or order.account == account)
        ]

    def live_orders(self, account: str) -> list[Order]:
        found = [o for o in self.orders(account=account) if o.is_live or o.fills_missing]
        return sorted(found, key=lambda order: order.order_id)

    def order_ids_by_exchange_id(
        self, account: str, symbol: str, exchange_order_ids: Iterable[str]
    ) -> dict[str, str]:
        keys = {wanted: (account, symbol, wanted) for wanted in exchange_order_ids}
        return {
            wanted: self._exchange_ids[key]
            for wanted, key in keys.items()
            if key in self._exchange_ids
        }

    def due(self, now_ms: int, limit: int, lease_ms: int) -> list[str]:
        with self._lock:
            ripe = [order_id for order_id, at_ms in self._due.items() if at_ms <= now_ms]
            taken = sorted(ripe, key=lambda order_id: (self._due[order_id], order_id))[:limit]
            self._due.update(dict.fromkeys(taken, now_ms + lease_ms))
            return taken

    def postpone(self, order_id: str, due_ms: int) -> None:
        with self._lock:
            if order_id in self._due:
                self._due[order_id] = due_ms

    def position(self, account: str, symbol: str) -> Position:
        return self._positions.get((account, symbol), Position(account, symbol))

    def positions(self, account: str | None = None) -> list[Position]:
        with self._lock:
            found = [position for _, position in sorted(self._positions.items())]
        return [position for position in found if account in (None, position.account)]

    def add_intent(self, task: str, body: str) -> str:
        """What signals.publish does to the stream."""
        with self._lock:
            entry_id = f"{self._clock.now_ms()}-{next(self._entry_numbers)}"
            self._intents[entry_id] = Intent(entry_id, task, body)
            return entry_id

    def take_intents(self, count: int, older_than_ms: int) -> list[Intent]:
        newest_ms = self._clock.now_ms() - older_than_ms
        with self._lock:
            old = [i for i in self._intents.values() if int(i.entry_id.split("-")[0]) <= newest_ms]
        return old[:count]

    def settle_intent(self, entry_id: str) -> None:
        with self._lock:
            self._intents.pop(entry_id, None)

    def refuse_intent(self, refused: RefusedIntent, entry_id: str | None) -> None:
        with self._lock:
            self._refused.insert(0, refused)
            if entry_id is not None:
                self._intents.pop(entry_id, None)

    def refused_intents(self, count: int) -> list[RefusedIntent]:
        return self._refused[:count]

    def hold(self, account: str, seconds: int) -> None:
        until_ms = self._clock.now_ms() + seconds * 1000
        self._held_until_ms[account] = max(until_ms, self._held_until_ms.get(account, 0))

    def clock_offset(self, account: str, host: str) -> ClockOffset | None:
        return self._clock_offsets.get((account, host))

    def set_clock_offset(self, account: str, host: str, offset: ClockOffset) -> None:
        self._clock_offsets[account, host] = offset

    def mark(self, account: str, symbol: str) -> tuple[Decimal, int] | None:
        return self._marks.get((account, symbol))

    def set_mark(self, account: str, symbol: str, price: Decimal, now_ms: int) -> None:
        self._marks[account, symbol] = (price, now_ms)

    def cursor(self, account: str, symbol: str) -> str | None:
        return self._cursors.get((account, symbol))

    def set_cursor(self, account: str, symbol: str, trade_id: str) -> None:
        self._cursors[account, symbol] = trade_id

    def lease(self, name: str, owner: str, ttl_ms: int) -> bool:
        with self._lock:
            until_ms = self._leases.get(name, ("", 0))[1]
            if until_ms > self._clock.now_ms():
                return False
            self._leases[name] = (owner, self._clock.now_ms() + ttl_ms)
            return True

    def release(self, name: str, owner: str) -> None:
        with self._lock:
            if self._leases.get(name, ("", 0))[0] == owner:
                del self._leases[name]

    def ping(self) -> None:
        """Always there."""


def _token(held: Order | Position | None) -> tuple[int, str]:
    """What a change must find to be made; nothing stored is version 0."""
    return (held.version, held.revision) if held and held.version else (0, "")
