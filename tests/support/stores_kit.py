"""Every store that is kept between processes, in memory or on a real server, and a set-up on it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from execution.assembly import assemble_repair
from execution.ledger.archive import Archive, Retention
from execution.model.order import Fill, Order, OrderState, Side
from execution.model.position import fold
from execution.orders.store import Change, Committed
from execution.repair.store import Repair
from execution.store.access.connection import connect
from execution.store.stores import Stores, open_stores
from tests.support.clock import EPOCH, START_MS, FakeClock
from tests.support.fakes import ACCOUNT, Rig
from tests.support.whole_stores import whole_store

KEEP_S, REMEMBER_S = 3_600, 86_400
PARAMS = ["memory", "redis"]
AWAY = "redis://127.0.0.1:1/0"
RIG = Rig()


def stores_of(kind: str, request: Any) -> Stores:
    """The stores, empty, of memory or of the run's own server."""
    if kind == "memory":
        return Rig().stores()
    url = request.getfixturevalue("valkey_url")
    connect(url).flushall()
    return open_stores(url, FakeClock())


def let_elapse(client: Any, ms: int) -> None:
    """Bring every end of a time to live that much closer; the server's clock stays as it is."""
    for key in client.scan_iter():
        left_ms = client.pttl(key)
        if left_ms > ms:
            client.pexpire(key, left_ms - ms)
        elif left_ms >= 0:
            client.delete(key)


def an_order(number: int = 1, **changes: Any) -> Order:
    """The order of signal number so-and-so, one second younger than the one before."""
    now = EPOCH + timedelta(milliseconds=START_MS) + timedelta(seconds=number)
    return replace(RIG.order(signal_id=f"signal-{number}", now=now), **changes)


def an_ended_order(number: int = 1, **changes: Any) -> Order:
    """One that was canceled, and that the exchange knows by an id."""
    state = {"state": OrderState.CANCELED, "exchange_order_id": f"{7_000 + number}"}
    return an_order(number, **{**state, **changes})


def kept(stores: Stores, order: Order, due_ms: int | None = None) -> Order:
    """The order as version 1, in the store."""
    after = replace(order, version=1, revision=f"first of {order.order_id}")
    assert stores.orders.commit(Change(order, after, due_ms)) is Committed.DONE
    return after


def changed(stores: Stores, order: Order, **changes: Any) -> Order:
    """The order after another change, in the store."""
    version = order.version + 1
    after = replace(order, version=version, revision=f"change {version}", **changes)
    assert stores.orders.commit(Change(order, after, None)) is Committed.DONE
    return after


def moved(stores: Stores, order: Order, fills: tuple[Fill, ...]) -> Order:
    """The order after fills that move its position, in the store."""
    before = stores.positions.position(order.account, order.symbol)
    position = replace(fold(before, fills), revision=f"after {fills[-1].trade_id}")
    numbered = tuple(
        replace(each, sequence=before.version + i) for i, each in enumerate(fills, start=1)
    )
    after = replace(order, fills=order.fills + numbered, version=order.version + 1, revision="m")
    change = Change(order, after, None, position, before)
    assert stores.orders.commit(change) is Committed.DONE
    return after


class ServerRig(Rig):
    """The trading core on a real server, with the ledger and the exchange in memory."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.redis: Any = connect(url)
        self.redis.flushall()
        self.connect_anew()

    def connect_anew(self) -> None:
        """What a process that starts now does."""
        stores = open_stores(self.url, self.clock)
        self.parts = stores
        self.store = whole_store(stores)
        self.book, self.valuations = stores.reconciliations, stores.valuations
        retention = Retention(KEEP_S, REMEMBER_S)
        self.archive = Archive(
            stores.archive, stores.valuations, self.ledger, self.clock, retention
        )
        self.repairer, self.rebuilder = assemble_repair(
            stores,
            stores.leases,
            stores.repair,
            self.ledger,
            self.archive,
            self.clock,
            REMEMBER_S,
        )
        self.manager = self.worker()

    def filled(self, number: int = 1, price: str = "99", side: Side = Side.BUY) -> Order:
        """An order of one unit that trades whole at once."""
        self.clock.advance(1)
        self.exchange.fill_next.append([(price, "1")])
        return self.manager.submit(self.order(signal_id=f"signal-{number}", side=side))

    def resting(self, number: int = 1) -> Order:
        self.clock.advance(1)
        return self.manager.submit(self.order(signal_id=f"signal-{number}"))

    def repair(self) -> Repair | None:
        return self.repairer.run([ACCOUNT])

    def looked_over(self) -> "ServerRig":
        """From now on, what is lost shows."""
        self.repair()
        assert self.repair() is None
        return self

    def gone(self, order: Order) -> Order:
        """Let an ended order leave the store."""
        self.archive.run()
        self.clock.advance(KEEP_S * 1_000)
        assert self.archive.run().evicted >= 1
        assert self.store.order(order.order_id) is None
        return order
