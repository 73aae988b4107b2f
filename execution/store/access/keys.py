"""Every key that oneorder uses in Redis, and what it holds. Those that producers use too come from
`oneorder.keys`."""

from oneorder.keys import POSITIONS as POSITIONS
from oneorder.keys import REFUSED as REFUSED
from oneorder.keys import SIGNALS as SIGNALS
from oneorder.keys import arbitrage as arbitrage
from oneorder.keys import order as order
from oneorder.keys import position as position

WAITING = "oneorder:signals:waiting"  # hash: entry id to the intent, why and since when it waits
WAITING_DUE = "oneorder:signals:waiting:due"  # sorted set: entry ids by when each is due, in ms
REFUSED_MAX = 10_000
ORDERS = "oneorder:orders"  # sorted set: order ids by creation time in µs
DUE = "oneorder:due"  # sorted set: order ids by when each is due, in ms
POSITION_VERSIONS = "oneorder:position_versions"  # hash: position key to the version it must have
HALTS = "oneorder:halts"  # hash: account, or "*" for all, to reason and time as JSON
ALL = "*"
UNARCHIVED = "oneorder:unarchived"  # sorted set: orders that the ledger does not have as they are
LEAVING = "oneorder:leaving"  # sorted set: settled orders by when they leave, in ms
VERIFIED = "oneorder:mended"  # string: the epoch in which Redis was last found complete
ARBITRAGES = "oneorder:arbitrages"  # sorted set: arbitrage ids by creation time in µs
ARBITRAGES_DUE = "oneorder:arbitrages:due"  # sorted set: ids by when each is due, in ms
CHECKPOINT = "oneorder:checkpoint"  # string: what store and ledger last agreed on, as JSON
COMMITS = "oneorder:commits"  # string: how many commits there were; it only grows
ACCOUNTS = "oneorder:accounts"  # set: every account that ever had a live order
LEDGER = "oneorder:ledger"  # string: the identity of the ledger that everything is written to
RUNS = "oneorder:reconciliations"  # stream: the last 10,000 reconciliations
RUNS_MAX = 10_000
TOTALS = "oneorder:totals"  # set: the keys of all totals hashes
SNAPSHOTS = "oneorder:snapshots"  # stream: the last 20,000 points of the equity series
SNAPSHOTS_MAX = 20_000
SNAPSHOTS_ARCHIVED = "oneorder:snapshots:archived"  # string: the last entry that the ledger has
# A member of every index, which distinguishes a lost index from an empty one.
PRESENT = "-"
TICKS = "oneorder:ticks"  # hash: schedule to the ms of its last run, and its error if any
WORKERS = "oneorder:workers"  # set: the identity of every worker that may be alive
EPOCH = "oneorder:epoch"  # string: the server's run id and since when it is known


def live(account: str) -> str:
    """Set: ids of the account's orders that may still change."""
    return f"oneorder:live:{account}"


def exchange_ids(account: str) -> str:
    """Hash: "symbol exchange-order-id" to order id."""
    return f"oneorder:exchange_ids:{account}"


def hold(account: str) -> str:
    """String with a time to live: while it is there, nothing is sent on the account."""
    return f"oneorder:hold:{account}"


def address_hold(address: str) -> str:
    """String with a time to live: why nothing is sent to the address while it is there."""
    return f"oneorder:address_hold:{address}"


def clocks(account: str) -> str:
    """Hash: host to its offset from the exchange's clock, with the error, as JSON, in ms."""
    return f"oneorder:clocks:{account}"


def clock_field(host: str) -> str:
    """Earlier releases without steady clocks cannot read these, and keep their own."""
    return f"{host} steady"


def cursors(account: str) -> str:
    """Hash: symbol to the last trade id that reconciliation has seen."""
    return f"oneorder:cursors:{account}"


def balances(account: str) -> str:
    """String: the account's balance sheet, as JSON."""
    return f"oneorder:balances:{account}"


def reread(account: str) -> str:
    """String: the trades to be read again, as JSON."""
    return f"oneorder:reread:{account}"


def totals(account: str, quote: str) -> str:
    """Hash: profit, exposure and turnover of all positions in one quote asset."""
    return f"oneorder:totals:{account}:{quote}"


def marks(account: str) -> str:
    """Hash: symbol to "price ms"."""
    return f"oneorder:marks:{account}"


def book(account: str, symbol: str) -> str:
    """String with a time to live: the newest order book, as JSON."""
    return f"oneorder:book:{account}:{symbol}"


def book_health(account: str) -> str:
    """String with a time to live: the health of each of the account's books, as JSON."""
    return f"oneorder:book_health:{account}"


def lease(name: str) -> str:
    """String with a time to live: the owner of the named work."""
    return f"oneorder:lease:{name}"


def probe(name: str) -> str:
    """String with a time to live: written and deleted by `oneorder doctor`."""
    return f"oneorder:probe:{name}"


def worker(identity: str) -> str:
    """String with a time to live: which accounts and versions a live worker takes, as JSON."""
    return f"oneorder:worker:{identity}"


def missing(what: str) -> str:
    """String with a time to live: since when no live worker takes it (an account, a version), in
    ms."""
    return f"oneorder:missing:{what}"
