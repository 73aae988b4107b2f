"""The configuration of one trading account."""

from dataclasses import dataclass, field

from execution.text.redaction import register_secrets, register_url


@dataclass(frozen=True, slots=True)
class Account:
    """An account's exchange and keys. `exchange` is a ccxt id.

    Secrets are not in any repr, and once an account has been created, not in any text that leaves
    the process. `accept_quarantine` allows an exchange where some outcomes cannot be determined;
    those orders need manual settlement.
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
    """The sentence about an account that is not configured, with the remedy."""
    return (
        f"account: {account!r} is not configured, so that nothing there can be followed or "
        f"canceled; put [accounts.{account}] into the settings and its keys into the environment, "
        "and restart the workers"
    )
