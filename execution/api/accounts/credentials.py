"""Which keys an exchange requires, according to ccxt."""

from functools import cache

import ccxt

# ccxt's names of the keys that an account can have, with the account's own names.
OURS = {"apiKey": "api_key", "secret": "api_secret", "password": "api_password"}


@cache
def required_credentials(exchange: str) -> frozenset[str]:
    """ccxt's names of the keys that it needs to sign a request to that exchange."""
    required = getattr(ccxt, exchange)().requiredCredentials
    return frozenset(name for name, is_required in required.items() if is_required)
