"""Until when something may be put off, at most, before it is looked at whatever its time says."""

# Due times are of a wall clock. Nothing is ever put off by as much as this, so what is due later
# was written before the clock was set back, and would wait for as long as that.
DUE_AHEAD_MAX_MS = 120_000


def is_ripe(due_ms: int, now_ms: int) -> bool:
    """It is due, or due at a time that nobody can have meant."""
    return due_ms <= now_ms or due_ms > now_ms + DUE_AHEAD_MAX_MS
