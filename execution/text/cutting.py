"""Shortens texts from outside, and suggests names."""

from collections.abc import Iterable
from difflib import get_close_matches

# The least similarity of a misspelt name and a suggestion, of at most 1.
LIKENESS_MIN = 0.75


def cut(text: str, bytes_max: int) -> str:
    """The text, or as much of its beginning as fits, with its full length; never more than
    `bytes_max` bytes of UTF-8."""
    encoded = text.encode(errors="backslashreplace")
    if len(encoded) <= bytes_max:
        return encoded.decode()
    mark = f"... (cut: {len(text):,} characters)"
    return encoded[: bytes_max - len(mark)].decode(errors="ignore") + mark


def did_you_mean(name: str, known: Iterable[str], names_max: int = 1) -> str:
    """ "; did you mean 'NAME'?" for the most similar known names, or nothing."""
    suggestions = get_close_matches(name, list(known), n=names_max, cutoff=LIKENESS_MIN)
    return f"; did you mean {' or '.join(map(repr, suggestions))}?" if suggestions else ""


def some(names: list[str], count: int = 5) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more
