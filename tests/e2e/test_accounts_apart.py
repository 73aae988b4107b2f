"""Workers that do not know the same accounts, as while an account is added to one after another."""

import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from execution.model.clock import SystemClock
from execution.model.order import OrderState, OrderType, Side
from execution.orders.factory import new_order
from execution.orders.store import Change, Committed
from oneorder import OrderSignal, Publisher, publish_order
from oneorder.identifiers import order_id_of
from oneorder.settings import SignalSettings
from workers.sandbox.local_stack import LocalStack

pytestmark = pytest.mark.system

KNOWN_TO_BOTH, KNOWN_TO_ONE, KNOWN_TO_NONE = "binance-main", "second", "third"
WAIT_MAX_S = 6
SIGNALS = 30


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Two workers: the first knows one account, the second two."""
    directory = tmp_path_factory.mktemp("apart")
    settings = {"signal_wait_max_s": WAIT_MAX_S}
    with LocalStack(directory, settings, further={KNOWN_TO_ONE: "binance"}) as stack:
        stack.start_redis()
        for account in (KNOWN_TO_BOTH, KNOWN_TO_ONE):
            stack.start_paper("--seed", "3", "--weight-per-minute", "0", account=account)
        stack.start_worker("worker-2")
        stack.start_beat()
        first = {"exchange": "binance", "base_url": stack.url_of(KNOWN_TO_BOTH)}
        config = tomli_w.dumps(
            {"redis_url": stack.redis_url, **settings, "accounts": {KNOWN_TO_BOTH: first}}
        )
        (directory / "first.toml").write_text(config)
        whole = stack.environment
        stack.environment = {**whole, "ONEORDER_CONFIG": str(directory / "first.toml")}
        stack.start_worker("worker-1")
        stack.environment = whole
        for name in ("worker-1", "worker-2"):
            stack.wait_for_worker(name)
        stack.wait_for("both heartbeats", lambda: len(stack.stores().workers.live()) == 2)
        yield stack


def signal(name: str, account: str) -> OrderSignal:
    fields: dict[str, Any] = {
        "signal_id": name,
        "account": account,
        "symbol": "BTC/USDT",
        "side": "buy",
        "type": "market",
        "amount": "0.01",
    }
    return OrderSignal.model_validate(fields)


def states(stack: LocalStack, names: list[str]) -> set[OrderState | None]:
    found = [stack.store().order(order_id_of(name)) for name in names]
    return {None if order is None else order.state for order in found}


def test_each_signal_finds_the_worker_that_knows_its_account(apart: LocalStack) -> None:
    publisher = Publisher(SignalSettings(redis_url=apart.redis_url))
    began = time.monotonic()
    publish_order(signal("nowhere", KNOWN_TO_NONE), publisher)
    names = []
    for number in range(SIGNALS):
        for account in (KNOWN_TO_BOTH, KNOWN_TO_ONE):
            names.append(f"{account}-{number}")
            publish_order(signal(names[-1], account), publisher)
    publisher.close()
    apart.wait_for(
        "every order", lambda: states(apart, names) == {OrderState.FILLED}, patience_s=60
    )
    apart.wait_for(
        "the refusal", lambda: list(apart.stores().listings.refused()) != [], patience_s=60
    )
    assert time.monotonic() - began >= WAIT_MAX_S
    refused = list(apart.stores().listings.refused())
    assert [each.reason.partition(", for")[0] for each in refused] == [
        f"account: {KNOWN_TO_NONE!r} is not configured on any live worker"
    ]
    apart.wait_for("the rest", lambda: apart.stores().waiting.count() == 0)
    for account in (KNOWN_TO_BOTH, KNOWN_TO_ONE):
        assert len(apart.ledger(account)["orders"]) == SIGNALS
    assert apart.stores().intents.take_intents(10, 0) == []
    for name in ("worker-1", "worker-2", "beat"):
        assert "Traceback" not in apart.log(name), apart.log(name)


def test_a_bare_message_for_an_account_of_another_worker_is_not_lost(apart: LocalStack) -> None:
    from celery import Celery

    from oneorder.broker import SHARED

    app = Celery("bare", broker=apart.redis_url, set_as_current=False)
    app.conf.update(SHARED)
    names = [f"bare-{number}" for number in range(10)]
    for name in names:
        app.send_task("orders.execute", args=[signal(name, KNOWN_TO_ONE).to_body()])
    app.close()
    apart.wait_for("each order", lambda: states(apart, names) == {OrderState.FILLED})


def recorded(stack: LocalStack, name: str, account: str) -> str:
    """An order that a worker has recorded and not sent yet, as the sweep leaves one."""
    stores = stack.stores()
    order = new_order(
        signal_id=name,
        account=account,
        symbol="BTC/USDT",
        side=Side.BUY,
        type=OrderType.MARKET,
        amount=Decimal("0.01"),
        price=None,
        now=SystemClock().now(),
    )
    after = replace(order, version=1, revision="first")
    change = Change(order, after, due_ms=SystemClock().now_ms(), is_from_signal=True)
    assert stores.orders.commit(change) is Committed.DONE
    return name


def test_a_recorded_order_goes_on_where_its_account_is_known(apart: LocalStack) -> None:
    names = [recorded(apart, f"recorded-{number}", KNOWN_TO_ONE) for number in range(20)]
    apart.wait_for("each order", lambda: states(apart, names) == {OrderState.FILLED})


def test_a_recorded_order_is_refused_only_after_no_worker_has_known_its_account_for_long(
    apart: LocalStack,
) -> None:
    began = time.monotonic()
    name = recorded(apart, "recorded-nowhere", KNOWN_TO_NONE)
    apart.wait_for("the refusal", lambda: states(apart, [name]) == {OrderState.REFUSED})
    assert time.monotonic() - began >= WAIT_MAX_S
    order = apart.store().order(order_id_of(name))
    assert order is not None
    assert order.reason == f"account: {KNOWN_TO_NONE!r} is not configured"


def test_a_worker_that_ends_by_itself_is_out_of_the_registry(apart: LocalStack) -> None:
    apart.processes["worker-1"].terminate()
    apart.processes["worker-1"].wait(30)
    assert [w.name for w in apart.stores().workers.live()] == ["worker-2@localhost"]


def test_a_worker_without_accounts_says_so_and_does_not_start(
    apart: LocalStack, tmp_path: Path
) -> None:
    config = tmp_path / "oneorder.toml"
    config.write_text(tomli_w.dumps({"redis_url": apart.redis_url}))
    whole = apart.environment
    apart.environment = {**whole, "ONEORDER_CONFIG": str(config)}
    apart.start_worker("without")
    apart.environment = whole
    assert apart.processes["without"].wait(60) != 0
    said = apart.log("without")
    assert said.strip().splitlines()[-1] == (
        f"oneorder: accounts: none is configured, and a worker needs at least one ({config}, or "
        "ONEORDER_ACCOUNTS)"
    )
    assert "Traceback" not in said
