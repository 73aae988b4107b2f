"""What goes wrong at the exchange, drawn anew every moment."""

import random
from collections.abc import Mapping
from typing import Any

ORDER = "POST /api/v3/order"
QUERY = "GET /api/v3/order"
CANCEL = "DELETE /api/v3/order"
READS = ("GET /api/v3/openOrders", "GET /api/v3/myTrades", "GET /api/v3/time", QUERY)

# Reads lag, and the exchange's clock jumps, by less than what the contract's margin is there for.
READ_LAG_MS_MAX = 800
SKEW_MS_MAX = 200
GARBAGE = ("html", "empty", "object", "cut")


def draw_faults(dice: random.Random, timeout_s: int, window_ms: int) -> list[Mapping[str, Any]]:
    """A handful of faults of every kind, placements hit hardest."""
    late_ms = dice.choice((200, window_ms - 300, window_ms + 500, timeout_s * 1000 + 500))
    everywhere = dice.choice((ORDER, ORDER, QUERY, CANCEL, *READS))
    return [
        {"kind": "drop_before", "route": ORDER, "probability": "0.04"},
        {"kind": "drop_after", "route": ORDER, "probability": "0.04"},
        {"kind": "delay_before", "route": ORDER, "probability": "0.02", "ms": late_ms},
        {"kind": "delay_after", "route": everywhere, "probability": "0.02", "ms": late_ms},
        {"kind": "status", "route": everywhere, "probability": "0.05",
         "code": dice.choice((500, 502, 503, 504)), "processed": dice.random() < 0.5},
        {"kind": "status", "route": ORDER, "probability": "0.03", "code": 503, "processed": True},
        {"kind": "garbage", "route": ORDER, "probability": "0.04", "form": dice.choice(GARBAGE)},
        {"kind": "garbage", "route": everywhere, "probability": "0.04",
         "form": dice.choice(GARBAGE), "processed": dice.random() < 0.5},
        {"kind": "drop_before", "route": dice.choice(READS), "probability": "0.05"},
        {"kind": "read_lag", "route": "GET *", "probability": "0.5",
         "ms": dice.randint(50, READ_LAG_MS_MAX)},
        {"kind": "rate_limit", "route": ORDER, "probability": "0.01", "count": 1,
         "retry_after_s": 1},
        {"kind": "clock_skew", "ms": dice.randint(-SKEW_MS_MAX, SKEW_MS_MAX)},
    ]  # fmt: skip
