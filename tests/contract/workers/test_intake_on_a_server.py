"""Messages that name an entry of the stream which cannot be: carried out or refused anyway."""

import json
from typing import Any

import pytest

from execution.model.order import OrderState
from execution.store.access.connection import connect
from execution.store.redis.intents import RedisWaiting
from oneorder.identifiers import order_id_of
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT, Rig
from tests.support.intake_kit import IntakeKit
from tests.support.whole_stores import redis_store

BODY = {
    "signal_id": "signal-1",
    "account": ACCOUNT,
    "symbol": SYMBOL,
    "side": "buy",
    "type": "limit",
    "amount": "1",
    "price": "100",
}
# `entry_id` is a keyword of a message that anybody may have written.
NO_ENTRY = pytest.mark.parametrize(
    "entry_id",
    [f"{2**64}-0", f"1-{2**64}", "\u0663-\u0661", "nonsense", "1-1\n", 5, ["1-1"], {"a": 1}, True],
)


class RigOnAServer(Rig):
    """A set-up whose store is a real server's, with somebody else's intent waiting there."""

    def __init__(self, url: str) -> None:
        super().__init__()
        client: Any = connect(url)
        client.flushall()
        client.xadd("oneorder:signals", {"task": "orders.execute", "body": "another's"})
        self.store: Any = redis_store(client, self.clock)
        self.manager = self.worker()
        self.intake = IntakeKit(self, store=self.store, waiting=RedisWaiting(client)).intake


@NO_ENTRY
def test_an_order_that_names_no_real_entry_is_carried_out(entry_id: Any, valkey_url: str) -> None:
    rig = RigOnAServer(valkey_url)
    order = rig.intake.execute(BODY, entry_id)
    assert order is not None
    assert order.state is OrderState.OPEN


@NO_ENTRY
def test_a_cancel_that_names_no_real_entry_is_carried_out(entry_id: Any, valkey_url: str) -> None:
    rig = RigOnAServer(valkey_url)
    rig.intake.execute(BODY, None)
    order = rig.intake.cancel({"order_id": order_id_of("signal-1")}, entry_id)
    assert order is not None
    assert order.state is OrderState.CANCELED


@NO_ENTRY
def test_a_refusal_that_names_no_real_entry_is_kept_once(entry_id: Any, valkey_url: str) -> None:
    rig = RigOnAServer(valkey_url)
    assert rig.intake.execute({"amount": 1}, entry_id) is None
    assert len(rig.store.refused_intents(10)) == 1


@pytest.mark.parametrize("ms", [1, 10**15, 10**18, 2**64 - 2])
@pytest.mark.parametrize("body", ["good", "bad", "for another worker"])
def test_an_entry_of_any_id_that_a_stream_can_have_is_done_with_at_once(
    ms: int, body: str, valkey_url: str
) -> None:
    rig = RigOnAServer(valkey_url)
    client: Any = connect(valkey_url)
    client.delete("oneorder:signals")
    text = {"good": BODY, "bad": {}, "for another worker": {**BODY, "account": "other"}}[body]
    fields = {"task": "orders.execute", "body": json.dumps(text)}
    client.xadd("oneorder:signals", fields, id=f"{ms}-{2**64 - 1}")
    (intent,) = rig.store.take_intents(10, 1_000)
    rig.intake.drain(intent)
    assert client.xlen("oneorder:signals") == 0
    assert len(rig.store.orders()) == (body == "good")
    assert len(rig.store.refused_intents(10)) == (body == "bad")
    assert client.hlen("oneorder:signals:waiting") == (body == "for another worker")
