"""The same run of a server with the contents of an earlier time: a copy that was loaded into it."""

from typing import Any

import pytest
from fakes import ACCOUNT, SYMBOL
from stores_kit import ServerDesk

from execution.model.order import OrderState
from execution.store.access import keys


@pytest.fixture
def desk(valkey_url: str) -> ServerDesk:
    return ServerDesk(valkey_url).looked_over()


def copied(desk: ServerDesk) -> dict[str, bytes]:
    raw: Any = type(desk.redis).from_url(desk.url)
    return {name.decode(): raw.dump(name) for name in raw.scan_iter()}


def loaded(desk: ServerDesk, copy: dict[str, bytes]) -> None:
    """What a replica that was made of an older copy has, after it took over."""
    raw: Any = type(desk.redis).from_url(desk.url)
    raw.flushall()
    for name, contents in copy.items():
        raw.restore(name, 0, contents)


def test_a_process_that_lives_through_it_sends_nothing_before_it_has_looked(
    desk: ServerDesk,
) -> None:
    desk.filled(1)
    earlier = copied(desk)
    desk.filled(2)
    loaded(desk, earlier)
    again = desk.manager.submit(desk.order(signal_id="signal-2"))
    desk.sweep(for_ms=20_000)
    assert desk.stored(again).state is OrderState.FILLED
    assert desk.accepted == 2


def test_it_is_noticed_once_by_all_processes_that_know_as_much(desk: ServerDesk) -> None:
    earlier = copied(desk)
    desk.filled(1)
    other = desk.store
    desk.connect_anew()
    desk.filled(2)
    loaded(desk, earlier)
    desk.store.epoch(fresh=True)
    epoch = desk.store.epoch(fresh=True)
    other.epoch(fresh=True)
    assert other.epoch() == epoch == desk.store.epoch(fresh=True)


def test_a_process_that_begins_after_it_notices_by_what_the_ledger_has(desk: ServerDesk) -> None:
    desk.filled(1)
    desk.archive.run()
    earlier = copied(desk)
    desk.filled(2, "98")
    desk.archive.run()
    loaded(desk, earlier)
    desk.connect_anew()
    repair = desk.repair()
    assert repair is not None
    assert any("later changes" in sentence for sentence in repair.lost)
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 2
    assert desk.repair() is None


def test_the_counter_grows_with_every_change_and_nothing_else_asks_for_it(
    desk: ServerDesk,
) -> None:
    before = int(desk.redis.get(keys.COMMITS) or 0)
    desk.filled(1)
    assert int(desk.redis.get(keys.COMMITS)) > before
