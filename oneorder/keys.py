"""The keys in Redis that producers and workers both use. Those of the workers alone are in
`execution.store.access.keys`."""

SIGNALS = "oneorder:signals"  # stream: intents without a record yet
REFUSED = "oneorder:signals:refused"  # stream: the last 10,000 refused signals
POSITIONS = "oneorder:positions"  # set: the keys of all positions


def order(order_id: str) -> str:
    """Hash: version, revision, state, account, symbol, and the whole order as JSON in doc."""
    return f"oneorder:order:{order_id}"


def arbitrage(arbitrage_id: str) -> str:
    """Hash: version, revision, state, and the whole arbitrage as JSON in doc."""
    return f"oneorder:arbitrage:{arbitrage_id}"


def position(account: str, symbol: str) -> str:
    """Hash: one position, every number a decimal string."""
    return f"oneorder:position:{account}:{symbol}"
