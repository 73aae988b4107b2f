"""The command line of `python -m paper_exchange`."""

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from paper_exchange.dialects.registry import DIALECTS
from paper_exchange.engine.symbols import ASSET_UNIT, DEFAULT_SYMBOLS

DEFAULT_ACCOUNT = ("paper", "paper")
DEFAULT_BALANCES = {"USDT": Decimal(1_000_000), "BTC": Decimal(100), "ETH": Decimal(1_000)}
BALANCE_MAX = Decimal(10) ** 15
BPS = 10_000
SPREAD_BPS_MAX = 1000
# Clients that read ids as floats still get exact integers, with room to count further.
FIRST_ID_MAX = 4 * 10**15


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of an exchange. Fees are shares of what is received; limits of 0 are off.

    Without a `price_seed` the exchange has its own prices; without a `first_id` the ids of orders
    and trades are above those of every earlier run.
    """

    dialect: str
    host: str
    port: int
    seed: int
    accounts: dict[str, str]
    balances: dict[str, Decimal]
    maker_fee: Decimal
    taker_fee: Decimal
    match_delay_ms: int
    walk_interval_ms: int
    weight_per_minute: int
    orders_per_10s: int
    price_seed: int | None
    spread_bps: Decimal
    first_id: int | None

    @property
    def secrets(self) -> dict[str, bytes]:
        """The secret of each account, by its key."""
        return {key: secret.encode() for key, secret in self.accounts.items()}


class _Parser(argparse.ArgumentParser):
    """Reports an error in one sentence, without the usage text."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def parse_options(arguments: Sequence[str]) -> Options:
    """Read the command line; exits with status 2 and one sentence if it is wrong."""
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    accounts = dict(given["accounts"] or [DEFAULT_ACCOUNT])
    if given["accounts"] and len(accounts) < len(given["accounts"]):
        parser.error("argument --account: the same key is given twice")
    if given["spread_bps"] and given["price_seed"] is None:
        parser.error("argument --spread-bps: requires --price-seed")
    balances = {**DEFAULT_BALANCES, **dict(given["balances"])}
    fees = {name: given.pop(f"{name}_bps") / BPS for name in ("maker_fee", "taker_fee")}
    return Options(**{**given, **fees, "accounts": accounts, "balances": balances})


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="paper_exchange", description="Run a local exchange.", allow_abbrev=False)
    add = parser.add_argument
    fee, ms = _bps("a fee", BPS - 1), _whole("a time in ms", 600_000)
    limit = _whole("a limit", 1_000_000_000)
    add("--dialect", choices=DIALECTS, required=True, help="exchange whose HTTP API it has")
    add("--port", type=_whole("a port", 65_535), required=True, help="0 for a free one")
    add("--host", default="127.0.0.1")
    add("--seed", type=int, default=0, help="determines prices and faults")
    add(
        "--account",
        dest="accounts",
        type=_account,
        action="append",
        metavar="KEY:SECRET",
        help="an account instead of the default paper:paper; may be repeated",
    )
    add(
        "--balance",
        dest="balances",
        type=_balance,
        action="append",
        default=[],
        metavar="ASSET=AMOUNT",
        help="initial balance of every account; may be repeated",
    )
    add("--maker-fee-bps", type=fee, default=Decimal(10))
    add("--taker-fee-bps", type=fee, default=Decimal(10))
    add("--match-delay-ms", type=ms, default=0, help="how long orders wait for the engine")
    add("--walk-interval-ms", type=ms, default=250, help="time between price moves; 0 for none")
    add("--weight-per-minute", type=limit, default=6000, help="request weight limit; 0 for none")
    add("--orders-per-10s", type=limit, default=0, help="new order limit; 0 for none")
    add("--price-seed", type=int, help="follow the price shared by all exchanges with this seed")
    add(
        "--spread-bps",
        type=_bps("a spread", SPREAD_BPS_MAX),
        default=Decimal(0),
        help="the largest distance of this exchange from that price",
    )
    add(
        "--first-id",
        type=_whole("a first id", FIRST_ID_MAX, least=1),
        help="of orders and trades; default: above those of all earlier runs",
    )
    return parser


def _whole(what: str, most: int, least: int = 0) -> Callable[[str], int]:
    """A reader of whole numbers in that range."""

    def read(text: str) -> int:
        is_whole = text.isascii() and text.isdigit() and len(text) < 17
        if not is_whole or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(
                f"{what} is a whole number from {least} to {most}, not {text!r}"
            )
        return int(text)

    return read


def _account(text: str) -> tuple[str, str]:
    key, colon, secret = text.partition(":")
    is_key = re.fullmatch(r"[A-Za-z0-9._-]{1,128}", key)
    if not (is_key and colon and secret and secret.isascii() and secret.isprintable()):
        raise argparse.ArgumentTypeError(
            "an account is KEY:SECRET, the key of letters, digits and ._- only"
        )
    return key, secret


def _balance(text: str) -> tuple[str, Decimal]:
    asset, _, number = text.partition("=")
    known = {name for symbol in DEFAULT_SYMBOLS for name in (symbol.base, symbol.quote)}
    if asset not in known:
        raise argparse.ArgumentTypeError(
            f"a balance is ASSET=AMOUNT with an asset of {', '.join(sorted(known))}, not {text!r}"
        )
    amount = _decimal(number, BALANCE_MAX)
    if amount is None or amount % ASSET_UNIT:
        raise argparse.ArgumentTypeError(
            f"an amount is a number from 0 with up to 8 decimals, unlike that of {text!r}"
        )
    return asset, amount


def _bps(what: str, most: int) -> Callable[[str], Decimal]:
    """A reader of basis points up to `most`."""

    def read(text: str) -> Decimal:
        bps = _decimal(text, Decimal(most))
        if bps is None:
            raise argparse.ArgumentTypeError(
                f"{what} is a number of bps from 0 to {most}, not {text!r}"
            )
        return bps

    return read


def _decimal(text: str, most: Decimal) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number <= most else None
