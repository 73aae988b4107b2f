"""What is due, and until when something may be put off before it is looked at whatever its time
says."""

# Due times are by a wall clock. Nothing is ever postponed by as much as this, so a later due time
# was written before the clock was set back, and would cause a wait of that length.
DUE_AHEAD_MAX_MS = 120_000


def is_ripe(due_ms: int, now_ms: int) -> bool:
    """Whether it is due, or its due time is impossible."""
    return due_ms <= now_ms or due_ms > now_ms + DUE_AHEAD_MAX_MS


def take_due(due: dict[str, int], now_ms: int, limit: int, lease_ms: int) -> list[str]:
    """The ids that are due, the earliest first, made due again after the lease."""
    ripe = [name for name, due_ms in due.items() if is_ripe(due_ms, now_ms)]
    taken = sorted(ripe, key=lambda name: (due[name], name))[:limit]
    due.update(dict.fromkeys(taken, now_ms + lease_ms))
    return taken
