"""What a Redis server says of itself, for whoever checks an installation."""

from typing import Any

from execution.store.connection import connect, guarded

_SETTINGS = ("appendonly", "appendfsync", "maxmemory-policy")


@guarded
def server_facts(url: str) -> dict[str, str]:
    """Its version and the settings that decide what it can lose; empty ones where it will not say.

    Raises StoreUnavailable.
    """
    client: Any = connect(url)
    info = client.info("server")
    facts = {"version": str(info.get("valkey_version") or info["redis_version"])}
    for name in _SETTINGS:
        facts[name] = client.config_get(name).get(name, "")
    return facts
