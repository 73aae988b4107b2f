"""Accounts: balances, amounts locked for open orders, and orders."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from string import ascii_letters, digits

from paper_exchange.engine.errors import BalanceError
from paper_exchange.engine.history import History
from paper_exchange.engine.orders import ZERO, Fill, Order

# Some exchanges list this many ended orders along with the open ones.
RECENTLY_ENDED = 500


@dataclass(slots=True)
class Balance:
    """The balance of one asset: free, and locked by open orders."""

    free: Decimal = ZERO
    locked: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class BalanceChange:
    """One movement of one balance, kept only while a fault makes reads lag."""

    time_ms: int
    asset: str
    free: Decimal
    locked: Decimal


class Account:
    """One account, named by its API key."""

    def __init__(self, name: str, start: Mapping[str, Decimal], now_ms: Callable[[], int]) -> None:
        self.name = name
        self.balances = {asset: Balance(free=amount) for asset, amount in start.items()}
        self.open_orders: dict[int, Order] = {}
        self.open_by_client_id: dict[str, Order] = {}
        # The latest order of each client id, which may be used again once its order has ended.
        self.latest_by_client_id: dict[tuple[str, str], Order] = {}
        self.recently_ended: deque[Order] = deque(maxlen=RECENTLY_ENDED)
        self.orders: dict[str, History[Order]] = {}
        self.fills: dict[str, History[Fill]] = {}
        self.updated_ms = now_ms()
        self._now_ms = now_ms
        self._changes: deque[BalanceChange] = deque()
        self._keep_ms = 0

    def balance(self, asset: str) -> Balance:
        """The account's balance of one asset; a new, empty one if it never had any."""
        found = self.balances.get(asset)
        if found is None:
            found = self.balances[asset] = Balance()
        return found

    def order_called(self, client_id: str, symbols: Iterable[str]) -> Order | None:
        """The latest order with a client id in any of these symbols."""
        found = (self.latest_by_client_id.get((symbol, client_id)) for symbol in symbols)
        return next((order for order in found if order is not None), None)

    def hold(self, asset: str, amount: Decimal) -> None:
        """Lock part of the free balance; BalanceError if there is not enough of it."""
        if amount > self.balance(asset).free:
            raise BalanceError(asset)
        self.move(asset, -amount, amount)

    def move(self, asset: str, free: Decimal, locked: Decimal) -> None:
        """Add signed amounts to both parts of a balance."""
        balance = self.balance(asset)
        balance.free += free
        balance.locked += locked
        if self._keep_ms:
            self._note(BalanceChange(self._now_ms(), asset, free, locked))

    def keep_changes(self, ms: int) -> None:
        """From now on keep movements for this time; 0 discards them and stops."""
        self._keep_ms = ms
        if not ms:
            self._changes.clear()

    def balances_before(self, time_ms: int) -> dict[str, Balance]:
        """The balances at a time, without the later movements."""
        past = {name: Balance(b.free, b.locked) for name, b in self.balances.items()}
        for change in self._changes:
            if change.time_ms > time_ms:
                past[change.asset].free -= change.free
                past[change.asset].locked -= change.locked
        return past

    def _note(self, change: BalanceChange) -> None:
        self._changes.append(change)
        while self._changes[0].time_ms < change.time_ms - self._keep_ms:
            self._changes.popleft()


CLIENT_ID_LENGTH = 22


class ClientIds:
    """Draws ids in the format of Binance's own; the same seed draws the same ids."""

    __slots__ = ("_rng",)

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def draw(self) -> str:
        """A new id."""
        return "".join(self._rng.choices(ascii_letters + digits, k=CLIENT_ID_LENGTH))
