"""The command line against a running stack."""

import json
from typing import Any

import pytest

from oneorder import __version__
from tests.support.command_line import Oneorder
from workers.sandbox.local_stack import LocalStack

LIMIT = {
    "signal_id": "cli-limit",
    "account": "binance-main",
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "limit",
    "amount": "0.01",
    "price": "45000",
}
ORDER_FIELDS = {
    "order_id", "signal_id", "account", "symbol", "side", "type", "time_in_force", "amount",
    "price", "state", "reason", "client_order_id", "exchange_order_id", "filled", "average",
    "fees", "published_at", "created_at",
    "updated_at",
}  # fmt: skip


def _state(stack: LocalStack, order_id: str) -> str:
    order = stack.store().order(order_id)
    return "" if order is None else order.state.value


def test_an_order_is_submitted_shown_canceled_and_listed(
    stack: LocalStack, oneorder: Oneorder
) -> None:
    (answer,) = oneorder.submit(LIMIT)
    order_id = answer["order_id"]
    stack.wait_for("the order to open", lambda: _state(stack, order_id) == "open")

    shown = oneorder.json("order", order_id)
    assert shown.keys() >= ORDER_FIELDS | {"attempts", "fills"}
    assert (shown["amount"], shown["price"], shown["filled"]) == ("0.01", "45000", "0")
    assert [attempt["verdict"] for attempt in shown["attempts"]] == ["accepted"]

    assert oneorder.json("cancel", order_id)["order_id"] == order_id
    stack.wait_for("the order to be gone", lambda: _state(stack, order_id) == "canceled")
    listed = oneorder.json("orders", "--state", "canceled", "--account", "binance-main")
    assert [row["order_id"] for row in listed] == [order_id]
    assert not listed[0].keys() & {"attempts", "fills"}
    assert oneorder.json("orders", "--state", "open") == []


def test_a_market_order_shows_its_fills_and_moves_the_position(
    stack: LocalStack, oneorder: Oneorder
) -> None:
    market = {**LIMIT, "signal_id": "cli-market", "type": "market", "symbol": "ETH/USDT"}
    market.pop("price")
    (answer,) = oneorder.submit(market)
    stack.wait_for("the fill", lambda: _state(stack, answer["order_id"]) == "filled")

    shown = oneorder.json("order", answer["order_id"])
    assert {"trade_id", "price", "amount", "fee", "fee_asset", "time"} <= shown["fills"][0].keys()
    assert shown["fills"][0]["time"].endswith("Z")
    (position,) = oneorder.json("positions")
    assert (position["symbol"], position["amount"]) == ("ETH/USDT", "0.00999")
    assert position["fees"] == {"ETH": "0.00001"}
    run = oneorder.json("reconcile")
    assert run[0]["symbols"] == ["ETH/USDT"]
    stack.wait_for("the next mark", lambda: oneorder.json("positions")[0]["mark_price"] is not None)
    (position,) = oneorder.json("positions")
    assert position["unrealised_pnl"] is not None


def test_the_same_signal_id_for_something_else_is_refused(
    stack: LocalStack, oneorder: Oneorder
) -> None:
    other = {**LIMIT, "signal_id": "cli-reused"}
    oneorder.submit(other)
    stack.wait_for("the first", lambda: len(stack.store().orders()) >= 1)
    oneorder.submit({**other, "amount": "0.02"})

    def is_refused() -> bool:
        return any("cli-reused" in row.body for row in stack.stores().listings.refused())

    stack.wait_for("the refusal", is_refused)
    assert any("cli-reused" in row["body"] for row in oneorder.json("refused"))
    assert [o["amount"] for o in oneorder.json("orders") if o["signal_id"] == "cli-reused"] == [
        "0.01"
    ]


REFUSED_LINES: dict[str, tuple[str, str]] = {
    "not json": ("nonsense", "body"),
    "a number for a string": (json.dumps({**LIMIT, "amount": 0.5}), "amount"),
    "nan": (json.dumps({**LIMIT, "amount": "NaN"}), "amount"),
    "negative": (json.dumps({**LIMIT, "price": "-1"}), "price"),
    "zero": (json.dumps({**LIMIT, "amount": "0.000"}), "amount"),
    "unknown field": (json.dumps({**LIMIT, "prize": "1"}), "prize"),
    "over-long": (json.dumps({**LIMIT, "signal_id": "x" * 1000}), "signal_id"),
    "side": (json.dumps({**LIMIT, "side": "up"}), "side"),
    "symbol": (json.dumps({**LIMIT, "symbol": "BTCUSDT"}), "symbol"),
}


