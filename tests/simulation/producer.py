"""Whoever wants orders: publishes signals and cancels, and repeats what was not confirmed."""

import json
from datetime import timedelta

from execution.orders.store import Intent
from oneorder.broker import CANCEL, EXECUTE
from oneorder.identifiers import order_id_of
from tests.support.clock import FakeClock, moment
from tests.support.exchange import Tally

from .steps import Asked, Publish, Publishing, Setting
from .watch import WatchedStore
from .worker import ACCOUNT

SYMBOL = "BTC/USDT"


def signal_id_of(signal: int) -> str:
    return f"signal-{signal}"


class Producer:
    """Writes the intent first and sends the message then; a message that was sent may be delivered
    never, late and more than once."""

    def __init__(
        self,
        store: WatchedStore,
        clock: FakeClock,
        setting: Setting,
        tally: Tally,
        *,
        writes_intents: bool,
    ) -> None:
        self._store = store
        self._clock = clock
        self._tally = tally
        self._writes_intents = writes_intents
        self._since_saved: dict[str, Intent] = {}
        self._has_lost = False
        self.bodies = {n: self._body(n, asked) for n, asked in enumerate(setting.signals)}
        self._texts = {signal: json.dumps(body) for signal, body in self.bodies.items()}
        # The messages sent for each signal, by the entry of their intent.
        self.messages: dict[int, list[str | None]] = {}
        # Signals that it has tried to publish, in that order.
        self.attempted: dict[int, None] = {}
        self.cancels: set[int] = set()

    def _body(self, signal: int, asked: Asked) -> dict[str, str]:
        body = {
            "signal_id": signal_id_of(signal),
            "account": ACCOUNT,
            "symbol": SYMBOL,
            "side": asked.side,
            "type": "market" if asked.market else "limit",
            "amount": "1",
        }
        if not asked.market:
            body["price"] = "100"
            if asked.ioc:
                body["time_in_force"] = "IOC"
        if asked.expires_after_ms is not None:
            expires_at = moment(self._clock.ms) + timedelta(milliseconds=asked.expires_after_ms)
            body["expires_at"] = expires_at.isoformat()
        return body

    def publish(self, step: Publish) -> None:
        if step.signal not in self.bodies:
            return
        if step.cancel:
            self.cancels.add(step.signal)
            if step.how is not Publishing.FAILED:
                order_id = order_id_of(signal_id_of(step.signal))
                self._intend(CANCEL, json.dumps({"order_id": order_id}))
            return
        again = "again" if step.signal in self.attempted else "first"
        self._tally["signals published", again] += 1
        self.attempted[step.signal] = None
        if step.how is not Publishing.FAILED:
            entry_id = self._intend(EXECUTE, self._texts[step.signal])
            if step.how is Publishing.HEARD:
                self.messages.setdefault(step.signal, []).append(entry_id)

    def _intend(self, task: str, body: str) -> str | None:
        if not self._writes_intents:
            return None
        entry_id = self._store.add_intent(task, body)
        self._since_saved[entry_id] = Intent(entry_id, task, body)
        return entry_id

    def repeat(self) -> None:
        """Publish again what was never confirmed, and what a restart of the store has lost."""
        waiting = {intent.body for intent in self._store.waiting_intents().values()}
        for signal in self.attempted:
            was_confirmed = signal in self.messages and not self._has_lost
            is_there = self._texts[signal] in waiting or self._store.records(signal_id_of(signal))
            if not was_confirmed and not is_there:
                self.publish(Publish(signal))

    def on_save(self) -> None:
        """What was published until now is on the store's disk."""
        self._since_saved = {}

    def on_restart(self, *, keeps_intents: bool) -> None:
        """The store's disk may have the newest intents, even if it lacks the rest."""
        self._has_lost = True
        if keeps_intents:
            self._store.put_back(self._since_saved)
        else:
            self._since_saved = {}
