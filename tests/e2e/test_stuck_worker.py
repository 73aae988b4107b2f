"""A worker that takes no messages though some wait ends, with the reason as its last word."""

import sys
from pathlib import Path

from execution.identifiers import order_id_of
from execution.orders import OrderState
from signals import OrderSignal
from signals.publisher import Publisher, publish_order
from signals.settings import SignalSettings
from workers.local_stack import LocalStack

ROOT = Path(__file__).parents[2]


def test_a_worker_that_stands_ends_itself_and_the_next_one_does_its_work(tmp_path: Path) -> None:
    with LocalStack(tmp_path, {"stuck_after_s": 5, "worker_threads": 2}) as stack:
        stack.start_redis()
        stack.start_paper("--seed", "3")
        stack.environment["PYTHONPATH"] = str(ROOT)
        wedged = [sys.executable, "-m", "celery", "-A", "tests.e2e.wedged_worker", "worker"]
        stack.start("wedged", [*wedged, "-l", "WARNING", "-n", "wedged@localhost"])
        stack.wait_for_worker("wedged")
        publisher = Publisher(SignalSettings(redis_url=stack.redis_url))
        order = {"signal_id": "a", "account": "binance-main", "symbol": "BTC/USDT", "side": "buy"}
        publish_order(OrderSignal(**order, type="market", amount="0.01"), publisher)
        process = stack.processes["wedged"]
        stack.wait_for("its end", lambda: process.poll() is not None, patience_s=60)

        assert process.returncode == 1
        last = [line for line in stack.log("wedged").splitlines() if '"level": "error"' in line][-1]
        assert "worker_stuck" in last
        assert "took no message for 5 s though messages waited" in last

        stack.start_worker("sound")
        store = stack.store()

        def is_filled() -> bool:
            found = store.order(order_id_of("a"))
            return found is not None and found.state is OrderState.FILLED

        stack.wait_for("the order", is_filled)
        publisher.close()


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
