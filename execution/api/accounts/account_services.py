"""What an account's connections offer to each adapter of it: clocks and markets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from execution.exchanges.address_holds import address_of


@dataclass(frozen=True, slots=True)
class AccountServices:
    """`clock_refused` is called when the exchange blames our time, and says whether it will be
    measured again. `markets_since` gives a client with the markets as of then or later, in ms on
    our clock."""

    clock_refused: Callable[[], bool] = lambda: False
    markets_since: Callable[[int], Any] | None = None


# For an adapter that is used by itself.
ALONE = AccountServices()


def addresses_of_client(client: Any) -> list[str]:
    """Every address that requests of a client of ccxt may go to, sorted."""
    waiting, found = [client.urls["api"]], set()
    while waiting:
        urls = waiting.pop()
        if isinstance(urls, dict):
            waiting += urls.values()
        elif isinstance(urls, str):
            found.add(address_of(client.implode_hostname(urls)))
    return sorted(found)


def placement_address(client: Any) -> str:
    """Where a client of ccxt sends placements: its address for private requests."""
    urls = client.urls["api"]
    while isinstance(urls, dict):
        named = [urls[key] for key in ("private", "rest", "v3", "trade") if key in urls]
        urls = (named or list(urls.values()))[0]
    return address_of(client.implode_hostname(urls))
