"""Client order ids for orders whose sender gave none."""

from random import Random
from string import ascii_letters, digits

LENGTH = 22


class ClientIds:
    """Draws ids as long and as odd as Binance's own; a seed draws the same ones again."""

    __slots__ = ("_rng",)

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def draw(self) -> str:
        """A new id."""
        return "".join(self._rng.choices(ascii_letters + digits, k=LENGTH))
