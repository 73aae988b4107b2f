"""Checks symbols, and suggests corrections.

A symbol is a name in the account's markets, as in ccxt: BASE/QUOTE. Assets may be named in any
script.
"""

PART_MAX = 32
# Suffixes of names without a slash, the longest first.
_QUOTES = (
    "FDUSD",
    "USDT",
    "USDC",
    "TUSD",
    "USD",
    "EUR",
    "GBP",
    "KRW",
    "JPY",
    "TRY",
    "BRL",
    "AUD",
    "BTC",
    "ETH",
    "BNB",
    "DAI",
)
_SEPARATORS = "-_ "


def checked_symbol(symbol: str) -> str:
    """Check and return the symbol. Raises ValueError, with a suggestion, for an invalid one."""
    base, slash, quote = symbol.partition("/")
    if slash and ":" in quote and _is_asset(base):
        raise ValueError("is a future: futures are not supported yet")
    if not slash or not _is_asset(base) or not _is_asset(quote):
        raise ValueError(f"is not a symbol: write {_guess(symbol) or 'BASE/QUOTE'}")
    if quote != quote.upper() or (base == base.lower() and base != base.upper()):
        raise ValueError(f"is not a symbol: write {_guess(symbol)}")
    return symbol


def _is_asset(name: str) -> bool:
    """Letters of any script, digits and signs; no separators, and no invisible characters."""
    plain = name.isprintable() and not any(each.isspace() or each in "/:" for each in name)
    return plain and 0 < len(name) <= PART_MAX


def _guess(text: str) -> str | None:
    """The symbol that a name without a slash means, None if that is ambiguous."""
    name = text.strip().upper()
    base, slash, quote = name.partition("/")
    if slash and _is_asset(base) and _is_asset(quote):
        return name
    for separator in _SEPARATORS:
        base, sign, quote = name.partition(separator)
        if sign and base.isalnum() and quote.isalnum() and max(len(base), len(quote)) <= PART_MAX:
            return f"{base}/{quote}"
    for quote in _QUOTES:
        base = name.removesuffix(quote)
        if base != name and base.isalnum() and len(base) <= PART_MAX:
            return f"{base}/{quote}"
    return None
