"""ccxt's HTTP layer made strict: an answer counts only if it is JSON of the expected shape.

ccxt turns an HTML page, an empty body or `{}` with status 200 into an order whose fields are all
None, and the same into an empty list of trades. Here such an answer raises BadResponse instead, and
every answer's status and code are kept, because a failure is judged by them and not by its class.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ccxt.base.errors import BadResponse, BaseError

from execution.api.http.deadline_session import DeadlineSession
from execution.api.http.line import Line
from execution.api.http.request_limits import ReadsAnswers
from execution.api.strict.causes import is_unreachable
from execution.exchanges.account import Account

Shape = Callable[[Any], bool]


def record_with(*keys: str) -> Shape:
    """A JSON object that has all of `keys`, none of them null."""
    return lambda answer: (
        isinstance(answer, dict) and all(answer.get(key) is not None for key in keys)
    )


def is_text(answer: Any) -> bool:
    """A string that is not empty."""
    return isinstance(answer, str) and bool(answer)


def list_of(shape: Shape) -> Shape:
    """A JSON list, perhaps empty, with only such records."""
    return lambda answer: isinstance(answer, list) and all(shape(item) for item in answer)


def map_of(shape: Shape) -> Shape:
    """A JSON object, perhaps empty, with only such records as values."""
    return lambda answer: (
        isinstance(answer, dict) and all(shape(value) for value in answer.values())
    )


def some(shape: Shape) -> Shape:
    """Such a list or object, and not an empty one."""
    return lambda answer: bool(shape(answer) and answer)


def within(key: str, shape: Shape) -> Shape:
    """A JSON object whose field `key` has that shape."""
    return lambda answer: isinstance(answer, dict) and shape(answer.get(key))


def exact_json(text: str) -> Any:
    """Fractions keep the digits as sent, and NaN is no JSON."""
    return json.loads(text, parse_float=str, parse_constant=_refuse)


class StrictTransport(ReadsAnswers):
    """Mixed in before a ccxt class. Not to be shared between threads, as ccxt's are not.

    `stamp_ms`, while set, is the time that every request is signed with. `sent` says whether a
    request was passed to the HTTP client since `forget()`. `line`, if there is one, controls
    whether and when the exchange may be called, and is notified of the results. `shapes` are by the
    end of the path, after the method and a space if one path serves several methods.
    """

    shapes: ClassVar[Mapping[str, Shape]] = {}
    # Options of ccxt that its class is made with.
    client_options: ClassVar[Mapping[str, Any]] = {}
    line: Line | None = None
    # ccxt returns every number as this type; set on the class, so that defaults are exact too.
    number = str

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)  # type: ignore[call-arg]
        self.session = DeadlineSession()
        # The time is being requested, and cannot depend on itself.
        self.is_measuring = False
        self.forget()

    def forget(self, stamp_ms: int | None = None) -> None:
        """Reset the per-request state."""
        self.stamp_ms = stamp_ms
        self.sent = False
        self.http_status: int | None = None
        self.exchange_code: str | None = None
        self.retry_after_s = 0

    def nonce(self) -> int:
        """The signing time in ms: the journaled stamp if there is one, else the exchange's time by
        the last measurement, else ccxt's own."""
        stamp: int | None = self.stamp_ms
        if stamp is not None:
            return stamp
        if self.line is None or self.is_measuring:
            return int(super().nonce())  # type: ignore[misc]
        return self.line.exchange_ms()

    def fetch(
        self, url: str, method: str = "GET", headers: object = None, body: object = None
    ) -> Any:
        if self.line is not None:
            self.line.begin(url, is_placement=self.stamp_ms is not None)
        self.sent = True
        answer = self._heard(url, method, headers, body)
        path = urlsplit(url).path
        shape = self._shape_of(method, path)
        if shape is None or not shape(answer):
            raise BadResponse(f"{method} {path} answered {str(answer)[:120]!r}, not what was asked")
        return answer

    def _heard(self, url: str, method: str, headers: object, body: object) -> Any:
        """Make the request, and record in the circuit whether there was an answer at all."""
        self.http_status, self.exchange_code, self.retry_after_s = None, None, 0
        try:
            answer = super().fetch(url, method, headers, body)  # type: ignore[misc]
        except BaseError as error:
            if self.line is not None and self.http_status is not None:
                self.line.circuit.answered()
            elif self.line is not None and is_unreachable(error):
                self.line.circuit.failed(type(error).__name__)
            raise
        if self.line is not None:
            self.line.circuit.answered()
        return answer

    def _shape_of(self, method: str, path: str) -> Shape | None:
        for key, shape in self.shapes.items():
            only, _, end = key.rpartition(" ")
            if only in ("", method) and path.endswith(end):
                return shape
        return None

    on_json_response = staticmethod(exact_json)

    def parse_order_book_bid_ask(
        self, level: Any, price_key: Any = 0, amount_key: Any = 1, _: Any = 2
    ) -> list[str]:
        """One level of a book, exact; ccxt's own parser uses floats."""
        return [str(level[price_key]), str(level[amount_key])]

    def code_of(self, answer: Mapping[str, Any]) -> str | None:
        """The exchange's own code in an answer, None if it has none."""
        return str(answer["code"]) if "code" in answer else None

    def read_answer(
        self, code: int, url: str, headers: Mapping[str, str], body: str, response: Any
    ) -> None:
        self.http_status = code
        if isinstance(response, dict):
            self.exchange_code = self.code_of(response)
        wait = self.wait_asked(code, self.exchange_code, headers, body)
        self.retry_after_s = 0 if wait is None else wait.seconds
        if wait is not None and wait.is_of_address and self.line is not None:
            self.line.asked_to_wait(url, wait.seconds, code, self.exchange_code)


def strict_client(kind: Any, account: Account) -> Any:
    """Make a client of a strict class for the account, without loading markets.

    The account's `base_url` replaces every address that ccxt knows for its API.
    """
    client = kind(
        {
            "apiKey": account.api_key,
            "secret": account.api_secret,
            "password": account.api_password,
            "timeout": account.timeout_s * 1000,
            # Only the order manager retries; a client that does would double orders.
            "enableRateLimit": False,
            "options": {"maxRetriesOnFailure": 0, "defaultType": "spot", **kind.client_options},
        }
    )
    # It would only add the names of coins, and ccxt computes with their precisions as floats.
    client.has["fetchCurrencies"] = False
    if account.base_url is not None:
        client.urls["api"] = moved(client.urls["api"], account.base_url.rstrip("/"))
    return client


def moved(urls: Any, base_url: str) -> Any:
    """The addresses at another scheme, host and port; for a stream http becomes ws, https wss."""
    if isinstance(urls, dict):
        return {name: moved(url, base_url) for name, url in urls.items()}
    parts = urlsplit(urls)
    is_stream = parts.scheme in ("ws", "wss")
    return (base_url.replace("http", "ws", 1) if is_stream else base_url) + parts.path


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
