"""The commands that list, on a real server: newest first, as many and of what as was asked for."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer
from test_arbitrage_store_contract import an_arbitrage
from test_arbitrage_store_contract import kept as kept_arbitrage
from typer.testing import CliRunner

from execution.ledger.sql.ledger import open_ledger
from execution.model.clock import SystemClock
from execution.model.order import Fee, Fill, OrderState, Side
from execution.orders.store import RefusedIntent
from execution.reconciliation.run import Reconciliation
from execution.store.access.connection import connect
from execution.store.stores import Stores
from oneorder.identifiers import arbitrage_id_of, order_id_of
from tests.support.clock import EPOCH
from tests.support.fakes import ACCOUNT
from tests.support.stores_kit import an_order, kept, moved, stores_of
from workers.cli.app import CommandError, cli
from workers.cli.program import COMMANDS

assert COMMANDS  # They are in the app now.
Run = Callable[..., Any]


@pytest.fixture
def stores(request: pytest.FixtureRequest) -> Stores:
    return stores_of("redis", request)


@pytest.fixture
def ledger_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def run(
    stores: Stores,
    valkey_url: str,
    ledger_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Run]:
    """Run a command that prints JSON; or, as text, one that prints for people at 80 columns."""
    config = tmp_path / "oneorder.toml"
    config.write_text(
        f'[accounts.{ACCOUNT}]\nexchange = "binance"\n[accounts.spare]\nexchange = "binance"\n'
    )
    monkeypatch.setenv("ONEORDER_CONFIG", str(config))
    monkeypatch.setenv("ONEORDER_REDIS_URL", valkey_url)
    monkeypatch.setenv("ONEORDER_LEDGER_URL", ledger_url)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str, text: bool = False) -> Any:
        options = [] if text else ["--json"]
        done = CliRunner().invoke(cli, [*arguments, *options], standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return done.stdout if text else json.loads(done.stdout)

    yield run
    # A command sends the log to its own standard error, which ends with it here.
    structlog.reset_defaults()


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["signal_id"] for row in rows]


def test_the_newest_fifty_orders_are_listed_first(stores: Stores, run: Run) -> None:
    for number in range(1, 61):
        kept(stores, an_order(number))
    assert ids(run("orders")) == [f"signal-{number}" for number in range(60, 10, -1)]
    assert ids(run("orders", "--last", "2")) == ["signal-60", "signal-59"]
    assert len(run("orders", "--last", "0")) == 60
    shown = run("orders", text=True)
    assert shown.endswith("The newest 50 are shown; --last 0 shows all.\n")
    assert "--last 0" not in run("orders", "--last", "60", text=True)


def test_orders_are_narrowed_by_each_filter_and_by_all(stores: Stores, run: Run) -> None:
    kept(stores, an_order(1, strategy="a", symbol="BTC/USDT"))
    kept(stores, an_order(2, strategy="b", symbol="ETH/USDT", state=OrderState.OPEN))
    kept(stores, an_order(3, strategy="b", symbol="ETH/USDT", account="spare"))
    third = an_order(3).created_at.isoformat()
    assert ids(run("orders", "--symbol", "ETH/USDT")) == ["signal-3", "signal-2"]
    assert ids(run("orders", "--strategy", "a")) == ["signal-1"]
    assert ids(run("orders", "--account", "spare")) == ["signal-3"]
    assert ids(run("orders", "--since", third)) == ["signal-3"]
    assert ids(run("orders", "--state", "open")) == ["signal-2"]
    assert ids(run("orders", "--strategy", "b", "--last", "1", "--account", ACCOUNT)) == [
        "signal-2"
    ]
    assert run("orders", "--symbol", "XRP/USDT") == []


def test_history_is_listed_and_narrowed_in_the_same_way(
    stores: Stores, run: Run, ledger_url: str
) -> None:
    ledger = open_ledger(ledger_url)
    ledger.write([replace(an_order(number, version=1), revision="r") for number in range(1, 61)])
    assert ids(run("orders", "--archived"))[:2] == ["signal-60", "signal-59"]
    assert len(run("orders", "--archived")) == 50
    since = an_order(58).created_at.isoformat()
    assert ids(run("orders", "--archived", "--since", since, "--last", "2")) == [
        "signal-60",
        "signal-59",
    ]


def test_an_unknown_account_is_an_error_and_a_known_one_without_rows_is_none(
    stores: Stores, run: Run, ledger_url: str
) -> None:
    kept(stores, an_order(1, account="taken-out"))
    open_ledger(ledger_url).write([an_order(2, account="long-gone", version=1)])
    for command in ("orders", "positions", "reconciliations", "arbitrages", "accounts"):
        assert run(command, "--account", "spare") == []
        assert isinstance(run(command, "--account", "taken-out"), list)
        assert isinstance(run(command, "--account", "long-gone"), list)
        with pytest.raises(
            CommandError, match=r"--account: 'binanse' is not configured"
        ) as refused:
            run(command, "--account", "binanse")
        assert f"(configured: {ACCOUNT}, spare)" in str(refused.value)


@pytest.mark.parametrize("since", ["yesterday", "2030-13-01", "0001-01-01T00:00:00+14:00", ""])
def test_a_time_that_is_none_is_wrong_usage(since: str, run: Run) -> None:
    for command in ("orders", "refused", "reconciliations", "arbitrages", "positions"):
        with pytest.raises(typer.BadParameter, match=r"--since: .*ISO 8601"):
            run(command, "--since", since)


def test_refused_signals_are_narrowed_by_what_their_bodies_name(stores: Stores, run: Run) -> None:
    bodies = [
        '{"account": "a", "symbol": "BTC/USDT", "strategy": "s"}',
        '{"buy_account": "a", "sell_account": "b", "symbol": "ETH/USDT"}',
        "no JSON", "[1]", '{"account": ["a"], "strategy": {}}', "[" * 2_000,
    ]  # fmt: skip
    for number, body in enumerate(bodies):
        time = EPOCH + timedelta(seconds=number)
        stores.intents.refuse_intent(RefusedIntent("orders.execute", body, "no", time), None)
    assert [row["body"] for row in run("refused")] == bodies[::-1]
    assert [row["body"] for row in run("refused", "--account", "a")] == [bodies[1], bodies[0]]
    assert [row["body"] for row in run("refused", "--strategy", "s")] == [bodies[0]]
    assert [row["body"] for row in run("refused", "--symbol", "ETH/USDT")] == [bodies[1]]
    assert [row["body"] for row in run("refused", "--last", "1")] == [bodies[-1]]


def test_arbitrages_are_narrowed_by_either_account(stores: Stores, run: Run) -> None:
    for number in range(1, 4):
        kept_arbitrage(stores, an_arbitrage(number, strategy=f"s{number}", sell_account="spare"))
    assert ids(run("arbitrages", "--account", "spare", "--last", "2")) == ["signal-3", "signal-2"]
    assert ids(run("arbitrages", "--account", ACCOUNT, "--strategy", "s1")) == ["signal-1"]
    assert ids(run("arbitrages", "--since", an_arbitrage(3).created_at.isoformat())) == ["signal-3"]
    assert run("arbitrages", "--symbol", "ETH/USDT") == []


def test_reconciliations_are_narrowed(stores: Stores, run: Run) -> None:
    for number, account in enumerate([ACCOUNT, "spare", ACCOUNT]):
        at = EPOCH + timedelta(seconds=number)
        stores.reconciliations.add_run(Reconciliation(account, at, symbols=[f"S{number}/USDT"]))
    found = run("reconciliations", "--account", ACCOUNT)
    assert [row["symbols"] for row in found] == [["S2/USDT"], ["S0/USDT"]]
    assert [row["account"] for row in run("reconciliations", "--symbol", "S1/USDT")] == ["spare"]
    assert len(run("reconciliations", "--last", "1")) == 1


def test_positions_come_by_their_last_change_and_are_narrowed(stores: Stores, run: Run) -> None:
    for number, symbol in enumerate(["BTC/USDT", "ETH/USDT"], start=1):
        order = kept(stores, an_order(number, symbol=symbol))
        time = EPOCH + timedelta(seconds=number)
        traded = Fill(str(number), Side.BUY, order.amount, order.amount, (Fee("USDT", 0),), time)
        moved(stores, order, (traded,))
    assert [row["symbol"] for row in run("positions")] == ["ETH/USDT", "BTC/USDT"]
    assert [row["symbol"] for row in run("positions", "--symbol", "BTC/USDT")] == ["BTC/USDT"]
    assert [row["symbol"] for row in run("positions", "--last", "1")] == ["ETH/USDT"]
    since = (EPOCH + timedelta(seconds=2)).isoformat()
    assert [row["symbol"] for row in run("positions", "--since", since)] == ["ETH/USDT"]


def test_an_order_is_shown_by_its_id_and_by_its_signals(stores: Stores, run: Run) -> None:
    order = kept(stores, an_order(7))
    assert run("order", order.order_id) == run("order", "signal-7")
    assert order.order_id in run("order", "signal-7", text=True)


def test_an_order_that_has_left_is_found_by_its_signal_too(run: Run, ledger_url: str) -> None:
    order = replace(an_order(7), version=1, revision="r")
    open_ledger(ledger_url).write([order])
    assert run("order", "signal-7")["order_id"] == order.order_id


def test_a_cancel_takes_a_signal_id_and_publishes_the_orders_id(
    stores: Stores, run: Run, valkey_url: str
) -> None:
    order = kept(stores, an_order(7))
    assert run("cancel", "signal-7")["order_id"] == order.order_id
    ((_, entry),) = connect(valkey_url).xrange("oneorder:signals")  # type: ignore[misc]
    assert json.loads(entry["body"])["order_id"] == order.order_id


@pytest.mark.parametrize("command", ["order", "cancel"])
def test_what_is_neither_id_is_refused_with_a_sentence(command: str, run: Run) -> None:
    with pytest.raises(
        CommandError, match="ID: 'nothing' is neither the id nor the signal id of an or"
    ):
        run(command, "nothing")


def test_a_name_that_is_one_orders_id_and_anothers_signal_is_not_guessed_at(
    stores: Stores, run: Run
) -> None:
    first = kept(stores, an_order(1))
    other = replace(an_order(2), signal_id=first.order_id, order_id=order_id_of(first.order_id))
    kept(stores, other)
    with pytest.raises(CommandError, match=f"signal id of another, {other.order_id}"):
        run("cancel", first.order_id)


def test_an_arbitrages_id_says_where_to_look(stores: Stores, run: Run) -> None:
    kept_arbitrage(stores, an_arbitrage(1, arbitrage_id=arbitrage_id_of("arb-1")))
    for name in ("arb-1", arbitrage_id_of("arb-1")):
        with pytest.raises(CommandError, match="it is an arbitrage's"):
            run("order", name)


def test_an_id_that_looks_like_markup_ends_no_list(stores: Stores, run: Run) -> None:
    evil = [r"x\[/x]", "[/]", "[red]", "\x1b[2J"]
    for number, signal_id in enumerate(evil, start=1):
        kept(stores, replace(an_order(number), signal_id=signal_id, reason=signal_id))
    shown = run("orders", text=True)
    assert all(text in shown for text in evil[:3])
    assert "\x1b" not in shown
    assert an_order(1).order_id in shown
    assert run("order", an_order(1).order_id, text=True)


def test_a_hold_is_ended_by_hand_and_the_orders_that_waited_for_it_are_due(
    stores: Stores, run: Run
) -> None:
    now_ms = SystemClock().now_ms()
    waiting = kept(stores, an_order(), now_ms + 50_000)
    address = "https://api.binance.com:443"
    stores.address_holds.hold_address(address, 600, "HTTP 418")
    stores.holds.hold(ACCOUNT, 600)
    assert run("release", "--account", ACCOUNT) == {
        "account": ACCOUNT,
        "released": [address, ACCOUNT],
    }
    assert stores.orders.due(now_ms + 10_000, 10, 1) == [waiting.order_id]
    with pytest.raises(CommandError, match="is not on hold"):
        run("release", "--account", ACCOUNT)
    with pytest.raises(CommandError, match="is not configured"):
        run("release", "--account", "other")
