"""The path of an order is what docs/architecture.md says, call by call."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from execution.model.order import OrderState
from execution.store.access.connection import connect
from execution.store.redis.intents import RedisWaiting
from oneorder.identifiers import order_id_of
from oneorder.publisher import Publisher, publish_order
from oneorder.settings import SignalSettings
from oneorder.signals import OrderSignal
from tests.support.exchange import SYMBOL, is_lost
from tests.support.fakes import ACCOUNT, Rig
from tests.support.intake_kit import IntakeKit
from tests.support.whole_stores import redis_store

DOCS = Path(__file__).parents[3] / "docs" / "architecture.md"
# What stands behind the protocols that the page names.
BEHIND = {
    "FakeExchange.place": "Exchange.place",
    "FakeExchange.lookup": "Exchange.lookup",
    "RedisOrders.commit": "OrderStore.commit",
}
SIGNAL = OrderSignal(
    signal_id="signal-1",
    account=ACCOUNT,
    symbol=SYMBOL,
    side="buy",
    type="limit",
    amount="1",
    price="100",
)


class Trip(Rig):
    """A worker on a real server, and what a producer publishes there."""

    def __init__(self, url: str) -> None:
        super().__init__()
        client: Any = connect(url)
        client.flushall()
        self.store: Any = redis_store(client, self.clock)
        self.manager = self.worker()
        self.intake = IntakeKit(self, store=self.store, waiting=RedisWaiting(client)).intake
        self.publisher = Publisher(SignalSettings(redis_url=url))

    def execute(self) -> None:
        """What the producer does, and then the task."""
        published = publish_order(SIGNAL, self.publisher)
        self.intake.execute(SIGNAL.to_body(), published.entry_id)

    @property
    def state(self) -> OrderState:
        return self.manager.load(order_id_of(SIGNAL.signal_id)).state


def written(heading: str) -> list[str]:
    """The calls that the page lists under the heading."""
    section = DOCS.read_text(encoding="utf-8").split(f"### {heading}\n")[1].split("\n#")[0]
    items = re.findall(r"^\d+\. .*(?:\n   .*)*", section, re.MULTILINE)
    return re.findall(r"`([\w.]+)\(\)`", "\n".join(items))


def calls_of(action: Callable[[], object]) -> list[str]:
    """The calls that are made, of those that the page lists anywhere."""
    listed = {*written("From the signal to the fill"), *written(RESOLUTION)}
    made: list[str] = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            name = frame.f_code.co_qualname
            made.append(BEHIND.get(name, name))

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return [name for name in made if name in listed]


RESOLUTION = "From an unknown outcome to its resolution"


def test_a_signal_passes_each_room_once_on_its_way_to_the_fill(valkey_url: str) -> None:
    rig = Trip(valkey_url)
    rig.exchange.fill_next.append([("99", "1")])
    assert calls_of(rig.execute) == written("From the signal to the fill")
    assert rig.state is OrderState.FILLED


def test_an_order_of_unknown_outcome_goes_the_same_way_once_more(valkey_url: str) -> None:
    rig = Trip(valkey_url)
    rig.exchange.script.append(is_lost)
    rig.execute()
    assert rig.state is OrderState.SUBMITTING
    rig.clock.advance(60_000)
    rig.exchange.fill_next.append([("99", "1")])
    order = rig.manager.load(order_id_of(SIGNAL.signal_id))
    assert calls_of(lambda: rig.manager.advance(order)) == written(RESOLUTION)
    assert rig.state is OrderState.FILLED
