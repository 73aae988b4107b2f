"""What one exchange says, in its own words, for the tests to put into its place.

Shapes are from the exchanges' documents; numbers and ids are made up. A kit knows nothing of what
an answer means.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from execution.api.other_exchange_api import ADAPTERS
from execution.api.strict.ccxt_exchange import CcxtExchange
from execution.exchanges.account import Account
from execution.exchanges.registry import GUARANTEES, client_order_id_of
from execution.model.order import Order
from tests.support.api.canned_server import Request
from tests.support.clock import FakeClock
from tests.support.fakes import Rig

DATA = Path(__file__).parents[2] / "contract" / "data"
SECRET = b64encode(b"a secret of an account").decode()
ORDER_ID = "O-28"


def order_for(exchange: str, **changes: Any) -> Order:
    """A limit buy of 1 BTC at 100, under the client order id that the exchange wants."""
    order = Rig().order(**changes)
    return replace(order, client_order_id=client_order_id_of(order.order_id, exchange))


def standing(exchange: str, **changes: Any) -> Order:
    return replace(order_for(exchange, **changes), exchange_order_id=ORDER_ID)


def iso(ms: int) -> str:
    return f"2027-01-15T08:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}Z"


@dataclass(frozen=True)
class Told:
    """An order as an exchange tells it: `word` is its own for how the order stands."""

    client_order_id: str
    word: str
    filled: str = "0"
    order_id: str = ORDER_ID


@dataclass(frozen=True)
class Trade:
    """A buy of 0.001 BTC at 100, for a fee of 0.0001 USDT."""

    number: int
    time_ms: int
    order_id: str = ORDER_ID


class Kit:
    """One exchange. Routes are those of canned_server."""

    name: str
    markets: str
    new_order: str
    cancel_order: str
    balances: str
    book: str
    lookups: tuple[str, ...]
    # Which codes of a cancel say that nothing is left to cancel, with their HTTP status.
    gone: tuple[tuple[int, str], ...]
    # The exchange's words for how an order stands, and ours; the third is the part filled.
    words: tuple[tuple[str, str, str], ...]
    clock_step_ms = 1
    secret = SECRET

    def client(self, url: str) -> Any:
        account = Account("main", self.name, "the-key", self.secret, "the-password", url)
        return ADAPTERS[self.name].client(account)

    def exchange(self, url: str, markets_of: Any) -> CcxtExchange:
        client = self.client(url)
        client.set_markets_from_exchange(markets_of)
        return ADAPTERS[self.name].adapter(client, GUARANTEES[self.name], FakeClock())

    def at_start(self) -> dict[str, Any]:
        """The answers without which no client starts."""
        return {self.markets: (DATA / f"{self.name}_markets.json").read_text()}

    def accepted(self, client_order_id: str) -> Any:
        raise NotImplementedError

    def refused(self, code: str, message: str) -> Any:
        raise NotImplementedError

    def canceled(self) -> Any:
        raise NotImplementedError

    def cannot_cancel(self, code: str) -> Any:
        return self.refused(code, "")

    def finds(self, orders: Iterable[Told]) -> dict[str, Any]:
        """Answers to a lookup; to none of them where nothing is there."""
        raise NotImplementedError

    def opens(self, orders: list[Told]) -> dict[str, Any]:
        raise NotImplementedError

    def trades(self, trades: list[Trade]) -> dict[str, Any]:
        """Answers to every question about trades, the newest of which come first."""
        raise NotImplementedError


def paged(rows: list[Any], size: int, at: Callable[[Request], int]) -> Callable[..., Any]:
    """The page that begins at row `at(request)`, and where the next one begins, if anywhere."""

    def page(request: Request) -> tuple[list[Any], int | None]:
        start = at(request)
        end = start + size
        return rows[start:end], end if end < len(rows) else None

    return page
