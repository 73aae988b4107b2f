"""A worker that takes no messages though some wait ends, with the reason as its last word; one
whose event loop fails goes on."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from execution.model.order import OrderState
from oneorder import OrderSignal
from oneorder.identifiers import order_id_of
from oneorder.publisher import Publisher, publish_order
from oneorder.settings import SignalSettings
from workers.sandbox.local_stack import LocalStack

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
ORDER = {
    "account": "binance-main",
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "market",
    "amount": "0.01",
}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Valkey and a paper exchange, without workers."""
    settings = {"stuck_after_s": 5, "worker_threads": 2}
    with LocalStack(tmp_path_factory.mktemp("alone"), settings) as stack:
        stack.start_redis()
        stack.start_paper("--seed", "3")
        stack.environment["PYTHONPATH"] = str(ROOT)
        yield stack


def start_odd_worker(stack: LocalStack, name: str) -> "subprocess.Popen[bytes]":
    """Start the worker that tests/e2e/NAME_worker.py makes."""
    command = [sys.executable, "-m", "celery", "-A", f"tests.e2e.{name}_worker", "worker"]
    stack.start(name, [*command, "-l", "WARNING", "-n", f"{name}@localhost"])
    stack.wait_for_worker(name)
    return stack.processes[name]


def publish(stack: LocalStack, signal_id: str) -> None:
    publisher = Publisher(SignalSettings(redis_url=stack.redis_url))
    publish_order(OrderSignal.model_validate({**ORDER, "signal_id": signal_id}), publisher)
    publisher.close()


def wait_for_fill(stack: LocalStack, signal_id: str) -> None:
    store = stack.store()

    def is_filled() -> bool:
        found = store.order(order_id_of(signal_id))
        return found is not None and found.state is OrderState.FILLED

    stack.wait_for("the order", is_filled)


def test_a_worker_that_stands_ends_itself_and_the_next_one_does_its_work(
    alone: LocalStack,
) -> None:
    process = start_odd_worker(alone, "wedged")
    publish(alone, "a")
    alone.wait_for("its end", lambda: process.poll() is not None, patience_s=60)

    assert process.returncode == 1
    last = [line for line in alone.log("wedged").splitlines() if '"level": "error"' in line][-1]
    assert "worker_stuck" in last
    assert "took no message for 5 s though messages waited" in last

    alone.start_worker("sound")
    wait_for_fill(alone, "a")
    alone.kill("sound")


def test_a_worker_whose_event_loop_fails_connects_again(alone: LocalStack) -> None:
    process = start_odd_worker(alone, "startled")
    alone.wait_for("the failure", lambda: "event_loop_failed" in alone.log("startled"))
    publish(alone, "b")
    wait_for_fill(alone, "b")
    assert process.poll() is None


def test_what_ends_by_itself_is_started_again_and_what_was_killed_is_not(tmp_path: Path) -> None:
    with LocalStack(tmp_path) as stack:
        for name in ("ends", "killed"):
            code = "raise SystemExit(3)" if name == "ends" else "import time; time.sleep(60)"
            stack.start(name, [sys.executable, "-c", code])
        first = stack.processes["ends"]
        stack.wait_for("its end", lambda: first.poll() is not None)
        stack.kill("killed")

        assert stack.restart_ended() == ["ends"]
        assert stack.processes["ends"].pid != first.pid
