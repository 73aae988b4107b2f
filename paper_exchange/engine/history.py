"""An append-only list with searches by id and by time that do not scan it."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Generic, TypeVar

Item = TypeVar("Item")


class History(Generic[Item]):
    """Items in the order of occurrence, each with an id and a time.

    Ids never decrease. The exchange's clock can be set back, so times may decrease: the search uses
    the running maximum of the times, which never decreases, and then checks each item's own time.
    """

    __slots__ = ("_ids", "_items", "_peaks", "_times")

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._ids: list[int] = []
        self._times: list[int] = []
        self._peaks: list[int] = []

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    @classmethod
    def of(cls, rows: Iterable[tuple[Item, int, int]]) -> "History[Item]":
        """A history of existing items, given in order with their ids and times."""
        history = cls()
        for item, item_id, time_ms in rows:
            history.append(item, item_id, time_ms)
        return history

    def append(self, item: Item, item_id: int, time_ms: int) -> None:
        """Add the newest item."""
        peak = self._peaks[-1] if self._peaks else time_ms
        self._items.append(item)
        self._ids.append(item_id)
        self._times.append(time_ms)
        self._peaks.append(max(peak, time_ms))

    def select(
        self,
        limit: int,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> list[Item]:
        """At most `limit` items within the bounds (inclusive), oldest first.

        With a lower bound (an id or a time) they are the first ones from there, else the newest.
        """
        if from_id is None and start_ms is None:
            newest = list(islice(self._backwards(end_ms), limit))
            newest.reverse()
            return newest
        return list(islice(self._forwards(from_id, start_ms, end_ms), limit))

    def page(
        self,
        limit: int,
        before: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        is_wanted: Callable[[Item], bool] = lambda _: True,
    ) -> tuple[list[Item], int]:
        """At most `limit` matching items within the times (inclusive), newest first.

        The number returned with them is `before` of the next page, 0 after the last page.
        """
        first = 0 if start_ms is None else bisect_left(self._peaks, start_ms)
        found: list[Item] = []
        size = len(self._items)
        for index in range(min(size if before is None else before, size) - 1, first - 1, -1):
            time_ms = self._times[index]
            is_in_time = (start_ms is None or time_ms >= start_ms) and (
                end_ms is None or time_ms <= end_ms
            )
            if is_in_time and is_wanted(self._items[index]):
                found.append(self._items[index])
            if len(found) == limit:
                return found, index if index > first else 0
        return found, 0

    def _backwards(self, end_ms: int | None) -> Iterator[Item]:
        for index in range(len(self._items) - 1, -1, -1):
            if end_ms is None or self._times[index] <= end_ms:
                yield self._items[index]

    def _forwards(
        self, from_id: int | None, start_ms: int | None, end_ms: int | None
    ) -> Iterator[Item]:
        first = 0 if from_id is None else bisect_left(self._ids, from_id)
        if start_ms is not None:
            first = max(first, bisect_left(self._peaks, start_ms))
        for index in range(first, len(self._items)):
            time_ms = self._times[index]
            if start_ms is not None and time_ms < start_ms:
                continue
            if end_ms is None or time_ms <= end_ms:
                yield self._items[index]
