"""Random faults of the requests to an exchange, drawn again at short intervals."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Fault = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes of a dialect that faults apply to; `reads` are affected, too. `no_money` is the
    status and body of an order's rejection."""

    order: str
    query: str
    cancel: str
    reads: tuple[str, ...]
    no_money: tuple[int, Mapping[str, Any]]


BINANCE = Routes(
    order="POST /api/v3/order",
    query="GET /api/v3/order",
    cancel="DELETE /api/v3/order",
    reads=(
        "GET /api/v3/openOrders",
        "GET /api/v3/myTrades",
        "GET /api/v3/time",
        "GET /api/v3/order",
        "GET /api/v3/depth",
        "GET /api/v3/account",
    ),
    no_money=(400, {"code": -2010, "msg": "Account has insufficient balance."}),
)
BYBIT = Routes(
    order="POST /v5/order/create",
    query="GET /v5/order/realtime",
    cancel="POST /v5/order/cancel",
    reads=(
        "GET /v5/order/history",
        "GET /v5/execution/list",
        "GET /v5/market/time",
        "GET /v5/order/realtime",
        "GET /v5/market/orderbook",
        "GET /v5/account/wallet-balance",
    ),
    no_money=(200, {"retCode": 170131, "retMsg": "Insufficient balance.", "result": {}, "time": 0}),
)

# The lag of reads, and the jumps of the exchange's clock, are within the margin for them.
READ_LAG_MS_MAX = 800
SKEW_MS_MAX = 200
GARBAGE = ("html", "empty", "object", "cut")


Draw = Callable[[random.Random, Routes], Sequence[Fault]]


class Controls(Protocol):
    """The part of a local stack used here: the control calls of its exchanges."""

    @property
    def dialects(self) -> Mapping[str, str]: ...

    def paper(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        account: str | None = None,
    ) -> Any: ...


class RequestFaults:
    """Sets the faults of every exchange; `draw` draws those of one, by its routes."""

    def __init__(
        self, stack: Controls, dice: random.Random, routes: Mapping[str, Routes], draw: Draw
    ) -> None:
        self._stack = stack
        self._dice = dice
        self._routes = routes
        self._draw = draw

    @property
    def counts(self) -> Counter[str]:
        """How often each kind of fault has occurred."""
        counts: Counter[str] = Counter()
        for account in self._routes:
            injected = self._stack.paper("GET", "/paper/faults", account=account)["injected"]
            counts.update({f"HTTP {kind}": times for kind, times in injected.items()})
        return counts

    def change(self) -> None:
        """Replace the faults by newly drawn ones."""
        self.clear()
        for account, routes in self._routes.items():
            for fault in self._draw(self._dice, routes):
                self._stack.paper("POST", "/paper/faults", fault, account=account)

    def clear(self) -> None:
        """Remove all faults."""
        for account in self._routes:
            self._stack.paper("DELETE", "/paper/faults", account=account)


def draw_faults(dice: random.Random, routes: Routes, timeout_s: int, window_ms: int) -> list[Fault]:
    """Some faults of every kind, most of them for placements.

    The last two separate the legs of an arbitrage: one arrives late at a price that has moved, or
    is rejected.
    """
    order = routes.order
    late_ms = dice.choice((200, window_ms - 300, window_ms + 500, timeout_s * 1000 + 500))
    everywhere = dice.choice((order, order, routes.query, routes.cancel, *routes.reads))
    code, body = routes.no_money

    def fault(kind: str, route: str, probability: str, **more: Any) -> Fault:
        return {"kind": kind, "route": route, "probability": probability, **more}

    return [
        fault("drop_before", order, "0.04"),
        fault("drop_after", order, "0.04"),
        fault("delay_before", order, "0.02", ms=late_ms),
        fault("delay_after", everywhere, "0.02", ms=late_ms),
        fault(
            "status",
            everywhere,
            "0.05",
            code=dice.choice((500, 502, 503, 504)),
            processed=dice.random() < 0.5,
        ),
        fault("status", order, "0.03", code=503, processed=True),
        fault("garbage", order, "0.04", form=dice.choice(GARBAGE)),
        fault(
            "garbage",
            everywhere,
            "0.04",
            form=dice.choice(GARBAGE),
            processed=dice.random() < 0.5,
        ),
        fault("drop_before", dice.choice(routes.reads), "0.05"),
        fault("read_lag", "GET *", "0.5", ms=dice.randint(50, READ_LAG_MS_MAX)),
        fault("rate_limit", order, "0.01", count=1, retry_after_s=1),
        {"kind": "clock_skew", "ms": dice.randint(-SKEW_MS_MAX, SKEW_MS_MAX)},
        fault("delay_before", order, "0.2", ms=dice.randint(100, window_ms // 2)),
        fault("status", order, "0.06", code=code, body=body),
    ]
