"""What each adapter of an account gets from its connections: clocks and markets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from execution.exchanges.address_holds import address_of


@dataclass(frozen=True, slots=True)
class AccountServices:
    """`clock_refused` is called when the exchange refuses our timestamp, and returns whether the
    clock will be measured again. `markets_since` returns a client with the markets as of that time
    or later, in ms on our clock."""

    clock_refused: Callable[[], bool] = lambda: False
    markets_since: Callable[[int], Any] | None = None


# For an adapter that is used without connections.
ALONE = AccountServices()


def addresses_of_client(client: Any) -> list[str]:
    """Every address to which a ccxt client may send requests, sorted."""
    waiting, addresses = [client.urls["api"]], set()
    while waiting:
        urls = waiting.pop()
        if isinstance(urls, dict):
            waiting += urls.values()
        elif isinstance(urls, str):
            addresses.add(address_of(client.implode_hostname(urls)))
    return sorted(addresses)


def placement_address(client: Any) -> str:
    """The address to which a ccxt client sends placements: that of private requests."""
    urls = client.urls["api"]
    while isinstance(urls, dict):
        named = [urls[key] for key in ("private", "rest", "v3", "trade") if key in urls]
        urls = (named or list(urls.values()))[0]
    return address_of(client.implode_hostname(urls))
