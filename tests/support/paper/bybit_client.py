"""A paper exchange that speaks Bybit's API, and a plain signing client for it."""

import hmac
import json
import time
from urllib.parse import urlencode

from tests.support.paper.paper_client import Paper


class BybitPaper(Paper):
    """One running exchange. `get` and `post` are signed, `call` is public."""

    def __init__(self, *options):
        super().__init__("--dialect", "bybit", *options)

    def get(self, path, **params):
        return self.send("GET", path, query=urlencode(params)).json()

    def post(self, path, **body):
        return self.send("POST", path, body=json.dumps({"category": "spot", **body})).json()

    def send(self, method, path, query="", body="", **changes):
        """Sign and send exactly this; `changes` are headers to send instead."""
        stamp = changes.get("timestamp") or str(time.time_ns() // 1_000_000)
        window = changes.get("recv_window", "5000")
        key = changes.get("key", self.key)
        signed = (stamp + key + window + (query or body)).encode()
        headers = {
            "X-BAPI-API-KEY": key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": window,
            "X-BAPI-SIGN": hmac.digest(
                changes.get("secret", self.secret).encode(), signed, "sha256"
            ).hex(),
            "Content-Type": "application/json",
        }
        url = self.url + path + ("?" + query if query else "")
        return self.http.request(method, url, data=body or None, headers=headers, timeout=10)

    def create(self, **body):
        """Place an order; by default a limit buy of 0.01 BTC that rests far below the market."""
        body = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", **body}
        if body["orderType"] == "Limit":
            body.setdefault("price", "30000")
        return self.post("/v5/order/create", **body)

    def created(self, **body):
        """Place an order that is meant to be accepted, and return its id."""
        answer = self.create(**body)
        assert answer["retCode"] == 0, answer
        return answer["result"]["orderId"]

    def order(self, order_id, path="/v5/order/realtime"):
        """One order as a read tells it, or None."""
        found = self.get(path, category="spot", orderId=order_id)["result"]["list"]
        return found[0] if found else None

    def cancel_all(self):
        return self.post("/v5/order/cancel-all")
