"""What it takes to trade on one account."""

from dataclasses import dataclass, field

from execution.text.redaction import register_secrets, register_url


@dataclass(frozen=True, slots=True)
class Account:
    """Where an account is and what opens it. `exchange` is a ccxt id.

    Secrets stay out of every repr, and from the moment that an account is known, out of every text
    that leaves the process. `accept_quarantine` lets the account be at
    an exchange where some outcomes cannot be found out; a person must settle those orders.
    """

    name: str
    exchange: str
    api_key: str = field(default="", repr=False)
    api_secret: str = field(default="", repr=False)
    api_password: str = field(default="", repr=False)
    base_url: str | None = field(default=None, repr=False)
    timeout_s: int = 10
    accept_quarantine: bool = False

    def __post_init__(self) -> None:
        register_secrets([self.api_key, self.api_secret, self.api_password])
        register_url(self.base_url)


def what_is_missing(account: str) -> str:
    """Say what it takes to reach an account that is not configured."""
    return (
        f"account: {account!r} is not configured, so that nothing there can be followed or "
        f"canceled; put [accounts.{account}] into the settings and its keys into the environment, "
        "and restart the workers"
    )
