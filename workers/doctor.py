"""Checks an installation: everything that it needs, one finding each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from execution.ports import ExchangeUnavailable, StoreUnavailable
from execution.store.server import server_facts
from execution.together import together
from workers.bootstrap import Services

# What a server must be set to so that a confirmed write is never lost, and why.
WANTED = {
    "appendonly": ("yes", "without an append-only file a restart forgets every order"),
    "appendfsync": ("always", "a power cut loses up to a second of what was confirmed"),
    "maxmemory-policy": ("noeviction", "a full server throws orders away"),
}
UNCERTAINTY_MAX_MS = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing checked. `is_well` is None for what works, and should be better."""

    what: str
    is_well: bool | None
    says: str


def examine(parts: Services) -> Iterator[Finding]:
    """Check Redis, the ledger, halts and every account, one after the other."""
    yield Finding("settings", True, f"accounts: {', '.join(parts.accounts) or 'none'}")
    yield from _redis(parts)
    yield _tried("ledger", lambda: f"identity {parts.ledger.identity()}")
    yield _halts(parts)
    # A dead exchange is waited for while the others answer.
    for found in together(*(partial(_examined, parts, account) for account in parts.accounts)):
        yield from found


def _examined(parts: Services, account: str) -> list[Finding]:
    return list(_account(parts, account))


def _redis(parts: Services) -> Iterator[Finding]:
    try:
        facts = server_facts(parts.settings.redis_url)
    except StoreUnavailable as error:
        yield Finding("redis", False, str(error))
        return
    yield Finding("redis", True, f"version {facts['version']}")
    for name, (wanted, why) in WANTED.items():
        is_well = True if facts[name] == wanted else None
        says = facts[name] or "the server does not say"
        yield Finding(f"redis {name}", is_well, says if is_well else f"{says}: {why}")


def _halts(parts: Services) -> Finding:
    try:
        halts = parts.store.halts()
    except StoreUnavailable as error:
        return Finding("halts", False, str(error))
    says = "; ".join(f"{halt.account or 'every account'}: {halt.reason}" for halt in halts)
    return Finding("halts", None if halts else True, says or "none")


def _account(parts: Services, account: str) -> Iterator[Finding]:
    try:
        exchange = parts.connections.exchange(account)
        offset = exchange.measure_clock()
        held = [asset for asset, amount in exchange.balances().items() if amount]
        may_trade = exchange.may_trade()
    except ExchangeUnavailable as error:
        yield Finding(f"{account}", False, str(error))
        return
    yield Finding(f"{account}", True, f"{exchange.contract.exchange} answers")
    yield Finding(
        f"{account} clock",
        True if offset.uncertainty_ms <= UNCERTAINTY_MAX_MS else None,
        f"{offset.offset_ms} ms ahead of ours, known to within {offset.uncertainty_ms} ms",
    )
    yield Finding(f"{account} key reads", True, f"{len(held)} assets with a balance")
    says = {True: "allowed", False: "not allowed", None: "the exchange does not say"}[may_trade]
    yield Finding(f"{account} key trades", may_trade, says)


def _tried(what: str, question: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, question())
    except StoreUnavailable as error:
        return Finding(what, False, str(error))
