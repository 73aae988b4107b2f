"""What it takes to trade on one account."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Account:
    """Where an account is and what opens it. `exchange` is a ccxt id.

    Secrets stay out of every repr, and so out of logs. `accept_quarantine` lets the account be at
    an exchange where some outcomes cannot be found out; a person must settle those orders.
    """

    name: str
    exchange: str
    api_key: str = field(default="", repr=False)
    api_secret: str = field(default="", repr=False)
    api_password: str = field(default="", repr=False)
    base_url: str | None = None
    timeout_s: int = 10
    accept_quarantine: bool = False


def what_is_missing(account: str) -> str:
    """Say what it takes to reach an account that is not configured."""
    return (
        f"account: {account!r} is not configured, so that nothing there can be followed or "
        f"canceled; put [accounts.{account}] into the settings and its keys into the environment, "
        "and restart the workers"
    )
