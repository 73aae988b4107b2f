"""HMAC-SHA256, which every dialect signs with; what is signed differs."""

import hmac
import re

is_key = re.compile(r"[A-Za-z0-9._-]{1,128}").fullmatch


def is_signature(secret: bytes, payload: str, signature: str) -> bool:
    """Whether `signature` is the hexadecimal one of the payload under that secret."""
    # Bytes that are not UTF-8 are kept as they came; no client signs such a request rightly.
    expected = hmac.digest(secret, payload.encode(errors="replace"), "sha256").hex()
    return hmac.compare_digest(expected.encode(), signature.lower().encode(errors="replace"))
