"""What people ask of a running stack: reports, history, agreement, and the kill switch."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from redis import Redis

from execution.model.decimals import total
from execution.model.order import OrderState
from execution.store.access import keys
from oneorder import OrderSignal, Publisher, publish_order
from oneorder.identifiers import order_id_of
from oneorder.settings import SignalSettings
from tests.support.command_line import ForkedOneorder, Oneorder
from workers.reports.figures import places_for, signed, typeset
from workers.sandbox.local_stack import LocalStack
from workers.views.trading import order_view, whole_order_view

ACCOUNT = "binance-main"
SETTINGS = {"reconcile_every_s": 1, "mark_every_s": 1, "snapshot_every_s": 1, "archive_every_s": 1}
WAITING = ("", OrderState.RECEIVED, OrderState.SUBMITTING)
REASON = "the market has gone mad"


@pytest.fixture(scope="module")
def oneorder(stack: LocalStack) -> Oneorder:
    return ForkedOneorder(stack)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Valkey, a paper exchange, one worker, and a beat that is in a hurry."""
    with LocalStack(tmp_path_factory.mktemp("reports"), SETTINGS) as running:
        running.start_redis()
        running.start_paper("--seed", "11", "--walk-interval-ms", "0", "--weight-per-minute", "0")
        running.start_worker()
        running.start_beat()
        running.wait_for_worker()
        yield running


Trade = Callable[..., str]


@pytest.fixture(scope="module")
def publisher(stack: LocalStack) -> Iterator[Publisher]:
    made = Publisher(SignalSettings(redis_url=stack.redis_url))
    yield made
    made.close()


@pytest.fixture(scope="module")
def trade(stack: LocalStack, publisher: Publisher) -> Trade:
    """Publishes one signal, waits until its order stands or has ended, and returns its id."""

    def published(signal_id: str, symbol: str, side: str, amount: str, price: str = "") -> str:
        fields = {"signal_id": signal_id, "symbol": symbol, "side": side, "amount": amount}
        terms = {"type": "limit", "price": price} if price else {"type": "market"}
        signal = OrderSignal.model_validate({"account": ACCOUNT, **fields, **terms})
        publish_order(signal, publisher)
        order_id = order_id_of(signal_id)
        stack.wait_for("the order", lambda: _state(stack, order_id) not in WAITING)
        return order_id

    return published


@pytest.fixture(scope="module")
def traded(trade: Trade) -> dict[str, str]:
    """A few orders that were filled: their ids by signal id."""
    signals = [
        ("open", "BTC/USDT", "buy", "0.02"),
        ("reduce", "BTC/USDT", "sell", "0.01"),
        ("other", "ETH/USDT", "buy", "0.5"),
    ]
    return {signal[0]: trade(*signal) for signal in signals}


def _state(stack: LocalStack, order_id: str) -> str:
    order = stack.store().order(order_id)
    return "" if order is None or order.fills_missing else order.state


def _sum(texts: Any) -> Decimal:
    return total(Decimal(text) for text in texts)


@pytest.mark.usefixtures("traded")
def test_a_report_and_its_files_add_up_to_what_the_positions_realised(
    stack: LocalStack, oneorder: Oneorder, tmp_path: Path
) -> None:
    redis = Redis.from_url(stack.redis_url)
    stack.wait_for("a snapshot", lambda: bool(redis.xlen(keys.SNAPSHOTS)))
    paths = {form: tmp_path / f"report.{form}" for form in ("html", "csv", "parquet")}
    options = [word for form, path in paths.items() for word in (f"--{form}", str(path))]
    report = oneorder.json("report", *options)
    realised = total(position.realised_pnl for position in stack.stores().positions.positions())

    (found,) = report["totals"]
    assert realised < 0  # Everything was bought at the ask, and fees were paid.
    assert (found["quote"], found["trades"], found["orders"]) == ("USDT", 3, 3)
    assert Decimal(found["realised_pnl"]) == Decimal(found["net_pnl"]) == realised
    assert Decimal(found["gross_pnl"]) - Decimal(found["fees"]) == realised
    assert {row["name"] for row in report["by_symbol"]} == {"BTC/USDT", "ETH/USDT"}
    assert report["equity"], "snapshots are part of the report"

    rows = pd.read_csv(paths["csv"], dtype=str)
    assert _sum(rows["realised_pnl"]) == realised
    frame = pd.read_parquet(paths["parquet"])
    assert total(frame["realised_pnl"]) == realised
    assert total(frame["notional"]) == _sum(rows["notional"]) == Decimal(found["turnover"])
    assert list(frame["trade_id"]) == list(rows["trade_id"])
    assert str(frame["time"].dtype) == "datetime64[us, UTC]"

    shown = signed(realised, places_for(Decimal(found["turnover"])))
    assert f">{typeset(shown)}</strong>" in paths["html"].read_text()


