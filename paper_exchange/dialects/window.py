"""The time window in which a signed request may be carried out."""

from dataclasses import dataclass

AHEAD_MS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Window:
    """When a signed request is valid, on the exchange's clock."""

    timestamp_ms: int
    recv_window_ms: int

    def is_early(self, now_ms: int) -> bool:
        """Whether it was signed a second or more ahead of the exchange's time."""
        return self.timestamp_ms >= now_ms + AHEAD_MS_MAX

    def is_late(self, now_ms: int) -> bool:
        """Whether its window has passed."""
        return now_ms - self.timestamp_ms > self.recv_window_ms
