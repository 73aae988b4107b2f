"""A paper exchange as a real process, and a plain HTTP client for it."""

import hmac
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlencode

import requests

START_S = 20


class Paper:
    """One running exchange. `call` makes public requests, `signed` private ones."""

    def __init__(self, *options, account="paper:paper"):
        self.key, _, self.secret = account.partition(":")
        command = [sys.executable, "-m", "paper_exchange", "--dialect", "binance", "--port", "0"]
        # A file, because nobody reads a pipe while the exchange runs, and a full pipe stops it.
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        self.ready_line = self.process.stdout.readline()
        if "listening on" not in self.ready_line:
            raise AssertionError(self.stop())
        self.url = self.ready_line.rsplit(" ", 1)[1].strip()
        self.http = requests.Session()
        # The proxy settings of whoever runs the tests have no say in a call to loopback.
        self.http.trust_env = False

    def stop(self):
        """End the process and return what it wrote to stderr."""
        self.process.terminate()
        self.process.wait(START_S)
        self.process.stdout.close()
        with self._errors as errors:
            errors.seek(0)
            return errors.read()

    def call(self, method, path, **params):
        return self.http.request(method, self.url + path, params=params, timeout=10)

    def signed(self, method, path, *, key=None, secret=None, **params):
        params.setdefault("timestamp", time.time_ns() // 1_000_000)
        text = urlencode({name: value for name, value in params.items() if value is not None})
        return self.send_signed(method, path, text, key=key, secret=secret)

    def send_signed(self, method, path, text, *, key=None, secret=None):
        """Sign and send exactly this text of parameters."""
        secret = (secret or self.secret).encode()
        signature = hmac.digest(secret, text.encode(), "sha256").hex()
        text = f"{text}&signature={signature}" if text else f"signature={signature}"
        url, body = self.url + path, None
        if method == "POST":
            body = text
        else:
            url += "?" + text
        headers = {"X-MBX-APIKEY": key or self.key}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self.http.request(method, url, data=body, headers=headers, timeout=10)

    def order(self, **params):
        """Place an order; by default a limit buy of 0.01 BTC that rests far below the market."""
        params = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", **params}
        params.setdefault("quantity", "0.01")
        if params["type"] == "LIMIT":
            params.setdefault("timeInForce", "GTC")
            params.setdefault("price", "30000")
        return self.signed("POST", "/api/v3/order", **params)

    def query(self, **params):
        return self.signed("GET", "/api/v3/order", symbol="BTCUSDT", **params)

    def cancel(self, **params):
        return self.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", **params)

    def balances(self):
        rows = self.signed("GET", "/api/v3/account").json()["balances"]
        return {row["asset"]: (row["free"], row["locked"]) for row in rows}

    def ledger(self, **params):
        return self.call("GET", "/paper/ledger", **params).json()

    def fault(self, **fault):
        answer = self.http.post(self.url + "/paper/faults", json=fault, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def faults(self):
        return self.call("GET", "/paper/faults").json()

    def clear_faults(self):
        return self.call("DELETE", "/paper/faults").json()

    def book(self, bids=(), asks=(), symbol="BTCUSDT"):
        book = {"symbol": symbol, "bids": list(bids), "asks": list(asks)}
        answer = self.http.post(self.url + "/paper/book", json=book, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def own_book(self):
        """An outside book that every test can reckon with: 5 BTC at 49900 and at 50100."""
        return self.book([["49900", "5"]], [["50100", "5"]])

    def cancel_all(self):
        for symbol in ("BTCUSDT", "ETHUSDT"):
            self.signed("DELETE", "/api/v3/openOrders", symbol=symbol)
