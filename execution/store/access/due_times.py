"""What is due, and until when something may be put off before it is looked at whatever its time
says."""

# Due times are of a wall clock. Nothing is ever put off by as much as this, so what is due later
# was written before the clock was set back, and would wait for as long as that.
DUE_AHEAD_MAX_MS = 120_000


def is_ripe(due_ms: int, now_ms: int) -> bool:
    """It is due, or due at a time that nobody can have meant."""
    return due_ms <= now_ms or due_ms > now_ms + DUE_AHEAD_MAX_MS


def take_due(due: dict[str, int], now_ms: int, limit: int, lease_ms: int) -> list[str]:
    """The ids that are due, the earliest first, made due again after the lease."""
    ripe = [name for name, due_ms in due.items() if is_ripe(due_ms, now_ms)]
    taken = sorted(ripe, key=lambda name: (due[name], name))[:limit]
    due.update(dict.fromkeys(taken, now_ms + lease_ms))
    return taken
