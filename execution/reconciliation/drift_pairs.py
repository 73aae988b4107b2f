"""Which pairs could explain drift: every one whose trades move an asset that drifts."""

from collections.abc import Collection, Iterable

from execution.model.instrument import assets_of


def pairs_that_explain(
    drifting: Collection[str], listed: Iterable[str], held: Collection[str]
) -> list[str]:
    """Those of the listed symbols that have a drifting asset on either side, the likeliest first:
    both sides drift, then the other side is held, then the rest.

    Both sides of a trade move, and yet one alone may drift: what was bought may be sold again, on
    the same pair or on another one, and only a loss or the fees stay.
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
