"""The checks before a worker, beat or a trading command starts."""

from collections.abc import Mapping
from difflib import get_close_matches

from execution.api.accounts.credentials import OURS, required_credentials
from execution.api.connections import check_account
from execution.exchanges.account import Account
from oneorder.errors import SettingsError
from oneorder.setting_faults import PREFIX
from workers.configuration.errors import variable_part
from workers.configuration.settings import Settings, load_accounts


def checked_accounts(settings: Settings, environment: Mapping[str, str]) -> dict[str, Account]:
    """All accounts with their keys, each able to trade as far as that is known without a request.

    Raises SettingsError and UnsupportedExchange.
    """
    accounts = load_accounts(settings, environment)
    for account in accounts.values():
        check_account(account)
        _check_credentials(account, environment)
    return accounts


def _check_credentials(account: Account, environment: Mapping[str, str]) -> None:
    for name in sorted(required_credentials(account.exchange)):
        field = OURS[name]
        if not getattr(account, field):
            variable = f"{PREFIX}{variable_part(account.name)}_{field.upper()}"
            asks = "a passphrase, too" if field == "api_password" else f"an {field}"
            raise SettingsError(
                f"accounts.{account.name}: {account.exchange} asks for {asks}: set {variable}, "
                f"or {variable}_FILE{_near(variable, environment)}"
            )


def _near(variable: str, environment: Mapping[str, str]) -> str:
    similar = [name for name in environment if name.startswith(PREFIX) and name != variable]
    near = get_close_matches(variable, similar, n=1, cutoff=0.95)
    return f" ({near[0]} is set)" if near else ""
