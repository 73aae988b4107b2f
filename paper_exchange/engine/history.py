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
        size = len(self._items)
        if from_id is None and start_ms is None:
            newest = islice(self._in_time(range(size - 1, -1, -1), None, end_ms), limit)
            return [self._items[index] for index in newest][::-1]
        first = 0 if from_id is None else bisect_left(self._ids, from_id)
        oldest = self._in_time(range(max(first, self._first(start_ms)), size), start_ms, end_ms)
        return [self._items[index] for index in islice(oldest, limit)]

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
        first, size = self._first(start_ms), len(self._items)
        newest = range(min(size if before is None else before, size) - 1, first - 1, -1)
        found: list[Item] = []
        for index in self._in_time(newest, start_ms, end_ms):
            if is_wanted(self._items[index]):
                found.append(self._items[index])
            if len(found) == limit:
                return found, index if index > first else 0
        return found, 0

    def _first(self, start_ms: int | None) -> int:
        """An index before which every item is older."""
        return 0 if start_ms is None else bisect_left(self._peaks, start_ms)

    def _in_time(
        self, indexes: Iterable[int], start_ms: int | None, end_ms: int | None
    ) -> Iterator[int]:
        for index in indexes:
            time_ms = self._times[index]
            is_early = start_ms is not None and time_ms < start_ms
            if not is_early and (end_ms is None or time_ms <= end_ms):
                yield index
