"""Which keys an exchange asks for, by what ccxt knows of it."""

from functools import cache

import ccxt

# ccxt's names for the keys that an account can be given, and the account's own.
OURS = {"apiKey": "api_key", "secret": "api_secret", "password": "api_password"}


@cache
def required_credentials(exchange: str) -> frozenset[str]:
    """ccxt's names of what must be set before it signs a request to that exchange."""
    required = getattr(ccxt, exchange)().requiredCredentials
    return frozenset(name for name, is_required in required.items() if is_required)
