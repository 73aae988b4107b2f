"""ccxt's HTTP door made strict: an answer counts only if it is the JSON that was asked for.

ccxt turns an HTML page, an empty body or `{}` with status 200 into an order whose fields are all
None, and the same into an empty list of trades. Here such an answer raises BadResponse instead, and
every answer's status and code are kept, because a failure is judged by them and not by its class.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ccxt.base.errors import BadResponse

Shape = Callable[[Any], bool]


def record_with(*keys: str) -> Shape:
    """A JSON object that has all of `keys`, none of them null."""
    return lambda answer: (
        isinstance(answer, dict) and all(answer.get(key) is not None for key in keys)
    )


def list_of(shape: Shape) -> Shape:
    """A JSON list, perhaps empty, of nothing but such records."""
    return lambda answer: isinstance(answer, list) and all(shape(item) for item in answer)


class StrictTransport:
    """Mixed in before a ccxt class. Not to be shared between threads, as ccxt's are not.

    `stamp_ms`, while set, is the time that every request is signed with. `sent` says whether a
    request was handed to the HTTP client since `forget()`.
    """

    shapes: ClassVar[Mapping[str, Shape]] = {}
    # ccxt gives every number as this type; from the class on, so that defaults are exact too.
    number = str

    def forget(self, stamp_ms: int | None = None) -> None:
        """Start a new exchange of words: nothing sent, nothing answered."""
        self.stamp_ms = stamp_ms
        self.sent = False
        self.http_status: int | None = None
        self.exchange_code: str | None = None
        self.retry_after_s = 0

    def nonce(self) -> int:
        """The signing time in ms: the journaled stamp where there is one, else ccxt's own."""
        stamp: int | None = self.stamp_ms
        if stamp is not None:
            return stamp
        return int(super().nonce())  # type: ignore[misc]

    def fetch(
        self, url: str, method: str = "GET", headers: object = None, body: object = None
    ) -> Any:
        self.sent = True
        answer = super().fetch(url, method, headers, body)  # type: ignore[misc]
        path = urlsplit(url).path
        shape = next((shape for end, shape in self.shapes.items() if path.endswith(end)), None)
        if shape is None or not shape(answer):
            raise BadResponse(f"{method} {path} answered {str(answer)[:120]!r}, not what was asked")
        return answer

    def handle_errors(
        self,
        code: int,
        reason: str,
        url: str,
        method: str,
        headers: Mapping[str, str],
        body: str,
        response: Any,
        *rest: Any,
    ) -> Any:
        self.http_status = code
        if isinstance(response, dict) and "code" in response:
            self.exchange_code = str(response["code"])
        wait = next((value for key, value in headers.items() if key.lower() == "retry-after"), "")
        self.retry_after_s = int(wait) if wait.isdigit() else 0
        return super().handle_errors(  # type: ignore[misc]
            code, reason, url, method, headers, body, response, *rest
        )
