"""What goes wrong at the exchange, drawn anew every moment."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Routes:
    """What a dialect calls the requests that can go wrong. `reads` may be hit, too. `no_money` is
    the status and the body with which it rejects an order."""

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
    ),
    no_money=(200, {"retCode": 170131, "retMsg": "Insufficient balance.", "result": {}, "time": 0}),
)
# What else is read before an arbitrage's orders are sent.
BOOKS = {
    "binance": ("GET /api/v3/depth", "GET /api/v3/account"),
    "bybit": ("GET /v5/market/orderbook", "GET /v5/account/wallet-balance"),
}

# Reads lag, and the exchange's clock jumps, by less than what the contract's margin is there for.
READ_LAG_MS_MAX = 800
SKEW_MS_MAX = 200
GARBAGE = ("html", "empty", "object", "cut")


def draw_faults(
    dice: random.Random, routes: Routes, timeout_s: int, window_ms: int
) -> list[Mapping[str, Any]]:
    """A handful of faults of every kind, placements hit hardest."""
    order = routes.order
    late_ms = dice.choice((200, window_ms - 300, window_ms + 500, timeout_s * 1000 + 500))
    everywhere = dice.choice((order, order, routes.query, routes.cancel, *routes.reads))
    return [
        {"kind": "drop_before", "route": order, "probability": "0.04"},
        {"kind": "drop_after", "route": order, "probability": "0.04"},
        {"kind": "delay_before", "route": order, "probability": "0.02", "ms": late_ms},
        {"kind": "delay_after", "route": everywhere, "probability": "0.02", "ms": late_ms},
        {"kind": "status", "route": everywhere, "probability": "0.05",
         "code": dice.choice((500, 502, 503, 504)), "processed": dice.random() < 0.5},
        {"kind": "status", "route": order, "probability": "0.03", "code": 503, "processed": True},
        {"kind": "garbage", "route": order, "probability": "0.04", "form": dice.choice(GARBAGE)},
        {"kind": "garbage", "route": everywhere, "probability": "0.04",
         "form": dice.choice(GARBAGE), "processed": dice.random() < 0.5},
        {"kind": "drop_before", "route": dice.choice(routes.reads), "probability": "0.05"},
        {"kind": "read_lag", "route": "GET *", "probability": "0.5",
         "ms": dice.randint(50, READ_LAG_MS_MAX)},
        {"kind": "rate_limit", "route": order, "probability": "0.01", "count": 1,
         "retry_after_s": 1},
        {"kind": "clock_skew", "ms": dice.randint(-SKEW_MS_MAX, SKEW_MS_MAX)},
    ]  # fmt: skip


def draw_leg_faults(
    dice: random.Random, routes: Routes, timeout_s: int, window_ms: int
) -> list[Mapping[str, Any]]:
    """The same, and what sets two legs apart: one comes late to a price that has moved meanwhile,
    or is rejected."""
    late_ms = dice.randint(100, window_ms // 2)
    code, body = routes.no_money
    return [
        *draw_faults(dice, routes, timeout_s, window_ms),
        {"kind": "delay_before", "route": routes.order, "probability": "0.2", "ms": late_ms},
        {"kind": "status", "route": routes.order, "probability": "0.06", "code": code,
         "body": body},
    ]  # fmt: skip
