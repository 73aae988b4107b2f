"""Checks of Redis: that it can be written to, and that it keeps what it confirms."""

from collections.abc import Iterator

from execution.model.errors import StoreUnavailable
from execution.operations.health import HealthStore, ServerFacts
from workers.doctor.findings import Finding, fail, ok, warn

# The server's settings under which a confirmed write is never lost, with the reasons.
WANTED = {
    "appendonly": ("yes", "without an append-only file a restart forgets every order"),
    "appendfsync": ("always", "a power cut loses up to a second of what was confirmed"),
    "maxmemory-policy": ("noeviction", "a full server deletes orders"),
}
# Above this share of its limit, a server soon refuses writes.
MEMORY_PERCENT_MAX = 90
MIB = 1024 * 1024


def check_redis(health: HealthStore) -> Iterator[Finding]:
    """The server, a write to it, its memory and its settings."""
    facts = health.server()
    yield ok("redis", f"version {facts.version}")
    if not facts.is_master:
        yield fail(
            "redis role",
            f"it is a read-only replica of {facts.master}",
            "let redis_url name the master",
        )
    yield _write(health)
    yield _memory(facts)
    if facts.is_append_failing:
        yield fail(
            "redis append-only file",
            "the last write to it failed; confirmed writes may be lost from now on",
            "make room on the server's disk",
        )
    for name, (wanted, why) in WANTED.items():
        value = facts.settings.get(name, "")
        if value == wanted:
            yield ok(f"redis {name}", value)
        else:
            shown = value or "the server does not say"
            yield warn(f"redis {name}", f"{shown}: {why}", f"CONFIG SET {name} {wanted}")


def _write(health: HealthStore) -> Finding:
    try:
        health.probe()
    except StoreUnavailable as error:
        text = str(error)
        if "OOM" in text or "OutOfMemory" in text:
            help_text = "raise maxmemory, or free memory; nothing can be published until then"
        elif "MISCONF" in text:
            help_text = "make room on the server's disk"
        elif "READONLY" in text or "ReadOnly" in text:
            help_text = "let redis_url name the master"
        else:
            help_text = ""
        return fail("redis write", text, help_text)
    return ok("redis write", "written, read back and removed")


def _memory(facts: ServerFacts) -> Finding:
    used = f"{facts.memory_used // MIB} MiB used"
    if facts.memory_max == 0:
        return ok("redis memory", f"{used}, no limit")
    percent = 100 * facts.memory_used // facts.memory_max
    detail = f"{used} of {facts.memory_max // MIB} MiB, {percent} %"
    if percent > MEMORY_PERCENT_MAX:
        return warn("redis memory", detail, "raise maxmemory; a full server refuses every signal")
    return ok("redis memory", detail)
