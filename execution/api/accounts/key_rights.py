"""Whether a key may withdraw, if an exchange tells it in one cheap request.

Such a key is an unnecessary risk: oneorder never transfers funds.
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
# configuration", Coinbase "Get API Key Permissions". Upbit has no such request, and Kraken's is not
# available to every account.
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
    """Request it; None if the exchange does not tell. Raises what the client raises.

    `client` is a strict ccxt client; the shape of the response is added to it.
    """
    asked = _QUESTIONS.get(exchange)
    if asked is None:
        return None
    client.shapes = {**client.shapes, asked.path: asked.shape}
    return asked.reads(getattr(client, asked.method)())
