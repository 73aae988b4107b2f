"""What the archive counts as archived."""

from execution.ledger.archive import Archive, Retention
from execution.store.memory.archive import MemoryArchive
from tests.support.lost_stores import (
    filled,
    whole_rig,
)


class ChangedMeanwhile(MemoryArchive):
    """Every order changes between the list of those that leave and its own turn."""

    def leaving(self, now_ms: int, limit: int) -> list[str]:
        ripe = super().leaving(now_ms, limit)
        self._server.tables.unarchived.update(dict.fromkeys(ripe))
        return ripe


def test_an_archive_run_counts_only_orders_that_left() -> None:
    rig = whole_rig()
    order = filled(rig)
    store = ChangedMeanwhile(rig.store, rig.clock)
    archive = Archive(store, rig.valuations, rig.ledger, rig.clock, Retention(keep_s=0))
    assert archive.run().evicted == 0
    assert rig.stored(order) == order
