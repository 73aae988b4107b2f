"""HMAC-SHA256, the signature of every dialect; the payload differs."""

import hmac
import re

is_key = re.compile(r"[A-Za-z0-9._-]{1,128}").fullmatch


def is_signature(secret: bytes, payload: str, signature: str) -> bool:
    """Whether `signature` is the payload's hexadecimal signature under that secret."""
    # Bytes that are not UTF-8 are kept as received; the signature of such a request does not match.
    expected = hmac.digest(secret, payload.encode(errors="replace"), "sha256").hex()
    return hmac.compare_digest(expected.encode(), signature.lower().encode(errors="replace"))
