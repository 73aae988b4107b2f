"""External text made safe for a terminal: without control sequences."""


def plain(text: str) -> str:
    """The text with invisible characters (control characters, escape sequences, line ends,
    direction marks) as backslash escapes."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def names(text: str) -> tuple[str, ...]:
    """The words of a text, as names of columns or fields."""
    return tuple(text.split())
