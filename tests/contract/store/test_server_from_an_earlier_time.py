"""The same run of a server with the contents of an earlier time: a copy that was loaded into it."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from execution.model.order import OrderState
from execution.store.access import keys
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT
from tests.support.stores_kit import ServerRig
from workers.sandbox.local_stack import LocalStack


@pytest.fixture
def rig(valkey_url: str) -> ServerRig:
    return ServerRig(valkey_url).looked_over()


def copied(rig: ServerRig) -> dict[str, bytes]:
    raw: Any = type(rig.redis).from_url(rig.url)
    return {name.decode(): raw.dump(name) for name in raw.scan_iter()}


def loaded(rig: ServerRig, copy: dict[str, bytes]) -> None:
    """What a replica that was made of an older copy has, after it took over."""
    raw: Any = type(rig.redis).from_url(rig.url)
    raw.flushall()
    for name, contents in copy.items():
        raw.restore(name, 0, contents)


def test_a_process_that_lives_through_it_sends_nothing_before_it_has_looked(
    rig: ServerRig,
) -> None:
    rig.filled(1)
    earlier = copied(rig)
    rig.filled(2)
    loaded(rig, earlier)
    again = rig.manager.submit(rig.order(signal_id="signal-2"))
    rig.sweep(for_ms=20_000)
    assert rig.stored(again).state is OrderState.FILLED
    assert rig.accepted == 2


def test_it_is_noticed_once_by_all_processes_that_know_as_much(rig: ServerRig) -> None:
    earlier = copied(rig)
    rig.filled(1)
    other = rig.store
    rig.connect_anew()
    rig.filled(2)
    loaded(rig, earlier)
    rig.store.epoch(fresh=True)
    epoch = rig.store.epoch(fresh=True)
    other.epoch(fresh=True)
    assert other.epoch() == epoch == rig.store.epoch(fresh=True)


def test_a_process_that_begins_after_it_notices_by_what_the_ledger_has(rig: ServerRig) -> None:
    rig.filled(1)
    rig.archive.run()
    earlier = copied(rig)
    rig.filled(2, "98")
    rig.archive.run()
    loaded(rig, earlier)
    rig.connect_anew()
    repair = rig.repair()
    assert repair is not None
    assert any("later changes" in sentence for sentence in repair.lost)
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 2
    assert rig.repair() is None


def test_the_counter_grows_with_every_change_and_nothing_else_asks_for_it(
    rig: ServerRig,
) -> None:
    before = int(rig.redis.get(keys.COMMITS) or 0)
    rig.filled(1)
    assert int(rig.redis.get(keys.COMMITS)) > before


def test_a_process_that_knew_the_server_before_looks_it_over_when_it_comes_back(
    tmp_path: Path,
) -> None:
    """Nothing is sent meanwhile, so that no commit tells it that the server is another run. A
    record comes back from the ledger when somebody asks for it; the position has to follow."""
    data, an_hour_ago = tmp_path / "redis", tmp_path / "an hour ago"
    with LocalStack(tmp_path) as stack:
        stack.start_redis()
        rig = ServerRig(stack.redis_url)
        rig.filled(1)
        rig.looked_over()
        shutil.copytree(data, an_hour_ago)
        second = rig.filled(2)
        rig.archive.run()
        stack.kill("redis")
        shutil.rmtree(data)
        shutil.copytree(an_hour_ago, data)
        stack.start_redis()
        assert rig.manager.cancel(second.order_id) == second
        rig.repair()
        assert rig.store.position(ACCOUNT, SYMBOL).amount == 2
        assert rig.repair() is None
