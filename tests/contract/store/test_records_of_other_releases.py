"""Old and new workers write the same records while they are replaced one by one."""

import json
from dataclasses import replace
from typing import Any

import pytest

from execution.orders.store import Change, Committed
from execution.store.access import keys
from execution.store.access.connection import connect
from tests.support.clock import FakeClock
from tests.support.fakes import Rig
from tests.support.whole_stores import redis_store


@pytest.mark.parametrize("how", ["a field less", "a field more", "another order", "spaced out"])
def test_a_record_that_another_release_wrote_can_be_changed(how: str, valkey_url: str) -> None:
    """While workers are replaced one by one, old and new ones write the same records."""
    client: Any = connect(valkey_url)
    client.flushall()
    store = redis_store(client, FakeClock())
    order = Rig().order()
    store.commit(Change(order, replace(order, version=1), None))
    written = json.loads(client.hget(keys.order(order.order_id), "doc"))
    if how == "a field less":
        del written["strategy"]
    if how == "a field more":
        written["tag"] = None
    if how == "another order":
        written = dict(reversed(written.items()))
    spaces = None if how == "spaced out" else (",", ":")
    client.hset(keys.order(order.order_id), "doc", json.dumps(written, separators=spaces))
    found = store.order(order.order_id)
    assert found is not None
    after = replace(found, version=found.version + 1, reason="changed")
    assert store.commit(Change(found, after, None)) is Committed.DONE
