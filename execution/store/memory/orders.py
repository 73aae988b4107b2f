"""The store's twin in memory: the same answers for tests, simulations and one-off calls."""

import itertools
from collections.abc import Iterable
from dataclasses import replace
from threading import RLock

from execution.exchanges.port import ClockOffset
from execution.model.clock import Clock
from execution.model.order import Order, OrderState
from execution.model.position import Position
from execution.orders.store import Change, Committed, Epoch, Halt, Intent, RefusedIntent
from execution.store.access.due_times import is_ripe
from execution.store.memory.tables import Tables


class MemoryStore:
    """Everything in dictionaries behind one lock; see ports.Store for the meaning."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.lock = RLock()
        self.tables = Tables()
        self._entry_numbers = itertools.count()
        self._entry_ms = 0
        self._epoch = Epoch("1", 0)
        # What every process knows that works with this store.
        self._commits = 0

    def commit(self, change: Change) -> Committed:
        with self.lock:
            objection = self.objection(change)
            if objection is None:
                self.write(change)
            return objection or Committed.DONE

    def objection(self, change: Change) -> Committed | None:
        """Why the change cannot be made; None where it can. To be called under the lock."""
        after, tables = change.after, self.tables
        stored = tables.orders.get(after.order_id)
        # A record that left, or was lost, must not be taken for one that never was; one that left
        # is to be called back, whoever wants to write it.
        has_left = stored is None and after.order_id in tables.tombstones
        is_gone = stored is None and after.order_id in tables.known
        if _token(stored) != _token(change.before) or has_left:
            return Committed.CONFLICT
        if is_gone and change.is_from_signal:
            return Committed.CONFLICT
        if change.epoch is not None and change.epoch.run_id != self.epoch().run_id:
            return Committed.RESTARTED
        if change.begins_attempt and {None, after.account} & tables.halts.keys():
            return Committed.HALTED
        if change.begins_attempt and self._is_held(after.account, change.address):
            return Committed.HELD
        if change.position is not None:
            held = self.position(change.position.account, change.position.symbol)
            if _token(held) != _token(change.position_before):
                return Committed.CONFLICT
        return None

    def write(self, change: Change) -> None:
        """Make a change to which there is no objection. To be called under the lock."""
        after, position, tables = change.after, change.position, self.tables
        if position is not None:
            self._look_over_if_begun_anew(change.position_before)
            tables.positions[position.account, position.symbol] = position
            tables.position_versions[position.account, position.symbol] = position.version
        if after.order_id not in tables.orders and after.entry_id is not None:
            tables.intents.pop(after.entry_id, None)
        self.look_over_if_lost(after.order_id)
        tables.orders[after.order_id] = after
        tables.known.add(after.order_id)
        tables.unarchived[after.order_id] = None
        tables.commits += 1
        self._commits = max(self._commits, tables.commits)
        if after.may_still_trade:
            tables.live.add(after.order_id)
        else:
            tables.live.discard(after.order_id)
        tables.due.pop(after.order_id, None)
        if change.due_ms is not None:
            tables.due[after.order_id] = change.due_ms
        if after.exchange_order_id is not None:
            key = (after.account, after.symbol, after.exchange_order_id)
            tables.exchange_ids.setdefault(key, after.order_id)

    def look_over_if_lost(self, order_id: str) -> None:
        """A record that did not leave and is not there was lost, perhaps with fills that are on the
        position and will be told once more."""
        tables = self.tables
        if order_id in tables.known - tables.tombstones - tables.orders.keys():
            tables.verified_epoch = None

    def _look_over_if_begun_anew(self, position: Position | None) -> None:
        """A position that is not the one that was written last was lost."""
        if position is not None:
            key = (position.account, position.symbol)
            if self.tables.position_versions.get(key, position.version) != position.version:
                self.tables.verified_epoch = None

    def epoch(self, *, fresh: bool = False) -> Epoch:
        del fresh
        with self.lock:
            if self.tables.commits < self._commits:
                # The same server with the contents of an earlier time.
                self.tables.commits = self._commits
                self.begin_epoch()
        mended = self.tables.verified_epoch
        return replace(self._epoch, is_whole=mended in (None, self._epoch.run_id))

    def begin_epoch(self) -> Epoch:
        with self.lock:
            self._epoch = Epoch(f"{self._epoch.run_id}+", self._clock.now_ms())
            return self._epoch

    def take_back(self, to: Tables) -> None:
        """Have the contents of when `to` was copied, in the same run of the server."""
        with self.lock:
            self.tables.take_over(to)

    def roll_back(self, to: Tables) -> None:
        """Restart as a server does that lost what was written since `to` was copied."""
        with self.lock:
            self.tables.take_over(to)
            self._commits = to.commits
            run = int(self._epoch.run_id.rstrip("+")) + 1
            self._epoch = Epoch(str(run), self._clock.now_ms())

    def copied(self) -> Tables:
        """What is in the store now, for `roll_back`."""
        with self.lock:
            return self.tables.copied()

    def _is_held(self, account: str, address: str) -> bool:
        until_ms, _ = self.tables.held_addresses.get(address, (0, ""))
        until_ms = max(until_ms, self.tables.held_until_ms.get(account, 0))
        return until_ms > self._clock.now_ms()

    def order(self, order_id: str) -> Order | None:
        return self.tables.orders.get(order_id)

    def orders(self, state: OrderState | None = None, account: str | None = None) -> list[Order]:
        with self.lock:
            found = sorted(self.tables.orders.values(), key=lambda o: (o.created_at, o.order_id))
        return [
            order
            for order in found
            if (state is None or order.state is state)
            and (account is None or order.account == account)
        ]

    def live_orders(self, account: str) -> list[Order]:
        found = [o for o in self.orders(account=account) if o.order_id in self.tables.live]
        return sorted(found, key=lambda order: order.order_id)

    def accounts(self) -> list[str]:
        with self.lock:
            return sorted({order.account for order in self.tables.orders.values()})

    def order_ids_by_exchange_id(
        self, account: str, symbol: str, exchange_order_ids: Iterable[str]
    ) -> dict[str, str]:
        keys = {wanted: (account, symbol, wanted) for wanted in exchange_order_ids}
        return {
            wanted: self.tables.exchange_ids[key]
            for wanted, key in keys.items()
            if key in self.tables.exchange_ids
        }

    def due(self, now_ms: int, limit: int, lease_ms: int) -> list[str]:
        with self.lock:
            ripe = [
                order_id for order_id, at_ms in self.tables.due.items() if is_ripe(at_ms, now_ms)
            ]
            taken = sorted(ripe, key=lambda order_id: (self.tables.due[order_id], order_id))[:limit]
            self.tables.due.update(dict.fromkeys(taken, now_ms + lease_ms))
            return taken

    def postpone(self, order_id: str, due_ms: int) -> None:
        with self.lock:
            if order_id in self.tables.due:
                self.tables.due[order_id] = due_ms

    def make_due(self, account: str, now_ms: int, later_than_ms: int, apart_ms: int) -> int:
        with self.lock:
            due = self.tables.due
            later = [o.order_id for o in self.live_orders(account)]
            later = [each for each in later if due.get(each, 0) > later_than_ms]
            later.sort(key=lambda order_id: (due[order_id], order_id))
            for place, order_id in enumerate(later):
                due[order_id] = min(due[order_id], now_ms + place * apart_ms)
            return len(later)

    def position(self, account: str, symbol: str) -> Position:
        return self.tables.positions.get((account, symbol), Position(account, symbol))

    def positions(self, account: str | None = None) -> list[Position]:
        with self.lock:
            found = [position for _, position in sorted(self.tables.positions.items())]
        return [position for position in found if account in (None, position.account)]

    def add_intent(self, task: str, body: str, version: str = "1", ahead_ms: int = 0) -> str:
        """What signals.publish does to the stream; with `ahead_ms`, under an id ahead of now, which
        leaves no later one to be less."""
        with self.lock:
            self._entry_ms = max(self._entry_ms, self._clock.now_ms() + ahead_ms)
            entry_id = f"{self._entry_ms}-{next(self._entry_numbers)}"
            self.tables.intents[entry_id] = Intent(entry_id, task, body, version)
            return entry_id

    def take_intents(self, count: int, older_than_ms: int) -> list[Intent]:
        now_ms = self._clock.now_ms()
        with self.lock:
            unsettled = list(self.tables.intents.values())

        def is_young(intent: Intent) -> bool:
            return now_ms - older_than_ms < int(intent.entry_id.split("-")[0]) <= now_ms

        return [intent for intent in unsettled if not is_young(intent)][:count]

    def settle_intent(self, entry_id: str) -> None:
        with self.lock:
            self.tables.intents.pop(entry_id, None)
            self.tables.waiting.pop(entry_id, None)

    def refuse_intent(self, refused: RefusedIntent, entry_id: str | None) -> None:
        with self.lock:
            self.tables.refused.insert(0, refused)
            if entry_id is not None:
                self.settle_intent(entry_id)

    def refused_intents(self, count: int) -> list[RefusedIntent]:
        return self.tables.refused[:count]

    def hold(self, account: str, seconds: int) -> None:
        held = self.tables.held_until_ms
        held[account] = max(self._clock.now_ms() + seconds * 1000, held.get(account, 0))

    def end_hold(self, account: str) -> bool:
        return self.tables.held_until_ms.pop(account, 0) > self._clock.now_ms()

    def clock_offset(self, account: str, host: str) -> ClockOffset | None:
        return self.tables.clock_offsets.get((account, host))

    def set_clock_offset(self, account: str, host: str, offset: ClockOffset) -> None:
        self.tables.clock_offsets[account, host] = offset

    def halt(self, halt: Halt) -> None:
        self.tables.halts[halt.account] = halt

    def resume(self, account: str | None) -> bool:
        return self.tables.halts.pop(account, None) is not None

    def halts(self) -> list[Halt]:
        return sorted(self.tables.halts.values(), key=lambda halt: halt.account or "*")

    def lease(self, name: str, owner: str, ttl_ms: int) -> bool:
        with self.lock:
            mark_source, until_ms = self.tables.leases.get(name, ("", 0))
            if until_ms > self._clock.now_ms() and mark_source != owner:
                return False
            self.tables.leases[name] = (owner, self._clock.now_ms() + ttl_ms)
            return True

    def release(self, name: str, owner: str) -> None:
        with self.lock:
            if self.tables.leases.get(name, ("", 0))[0] == owner:
                del self.tables.leases[name]

    def ping(self) -> None:
        """Always there."""


def _token(held: Order | Position | None) -> tuple[int, str]:
    """What a change must find to be made; nothing stored is version 0."""
    return (held.version, held.revision) if held and held.version else (0, "")
