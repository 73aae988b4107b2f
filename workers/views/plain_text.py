"""Text from outside as a terminal may show it: nothing in it is a command to the terminal."""


def plain(text: str) -> str:
    """The text with whatever does not show (control characters, escape sequences, line ends, marks
    that turn the direction of writing) as backslash escapes."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def names(text: str) -> tuple[str, ...]:
    """The words of a text, as names of columns or fields."""
    return tuple(text.split())
