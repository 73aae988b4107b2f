"""The bound of due times, after which an item is processed whatever its time."""

# Due times are by a wall clock. Nothing is ever postponed by as much as this, so a later due time
# was written before the clock was set back, and would cause a wait of that length.
DUE_AHEAD_MAX_MS = 120_000


def is_ripe(due_ms: int, now_ms: int) -> bool:
    """Whether it is due, or its due time is impossible."""
    return due_ms <= now_ms or due_ms > now_ms + DUE_AHEAD_MAX_MS
