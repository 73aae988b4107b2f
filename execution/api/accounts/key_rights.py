"""Whether a key may withdraw, where an exchange says so in one cheap request.

A key that may is a risk that oneorder never needs: it moves no funds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from execution.api.http.transport import Shape, list_of, record_with, some, within


@dataclass(frozen=True, slots=True)
class _Rights:
    """One exchange's request: the end of its path, the shape of an answer, ccxt's method that makes
    it, and how the answer is read."""

    path: str
    shape: Shape
    method: str
    reads: Callable[[Any], bool]


# Sources: Binance "Get API Key Permission", Bybit "Get API Key Information", OKX "Get account
# configuration", Coinbase "Get API Key Permissions". Upbit does not say it, and Kraken's question
# is not open to every account.
_QUESTIONS: Mapping[str, _Rights] = {
    "binance": _Rights(
        "/account/apiRestrictions",
        record_with("enableWithdrawals"),
        "sapiGetAccountApiRestrictions",
        lambda answer: bool(answer["enableWithdrawals"]),
    ),
    "bybit": _Rights(
        "/v5/user/query-api",
        within("result", record_with("permissions")),
        "privateGetV5UserQueryApi",
        lambda answer: "Withdraw" in (answer["result"]["permissions"].get("Wallet") or ()),
    ),
    "okx": _Rights(
        "/account/config",
        within("data", some(list_of(record_with("perm")))),
        "privateGetAccountConfig",
        lambda answer: "withdraw" in answer["data"][0]["perm"].split(","),
    ),
    "coinbase": _Rights(
        "/brokerage/key_permissions",
        record_with("can_transfer"),
        "v3PrivateGetBrokerageKeyPermissions",
        lambda answer: bool(answer["can_transfer"]),
    ),
}


def may_withdraw(client: Any, exchange: str) -> bool | None:
    """Ask the exchange; None for one that does not say. Raises what the client raises.

    `client` is a strict ccxt client; it learns the shape of this answer.
    """
    asked = _QUESTIONS.get(exchange)
    if asked is None:
        return None
    client.shapes = {**client.shapes, asked.path: asked.shape}
    return asked.reads(getattr(client, asked.method)())
