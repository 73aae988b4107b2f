"""API keys and HMAC-SHA256 signatures, as Binance checks them."""

from collections.abc import Mapping

from paper_exchange.dialects.binance.errors import ApiError, missing
from paper_exchange.dialects.signing import is_key, is_signature

KEY_HEADER = "X-MBX-APIKEY"


def account_of(headers: Mapping[str, str], secrets: Mapping[str, bytes]) -> str:
    """The account that a request's API key belongs to."""
    key = headers.get(KEY_HEADER, "")
    if not is_key(key):
        raise ApiError(-2014, "API-key format invalid.", 401)
    if key not in secrets:
        raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
    return key


def check_signature(secret: bytes, query: str, body: str, signature: str) -> None:
    """Raise -1022 unless the signature is that of the query string followed by the form.

    As on Binance, the two are joined without `&`, and the signature itself is left out.
    """
    if not signature:
        raise missing("signature")
    if not is_signature(secret, _without_signature(query) + _without_signature(body), signature):
        raise ApiError(-1022, "Signature for this request is not valid.")


def _without_signature(part: str) -> str:
    if "signature=" not in part:
        return part
    return "&".join(pair for pair in part.split("&") if not pair.startswith("signature="))