@pytest.mark.usefixtures("traded")
def test_accounts_come_to_the_sum_of_their_positions(stack: LocalStack, oneorder: Oneorder) -> None:
    def is_marked() -> bool:
        totals = stack.stores().valuations.totals()
        return len(totals) == 1 and not totals[0].unmarked and len(totals[0].fees) == 3

    stack.wait_for("the positions to be valued", is_marked)
    (account,) = oneorder.json("accounts", "--account", ACCOUNT)
    positions = stack.stores().positions.positions(ACCOUNT)
    marks = stack.stores().valuations.marks(ACCOUNT)
    assert (account["account"], account["quote"]) == (ACCOUNT, "USDT")
    for name in ("realised_pnl", "turnover"):
        assert Decimal(account[name]) == total(getattr(p, name) for p in positions), name
    worth = total(position.amount * marks[position.symbol].price for position in positions)
    invested = total(position.cost for position in positions)
    assert Decimal(account["exposure"]) == worth
    assert Decimal(account["unrealised_pnl"]) == worth - invested
    assert Decimal(account["equity"]) == _sum((account["realised_pnl"], account["unrealised_pnl"]))


def test_reconciliations_show_the_fill_that_was_not_announced(
    stack: LocalStack, oneorder: Oneorder, trade: Trade
) -> None:
    order_id = trade("resting", "BTC/USDT", "buy", "0.001", "49000")
    assert _state(stack, order_id) == OrderState.OPEN
    book = {"symbol": "BTCUSDT", "bids": [["48000", "9"]], "asks": [["49000", "9"]]}
    stack.paper("POST", "/paper/book", book)
    stack.wait_for("the fill", lambda: _state(stack, order_id) == OrderState.FILLED)

    def is_on_record() -> bool:
        runs = stack.stores().reconciliations.runs(10)
        return any(order_id in run.orders_settled for run in runs)

    stack.wait_for("the run to be on record", is_on_record)
    runs = oneorder.json("reconciliations", "--account", ACCOUNT, "--last", "10")
    (run,) = [run for run in runs if order_id in run["orders_settled"]]
    assert (run["fills_applied"], run["error"], run["external_orders"]) == (1, None, [])
    assert run["calls"]["trades"] >= 1
    assert not any(run["drift_confirmed"] for run in runs)
    assert [run["started_at"] for run in runs] == sorted(
        (run["started_at"] for run in runs), reverse=True
    )
    assert len(runs) <= 10


def test_a_position_that_was_tampered_with_is_found_and_put_right(
    stack: LocalStack, oneorder: Oneorder, traded: dict[str, str]
) -> None:
    amount = stack.stores().positions.position(ACCOUNT, "ETH/USDT").amount
    redis = Redis.from_url(stack.redis_url)
    redis.hset(keys.position(ACCOUNT, "ETH/USDT"), "amount", "99")

    found = oneorder.run("rebuild", "--json")
    assert found.returncode == 1
    right, wrong = json.loads(found.stdout)
    assert (right["symbol"], right["agrees"]) == ("BTC/USDT", True)
    assert (wrong["symbol"], wrong["agrees"]) == ("ETH/USDT", False)
    assert (wrong["amount"], Decimal(wrong["rebuilt_amount"])) == ("99", amount)
    assert stack.stores().positions.position(ACCOUNT, "ETH/USDT").amount == 99, (
        "looking changes nothing"
    )

    assert oneorder.json("rebuild", "--apply") == [right, wrong]
    assert [row["agrees"] for row in oneorder.json("rebuild")] == [True, True]
    assert stack.stores().positions.position(ACCOUNT, "ETH/USDT").amount == amount