@pytest.mark.parametrize("names", [("not json",), tuple(REFUSED_LINES)], ids=["one", "all"])
def test_bad_signals_are_refused_with_their_fields_and_change_nothing(
    stack: LocalStack, oneorder: Oneorder, names: tuple[str, ...]
) -> None:
    before = len(stack.store().orders())
    lines, fields = zip(*(REFUSED_LINES[name] for name in names), strict=True)
    done = oneorder.run("submit", "-", "--json", stdin="\n".join(lines))
    answers: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    for answer, field in zip(answers, fields, strict=True):
        assert answer["error"].startswith(f"{field}: ")
    assert done.returncode == 1
    assert len(stack.store().orders()) == before
    assert stack.stores().intents.take_intents(10, older_than_ms=0) == []


def test_of_many_lines_each_bad_one_gets_its_error_and_the_good_ones_go_out(
    stack: LocalStack, oneorder: Oneorder
) -> None:
    late = {**LIMIT, "signal_id": "cli-late", "expires_at": "9999-12-31T23:59:59-12:00"}
    lines = [
        json.dumps(late),
        json.dumps({**LIMIT, "signal_id": "\ud800"}),
        json.dumps({**LIMIT, "\ud800": 1}),
        '{"a":' * 100_000,
        json.dumps({**LIMIT, "signal_id": "cli-elsewhere", "account": "elsewhere"}),
        json.dumps({**LIMIT, "signal_id": "cli-behind"}),
    ]
    for as_json in ((), ("--json",)):
        done = oneorder.run("submit", "-", *as_json, stdin="\n".join(lines))
        assert done.returncode == 1
        assert len(done.stdout.splitlines()) == len(lines)
        assert done.stderr == (
            "oneorder: warning: cli-elsewhere: account 'elsewhere' is not configured here (known: "
            "binance-main); published for a worker that has it\n"
        )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert ["error" in answer for answer in answers] == [True] * 4 + [False] * 2
    assert answers[0]["error"].endswith("is in UTC before the year 1 or after the year 9999")
    behind = answers[-1]["order_id"]
    stack.wait_for("the last line's order", lambda: _state(stack, behind) == "open")

    reason = "account: 'elsewhere' is not configured on any live worker"

    def waits() -> bool:
        waiting = stack.stores().waiting.waiting()
        return bool(waiting) and all(each.reason.startswith(reason) for each in waiting)

    stack.wait_for("the signal that waits, with its reason", waits)
    rows = oneorder.json("waiting")
    assert rows
    assert all(row["reason"].startswith(reason) for row in rows)


WRONG_USAGE = {
    "no command": ((), 2),
    "unknown command": (("dance",), 2),
    "unknown option": (("orders", "--colour", "red"), 2),
    "unknown state": (("orders", "--state", "happy"), 2),
    "a file that is not there": (("submit", "/nowhere/at-all"), 1),
    "an order that is not known": (("order", "oonothing"), 1),
    "cancel of one that is not known": (("cancel", "oonothing"), 1),
    "an account that is not configured": (("reconcile", "--account", "other"), 1),
    "a port out of range": (("redis", "--port", "99999"), 2),
    "a dialect that is not spoken": (("paper", "--dialect", "klingon", "--port", "1"), 2),
}


@pytest.mark.parametrize(("arguments", "code"), WRONG_USAGE.values(), ids=WRONG_USAGE.keys())
def test_wrong_usage_gets_one_sentence_and_its_exit_code(
    oneorder: Oneorder, arguments: tuple[str, ...], code: int
) -> None:
    done = oneorder.run(*arguments)
    assert done.returncode == code
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert 1 <= len(done.stderr.strip().splitlines()) <= 2


def test_the_version_is_all_that_is_printed_when_asked_for(oneorder: Oneorder) -> None:
    done = oneorder.run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"oneorder {__version__}\n", "")


def test_a_server_that_is_away_gets_one_sentence(oneorder: Oneorder, stack: LocalStack) -> None:
    away = {**stack.environment, "ONEORDER_REDIS_URL": "redis://127.0.0.1:1/0"}
    elsewhere = Oneorder(stack, away)
    for arguments in (("orders",), ("positions",), ("submit", "-")):
        done = elsewhere.run(*arguments, stdin=json.dumps(LIMIT))
        assert done.returncode == 1
        assert done.stderr.startswith("oneorder: ")
        assert len(done.stderr.strip().splitlines()) == 1
