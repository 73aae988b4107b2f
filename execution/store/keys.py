"""Every key that oneorder uses in Redis, and what lies there."""

SIGNALS = "oneorder:signals"  # stream: intents that no record stands for yet
REFUSED = "oneorder:signals:refused"  # stream, bounded: intents that could not become orders
REFUSED_MAX = 10_000
ORDERS = "oneorder:orders"  # sorted set: order ids by creation time in µs
DUE = "oneorder:due"  # sorted set: order ids by when the sweep shall look, in ms
POSITIONS = "oneorder:positions"  # set: the keys of all position hashes


EPOCH = "oneorder:epoch"  # string: the server's run id and since when it is known


def order(order_id: str) -> str:
    """Hash: version, state, account, symbol, and the whole order as JSON in doc."""
    return f"oneorder:order:{order_id}"


def position(account: str, symbol: str) -> str:
    """Hash: one position, every number a decimal string."""
    return f"oneorder:position:{account}:{symbol}"


def live(account: str) -> str:
    """Set: ids of the account's orders that may still change."""
    return f"oneorder:live:{account}"


def exchange_ids(account: str) -> str:
    """Hash: "symbol exchange-order-id" to order id."""
    return f"oneorder:exchange_ids:{account}"


def hold(account: str) -> str:
    """String with a time to live: while it is there, nothing is sent on the account."""
    return f"oneorder:hold:{account}"


def clocks(account: str) -> str:
    """Hash: our host to its offset from the exchange's clock, with its error, as JSON, in ms."""
    return f"oneorder:clocks:{account}"


def cursors(account: str) -> str:
    """Hash: symbol to the last trade id that reconciliation has seen."""
    return f"oneorder:cursors:{account}"


def marks(account: str) -> str:
    """Hash: symbol to "price ms"."""
    return f"oneorder:marks:{account}"


def lease(name: str) -> str:
    """String with a time to live: its owner alone does the named work."""
    return f"oneorder:lease:{name}"
