"""What attacks on the stores found that only a real server can show."""

import shutil
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from fakes import ACCOUNT, SYMBOL
from stores_kit import ServerRig, an_order

from execution.ledger.sql.ledger import open_ledger
from execution.model.errors import LedgerUnavailable
from execution.model.events import Reported
from execution.model.order import OrderState
from execution.store.access import keys
from workers.sandbox.local_stack import LocalStack


@pytest.fixture
def rig(valkey_url: str) -> ServerRig:
    return ServerRig(valkey_url).looked_over()


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


def test_after_a_server_was_emptied_attempts_are_looked_for_at_the_exchange_first(
    rig: ServerRig,
) -> None:
    """It is the same run, so that its run id alone says nothing."""
    order = rig.filled()
    rig.redis.flushall()
    again = rig.manager.submit(rig.order(signal_id="signal-1"))
    assert (rig.accepted, again.order_id) == (1, order.order_id)
    rig.sweep(for_ms=20_000)
    assert rig.stored(order).state is OrderState.FILLED


def test_a_record_that_a_repeated_signal_made_during_a_repair_can_still_be_changed(
    rig: ServerRig,
) -> None:
    """The repair noted meanwhile that the order was there, and turned its version into another."""
    order = rig.manager.receive(rig.order())
    rig.parts.repair.remember([order.order_id], 60)
    assert rig.redis.ttl(keys.order(order.order_id)) == -1
    assert rig.manager.cancel(order.order_id).state is OrderState.CANCELED


def test_a_record_that_came_back_to_life_is_listed_and_does_not_run_out(rig: ServerRig) -> None:
    """A worker held the order while it left, and writes what it heard late."""
    order = rig.resting()
    rig.exchange.standing[0].status = OrderState.CANCELED
    rig.reconcile()
    held = rig.gone(rig.stored(order))
    rig.exchange.trade(held.client_order_id, "99", "0.25")
    report = rig.exchange.lookup(held)
    assert report is not None
    late = rig.journal.record(held, Reported(report))
    assert late.filled == Decimal("0.25")
    assert rig.store.orders() == [late]
    assert rig.redis.ttl(keys.order(held.order_id)) == -1


def test_an_upgraded_store_is_looked_over_once_and_not_for_ever(rig: ServerRig) -> None:
    """An earlier release kept no versions of positions beside them."""
    rig.filled()
    rig.redis.delete(keys.POSITION_VERSIONS, keys.VERIFIED)
    rig.repair()
    assert rig.parts.repair.lost([ACCOUNT]) == []
    assert rig.parts.repair.verified_epoch() == rig.store.epoch().run_id


def test_what_a_ledger_says_it_has_written_is_in_its_file(tmp_path: Path) -> None:
    """Somebody deletes or moves the file while workers have it open. They must say so, or write to
    a new one; else orders leave the store for a file that nobody will ever read."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    first, second = (replace(an_order(number), version=1) for number in (1, 2))
    ledger = open_ledger(url)
    ledger.write([first])
    for file in tmp_path.iterdir():
        file.unlink()
    with suppress(LedgerUnavailable):
        ledger.write([second])
        assert open_ledger(url).order(second.order_id) == second
