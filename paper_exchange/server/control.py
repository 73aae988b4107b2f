"""The /paper/ calls: the ledger, faults, and the outside liquidity."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from urllib.parse import parse_qsl

from paper_exchange.clock import ExchangeClock
from paper_exchange.engine.exchange import Exchange
from paper_exchange.engine.market.liquidity import PriceQty
from paper_exchange.engine.symbols import Symbol
from paper_exchange.faults.fault_book import FaultBook
from paper_exchange.faults.rules import SKEW_MS_MAX, FaultError, read_fault
from paper_exchange.server.dialect import Answer
from paper_exchange.server.json_body import ControlError, decode, encode, read_decimal
from paper_exchange.server.ledger import ledger

PREFIX = "/paper/"
Query = Mapping[str, str]


class Control:
    """Serves the control calls. Nothing here is subject to faults, keys or limits."""

    def __init__(self, exchange: Exchange, faults: FaultBook, clock: ExchangeClock) -> None:
        self._exchange = exchange
        self._faults = faults
        self._clock = clock
        self._routes: dict[tuple[str, str], Callable[[Query, bytes], object]] = {
            ("GET", "ledger"): self._ledger,
            ("GET", "clock"): self._time,
            ("POST", "clock"): self._step_clock,
            ("GET", "faults"): self._list_faults,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "book"): self._set_book,
        }

    def answer(self, method: str, path: str, query: str, body: bytes) -> Answer:
        """Serve a call; a refusal is `{"error": sentence}`."""
        handler = self._routes.get((method, path.removeprefix(PREFIX)))
        if handler is None:
            return Answer(404, encode({"error": f"there is no {method} {path}"}))
        try:
            result = handler(dict(parse_qsl(query, keep_blank_values=True)), body)
        except (ControlError, FaultError) as refusal:
            return Answer(400, encode({"error": str(refusal)}))
        return Answer(200, encode(result))

    def _ledger(self, query: Query, _body: bytes) -> object:
        account = query.get("account")
        if account is not None and account not in self._exchange.accounts:
            raise ControlError(f"account must be one of this exchange's, not {account}")
        since = query.get("since_order_id", "0")
        if not (since.isascii() and since.isdigit() and len(since) <= 18):
            raise ControlError(f"since_order_id must be a whole number, not {since}")
        return ledger(self._exchange, account, int(since))

    def _time(self, _query: Query, _body: bytes) -> object:
        return {
            "now": self._clock.now_ms(),
            "skewMs": self._clock.skew_ms,
            "steppedMs": self._clock.stepped_ms,
        }

    def _step_clock(self, query: Query, body: bytes) -> object:
        """Step the clock permanently; a skew is a fault, and ends with it."""
        sent = decode(body)
        if not isinstance(sent, dict) or sent.keys() != {"step_ms"}:
            raise ControlError('a step of the clock must be {"step_ms": whole number}')
        step_ms = sent["step_ms"]
        is_whole = isinstance(step_ms, int) and not isinstance(step_ms, bool)
        if not is_whole or abs(self._clock.stepped_ms + step_ms) > SKEW_MS_MAX:
            raise ControlError(
                f"step_ms must be a whole number that leaves the clock within {SKEW_MS_MAX} ms of "
                f"the true time, not {step_ms!s}"
            )
        self._clock.stepped_ms += step_ms
        return self._time(query, body)

    def _list_faults(self, _query: Query, _body: bytes) -> object:
        injected = {kind.value: count for kind, count in self._faults.injected.items()}
        return {"faults": self._faults.describe(), "injected": injected}

    def _add_fault(self, _query: Query, body: bytes) -> object:
        fault = self._faults.add(read_fault(decode(body)))
        self._exchange.keep_balance_changes(self._faults.lag_ms_max)
        return fault.describe()

    def _clear_faults(self, query: Query, body: bytes) -> object:
        self._faults.clear()
        self._exchange.keep_balance_changes(0)
        return self._list_faults(query, body)

    def _set_book(self, _query: Query, body: bytes) -> object:
        sent = decode(body)
        if not isinstance(sent, dict):
            raise ControlError("a book must be a JSON object")
        for name in sent:
            if name not in ("symbol", "bids", "asks"):
                raise ControlError(f"{name} is not a field of a book")
        market = self._exchange.markets.get(str(sent.get("symbol")))
        if market is None:
            raise ControlError(f"symbol must be a listed one, not {sent.get('symbol')!s}")
        bids = _read_levels("bids", sent.get("bids", []), market.symbol)
        asks = _read_levels("asks", sent.get("asks", []), market.symbol)
        if bids and asks and max(bids)[0] >= min(asks)[0]:
            raise ControlError(f"bids up to {max(bids)[0]} cross asks from {min(asks)[0]}")
        self._exchange.set_outside(market.symbol.name, bids, asks)
        return {"symbol": market.symbol.name, "bids": len(bids), "asks": len(asks)}


def _read_levels(side: str, sent: object, symbol: Symbol) -> list[PriceQty]:
    if not isinstance(sent, list):
        raise ControlError(f"{side} must be a list of [price, quantity] pairs")
    levels: dict[Decimal, Decimal] = {}
    for pair in sent:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ControlError(f"{side} must be a list of [price, quantity] pairs, not {pair!s}")
        price, qty = read_decimal(f"{side} price", pair[0]), read_decimal(f"{side} qty", pair[1])
        if price > symbol.price_max or price % symbol.tick:
            raise ControlError(f"{side} price {price} is not a multiple of the tick {symbol.tick}")
        if qty > symbol.qty_max or qty % symbol.step:
            raise ControlError(f"{side} qty {qty} is not a multiple of the step {symbol.step}")
        if price in levels:
            raise ControlError(f"{side} price {price} occurs twice")
        levels[price] = qty
    return list(levels.items())