def test_a_halt_refuses_new_signals_until_it_is_resumed(
    stack: LocalStack, oneorder: Oneorder, trade: Trade
) -> None:
    halted = oneorder.json("halt", "--account", ACCOUNT, "--reason", REASON)
    assert (halted["account"], halted["reason"]) == (ACCOUNT, REASON)
    refused = trade("while-halted", "ETH/USDT", "buy", "0.01")
    order = stack.store().order(refused)
    assert order is not None
    assert (order.state, order.reason) == (OrderState.REFUSED, f"halted: {REASON}")

    assert oneorder.json("resume", "--account", ACCOUNT) == {"resumed": True, "halted": []}
    let_through = trade("after-resume", "ETH/USDT", "buy", "0.01")
    assert _state(stack, let_through) == OrderState.FILLED
    at_exchange = {row["clientOrderId"] for row in stack.ledger()["orders"]}
    assert let_through in at_exchange
    assert refused not in at_exchange


def test_an_order_that_has_left_redis_is_shown_and_never_placed_again(
    stack: LocalStack, oneorder: Oneorder, trade: Trade, traded: dict[str, str]
) -> None:
    order_id = traded["open"]
    archive = stack.stores().archive
    stack.wait_for("the archive", lambda: order_id not in archive.unarchived())
    (order,) = archive.records([order_id])
    archive.evict(order, remember_s=60)
    assert stack.store().order(order_id) is None

    assert order.fills
    assert oneorder.json("order", order_id) == whole_order_view(order)
    listed = oneorder.json("orders", "--archived", "--state", "filled", "--account", ACCOUNT)
    assert order_view(order) in listed
    assert {row["state"] for row in listed} == {"filled"}

    assert trade("open", "BTC/USDT", "buy", "0.02") == order_id
    stack.wait_for(
        "the signal", lambda: not stack.stores().intents.take_intents(1, older_than_ms=0)
    )
    orders = stack.ledger()["orders"]
    assert [row["clientOrderId"] for row in orders].count(order_id) == 1
    assert stack.store().order(order_id) == order, "it was recalled as it was"


WRONG_USAGE = {
    "a time that is none": (("report", "--since", "yesterday"), 2, "yesterday"),
    "a file in no folder": (("report", "--html", "/nowhere/at/all.html"), 1, "/nowhere/at"),
    "fewer runs than none": (("reconciliations", "--last", "-1"), 2, "--last"),
    "a halt of nothing": (("halt", "--account", "other"), 1, "other"),
    "nothing to resume": (("resume", "--account", ACCOUNT), 1, ACCOUNT),
}


@pytest.mark.parametrize(
    ("arguments", "code", "named"), WRONG_USAGE.values(), ids=WRONG_USAGE.keys()
)
def test_wrong_usage_gets_one_sentence_that_names_it(
    oneorder: Oneorder, arguments: tuple[str, ...], code: int, named: str
) -> None:
    done = oneorder.run(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("oneorder: ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert named in done.stderr


def test_the_doctor_says_what_is_well_and_what_is_not(
    stack: LocalStack, oneorder: Oneorder, trade: Trade
) -> None:
    trade("for-the-doctor", "BTC/USDT", "buy", "0.01")
    checks = {row["check"]: row["result"] for row in oneorder.json("doctor")}
    # These run twice a minute only, and may not have yet.
    rare = {"schedule clocks.measure", "schedule accounts.check"}
    assert {name for name in checks if checks[name] != "OK"} <= rare
    assert {f"{ACCOUNT} clock", f"{ACCOUNT} key trades", "ledger", "workers"} <= set(checks)
    assert {"schedule orders.sweep", "redis write", f"{ACCOUNT} reconciliation"} <= set(checks)
    stack.kill("paper")
    done = oneorder.run("doctor", "--json")
    rows = json.loads(done.stdout)
    failed = [row["check"] for row in rows if row["result"] == "FAIL"]
    assert done.returncode == 1
    assert ACCOUNT in failed
    # The schedule may have met the exchange's end already.
    assert set(failed) <= {ACCOUNT, f"{ACCOUNT} reconciliation"}
    assert all(row["detail"] for row in rows)
    for width in ("80", "200"):
        shown = Oneorder(stack, {**stack.environment, "COLUMNS": width}).run("doctor")
        assert "FAIL" in shown.stdout
