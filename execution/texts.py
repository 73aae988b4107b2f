"""Texts from outside, made fit to be kept and shown."""


def cut(text: str, bytes_max: int) -> str:
    """The text, or as much of its beginning as fits, with how long it was; never more than
    `bytes_max` bytes of UTF-8."""
    encoded = text.encode(errors="backslashreplace")
    if len(encoded) <= bytes_max:
        return encoded.decode()
    mark = f"... (cut: {len(text):,} characters)"
    return encoded[: bytes_max - len(mark)].decode(errors="ignore") + mark
