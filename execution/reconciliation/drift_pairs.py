"""The pairs that could explain drift: those whose trades change a drifting asset."""

from collections.abc import Collection, Iterable

from execution.model.instrument import assets_of


def pairs_that_explain(
    drifting: Collection[str], listed: Iterable[str], held: Collection[str]
) -> list[str]:
    """The listed symbols with a drifting asset on either side, the most likely first: both sides
    drift, then the other side is held, then the rest.

    A trade changes both sides, and yet only one may drift: what was bought may be sold again, on
    the same or another pair, so that only a loss or the fees remain.
    """
    if not drifting:
        return []

    def unlikeliness(symbol: str) -> tuple[int, str]:
        base, quote = assets_of(symbol)
        others = [asset for asset in (base, quote) if asset not in drifting]
        if not others:
            return 0, symbol
        return 1 if others[0] in held else 2, symbol

    touched = (symbol for symbol in set(listed) if {*assets_of(symbol)} & {*drifting})
    return sorted(touched, key=unlikeliness)
