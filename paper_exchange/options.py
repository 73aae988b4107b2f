"""The command line of `python -m paper_exchange`."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from paper_exchange.dialects.registry import DIALECTS
from paper_exchange.engine.symbols import ASSET_UNIT, DEFAULT_SYMBOLS

DEFAULT_ACCOUNT = ("paper", "paper")
DEFAULT_BALANCES = {"USDT": Decimal(1_000_000), "BTC": Decimal(100), "ETH": Decimal(1_000)}
BALANCE_MAX = Decimal(10) ** 15
BPS = 10_000
SPREAD_BPS_MAX = Decimal(1000)
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


class _Parser(argparse.ArgumentParser):
    """Reports an error in one sentence, without the usage text."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def parse_options(arguments: Sequence[str]) -> Options:
    """Read the command line; exits with status 2 and one sentence if it is wrong."""
    parser = _parser()
    given = parser.parse_args(arguments)
    accounts = dict(given.account or [DEFAULT_ACCOUNT])
    if given.account and len(accounts) < len(given.account):
        parser.error("argument --account: the same key is given twice")
    if given.spread_bps and given.price_seed is None:
        parser.error("argument --spread-bps: requires --price-seed")
    return Options(
        dialect=given.dialect,
        host=given.host,
        port=given.port,
        seed=given.seed,
        accounts=accounts,
        balances={**DEFAULT_BALANCES, **dict(given.balance)},
        maker_fee=given.maker_fee_bps / BPS,
        taker_fee=given.taker_fee_bps / BPS,
        match_delay_ms=given.match_delay_ms,
        walk_interval_ms=given.walk_interval_ms,
        weight_per_minute=given.weight_per_minute,
        orders_per_10s=given.orders_per_10s,
        price_seed=given.price_seed,
        spread_bps=given.spread_bps,
        first_id=given.first_id,
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="paper_exchange", description="Run a local exchange.", allow_abbrev=False)
    add = parser.add_argument
    add("--dialect", choices=DIALECTS, required=True, help="exchange whose HTTP API it has")
    add("--port", type=_port, required=True, help="0 for a free one")
    add("--host", default="127.0.0.1")
    add("--seed", type=int, default=0, help="determines prices and faults")
    add(
        "--account",
        type=_account,
        action="append",
        metavar="KEY:SECRET",
        help="an account instead of the default paper:paper; may be repeated",
    )
    add(
        "--balance",
        type=_balance,
        action="append",
        default=[],
        metavar="ASSET=AMOUNT",
        help="initial balance of every account; may be repeated",
    )
    add("--maker-fee-bps", type=_fee_bps, default=Decimal(10))
    add("--taker-fee-bps", type=_fee_bps, default=Decimal(10))
    add("--match-delay-ms", type=_ms, default=0, help="how long orders wait for the engine")
    add("--walk-interval-ms", type=_ms, default=250, help="time between price moves; 0 for none")
    add("--weight-per-minute", type=_count, default=6000, help="request weight limit; 0 for none")
    add("--orders-per-10s", type=_count, default=0, help="new order limit; 0 for none")
    add("--price-seed", type=int, help="follow the price shared by all exchanges with this seed")
    add(
        "--spread-bps",
        type=_spread_bps,
        default=Decimal(0),
        help="the largest distance of this exchange from that price",
    )
    add(
        "--first-id",
        type=_first_id,
        help="of orders and trades; default: above those of all earlier runs",
    )
    return parser


def _port(text: str) -> int:
    return _whole("a port", text, 65_535)


def _ms(text: str) -> int:
    return _whole("a time in ms", text, 600_000)


def _count(text: str) -> int:
    return _whole("a limit", text, 1_000_000_000)


def _first_id(text: str) -> int:
    first_id = _whole("a first id", text, FIRST_ID_MAX)
    if not first_id:
        raise argparse.ArgumentTypeError("a first id is 1 or more, not '0'")
    return first_id


def _whole(what: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 17 and int(text) <= most):
        raise argparse.ArgumentTypeError(f"{what} is a whole number from 0 to {most}, not {text!r}")
    return int(text)


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


def _fee_bps(text: str) -> Decimal:
    fee = _decimal(text, Decimal(BPS - 1))
    if fee is None:
        raise argparse.ArgumentTypeError(f"a fee is a number of bps from 0 to 9999, not {text!r}")
    return fee


def _spread_bps(text: str) -> Decimal:
    spread = _decimal(text, SPREAD_BPS_MAX)
    if spread is None:
        raise argparse.ArgumentTypeError(
            f"a spread is a number of bps from 0 to {SPREAD_BPS_MAX}, not {text!r}"
        )
    return spread


def _decimal(text: str, most: Decimal) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number <= most else None
