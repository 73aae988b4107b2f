"""The one clock of the world, by which every other one is set, right or wrong."""

from datetime import UTC, datetime, timedelta

START_MS = 1_800_000_000_000
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class VirtualClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms

    def now(self) -> datetime:
        return moment(self.ms)


def moment(ms: int) -> datetime:
    return _BEGINNING + timedelta(milliseconds=ms)
