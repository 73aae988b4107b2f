"""Doctor says what is wrong, never hangs, and takes nothing for well that is not."""

import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from execution.exchanges.account import Account
from execution.exchanges.port import ClockOffset
from execution.ledger.memory import MemoryLedger
from execution.model.clock import SystemClock
from execution.model.errors import ExchangeUnavailable
from execution.model.order import OrderState
from execution.operations.live_workers import LiveWorker
from execution.orders.store import Halt, RefusedIntent
from execution.reconciliation.run import Reconciliation
from execution.store.memory.health import RECOMMENDED
from execution.store.stores import open_stores
from execution.text.cutting import some
from oneorder.broker import QUEUES
from tests.support.exchange import FakeExchange
from tests.support.fakes import ACCOUNT, Rig
from workers.bootstrap import compose, observe
from workers.configuration.settings import AccountSettings, Settings
from workers.doctor import Finding, Result, examine
from workers.doctor.account_checks import check_account, check_reconciliations
from workers.doctor.bounds import run_checks
from workers.doctor.findings import duration, ok
from workers.doctor.ledger_checks import check_history, check_ledger, check_orders
from workers.doctor.redis_checks import check_redis
from workers.doctor.work_checks import check_work
from workers.liveness.ticks import note_run, schedules

SETTINGS = Settings(accounts={ACCOUNT: AccountSettings(exchange="binance")})


def by_check(findings: Iterable[Finding]) -> dict[str, Finding]:
    found = {finding.check: finding for finding in findings}
    for finding in found.values():
        assert finding.detail
        assert finding.help or finding.result is not Result.FAIL or "exchange" in finding.detail
    return found


def results(findings: Iterable[Finding]) -> dict[str, Result]:
    return {name: finding.result for name, finding in by_check(findings).items()}


def alive(rig: Rig, **changes: object) -> LiveWorker:
    now = rig.clock.now()
    worker = LiveWorker("celery@a", "a", 1, now, now, (ACCOUNT,), 1, "0.1.0")
    return replace(worker, **changes)  # type: ignore[arg-type]


def working() -> Rig:
    """A set-up with a worker and a beat, each schedule of which has just run."""
    rig = Rig()
    rig.workers.beat(alive(rig))
    for name in schedules(SETTINGS):
        rig.health.tick(name)
    return rig


def work(rig: Rig) -> dict[str, Finding]:
    return by_check(check_work(SETTINGS, rig.stores()))


def test_where_all_is_well_doctor_says_so() -> None:
    found = work(working())
    assert {finding.result for finding in found.values()} == {Result.OK}
    assert {
        "workers",
        "signals waiting",
        "halts",
        f"schedule positions.reconcile {ACCOUNT}",
    } <= set(found)


def test_no_worker_is_a_failure() -> None:
    rig = working()
    rig.workers.leave(alive(rig))
    assert work(rig)["workers"].result is Result.FAIL


def test_an_account_that_no_live_worker_knows_is_a_failure() -> None:
    rig = working()
    rig.workers.beat(alive(rig, accounts=("other",)))
    assert "binance-main" in work(rig)["worker accounts"].detail


def test_workers_of_different_releases_are_warned_of() -> None:
    rig = working()
    rig.workers.beat(alive(rig, name="celery@b", release="0.2.0"))
    assert work(rig)["worker releases"].result is Result.WARN


def test_a_beat_that_never_was_is_a_failure() -> None:
    rig = Rig()
    rig.workers.beat(alive(rig))
    found = work(rig)
    assert found["beat"].result is Result.FAIL
    assert "none has ever run" in found["beat"].detail
    assert "celery -A workers beat" in found["beat"].help


def test_a_beat_that_has_stopped_is_a_failure() -> None:
    rig = working()
    rig.clock.advance(400_000)
    rig.workers.beat(alive(rig))
    found = work(rig)
    assert found["beat"].result is Result.FAIL
    assert "6 min ago" in found["beat"].detail
    assert found["schedule orders.sweep"].result is Result.FAIL


def test_one_schedule_that_does_not_run_is_a_failure_of_its_own() -> None:
    rig = working()
    rig.clock.advance(400_000)
    rig.workers.beat(alive(rig))
    for name in set(schedules(SETTINGS)) - {"ledger.archive"}:
        rig.health.tick(name)
    found = work(rig)
    assert "beat" not in found
    assert found["schedule ledger.archive"].result is Result.FAIL
    assert found["schedule orders.sweep"].result is Result.OK


def test_every_upkeep_task_has_a_schedule_that_doctor_watches() -> None:
    upkeep = {task for task, queue in QUEUES.items() if queue == "upkeep"}
    assert {name.partition(" ")[0] for name in schedules(SETTINGS)} == upkeep


def test_a_sweep_that_fails_each_time_is_a_failure_with_its_error() -> None:
    rig = working()
    rig.health.tick("orders.sweep", "OverflowError: date value out of range")
    sweep = work(rig)["schedule orders.sweep"]
    assert sweep.result is Result.FAIL
    assert "OverflowError" in sweep.detail


@pytest.mark.parametrize(
    ("age_ms", "result"),
    [(500, Result.OK), (15_000, Result.WARN), (90_000, Result.FAIL), (-60_000, Result.WARN)],
)
def test_an_intent_that_waits_too_long_is_noticed(age_ms: int, result: Result) -> None:
    rig = working()
    entry_id = rig.store.add_intent("orders.execute", "{}")
    tables = rig.store.tables
    moved = f"{int(entry_id.split('-')[0]) - age_ms}-0"
    tables.intents[moved] = tables.intents.pop(entry_id)
    found = work(rig)["signals waiting"]
    assert found.result is result
    assert "1 waiting" in found.detail


def test_refused_signals_are_counted_and_halts_named() -> None:
    rig = working()
    rig.store.refuse_intent(RefusedIntent("t", "b", "r", rig.clock.now()), None)
    rig.store.halt(Halt(None, "lunch", rig.clock.now()))
    found = work(rig)
    assert found["signals refused"].detail.startswith("1 kept")
    assert found["halts"].result is Result.WARN
    assert found["halts"].detail == "every account: lunch"


def test_a_ledger_that_cannot_be_written_to_is_a_failure() -> None:
    ledger = MemoryLedger()
    assert results(check_ledger(ledger)) == {"ledger": Result.OK, "ledger write": Result.OK}
    ledger.away = True
    (found,) = run_checks({"ledger": lambda: check_ledger(ledger)}, 5)
    assert (found.check, found.result) == ("ledger", Result.FAIL)


def test_a_ledger_in_the_place_of_another_is_a_failure() -> None:
    rig = Rig()
    trusted = by_check(check_history(rig.stores(), rig.ledger, lambda: None))
    assert trusted["ledger identity"].result is Result.OK
    why = "positions are not checked: it is another ledger"
    found = by_check(check_history(rig.stores(), rig.ledger, lambda: why))["ledger identity"]
    assert found.result is Result.FAIL
    assert why in found.detail
    assert "--force" in found.help


@pytest.mark.parametrize(
    ("age_s", "result"), [(5, Result.OK), (90, Result.WARN), (900, Result.FAIL)]
)
def test_a_ledger_that_falls_behind_is_noticed(age_s: int, result: Result) -> None:
    rig = Rig()
    rig.manager.submit(rig.order())
    rig.clock.advance(age_s * 1_000)
    found = by_check(check_history(rig.stores(), rig.ledger, lambda: None))["ledger backlog"]
    assert found.result is result
    assert found.detail.startswith("1 orders not written yet")


def test_orders_in_quarantine_are_listed() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    rig.ledger.write([replace(order, state=OrderState.QUARANTINED, version=9)])
    rig.store.tables.orders[order.order_id] = replace(order, state=OrderState.QUARANTINED)
    found = by_check(check_orders(rig.stores(), rig.ledger, [ACCOUNT]))["orders in quarantine"]
    assert found.result is Result.WARN
    assert order.order_id in found.detail


@pytest.mark.parametrize("archived", [False, True])
def test_open_orders_of_accounts_that_were_taken_out_are_listed(archived: bool) -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    assert order.is_live
    if archived:
        rig.archive.run()
    assert (
        results(check_orders(rig.stores(), rig.ledger, [ACCOUNT]))["orders of unknown accounts"]
        is Result.OK
    )
    found = by_check(check_orders(rig.stores(), rig.ledger, ["another"]))
    left = found["orders of unknown accounts"]
    assert left.result is Result.FAIL
    assert order.order_id in left.detail
    assert f"[accounts.{ACCOUNT}]" in left.help


def test_an_order_that_has_ended_since_it_was_archived_is_not_listed() -> None:
    rig = Rig()
    order = rig.manager.submit(rig.order())
    rig.archive.run()
    rig.store.tables.orders[order.order_id] = replace(order, state=OrderState.CANCELED)
    found = results(check_orders(rig.stores(), rig.ledger, ["another"]))
    assert found["orders of unknown accounts"] is Result.OK


class ScriptedExchange(FakeExchange):
    """An exchange whose key and clock are as a test says."""

    trades: bool | None = True
    withdraws: bool | None = False
    offset_ms = 0

    def may_trade(self) -> bool | None:
        return self.trades

    def may_withdraw(self) -> bool | None:
        if self.withdraws is None:
            raise ExchangeUnavailable("no such route")
        return self.withdraws

    def measure_clock(self) -> ClockOffset:
        return ClockOffset(self.offset_ms, 10, 0)


def account_found(exchange: FakeExchange) -> dict[str, Result]:
    return results(check_account(ACCOUNT, lambda _: exchange))


def test_an_account_that_is_well_is_found_well() -> None:
    assert set(account_found(ScriptedExchange(Rig().clock)).values()) == {Result.OK}


def test_what_a_key_may_not_and_what_it_had_better_not_be_allowed_is_said() -> None:
    exchange = ScriptedExchange(Rig().clock)
    exchange.trades, exchange.withdraws, exchange.offset_ms = False, True, -4_000
    found = account_found(exchange)
    assert found[f"{ACCOUNT} key trades"] is Result.FAIL
    assert found[f"{ACCOUNT} key withdraws"] is Result.WARN
    assert found[f"{ACCOUNT} clock"] is Result.WARN


def test_rights_that_cannot_be_learnt_are_no_failure() -> None:
    exchange = ScriptedExchange(Rig().clock)
    exchange.trades = exchange.withdraws = None
    found = account_found(exchange)
    assert found[f"{ACCOUNT} key trades"] is Result.WARN
    assert found[f"{ACCOUNT} key withdraws"] is Result.OK


def test_an_exchange_that_does_not_answer_is_a_failure() -> None:
    exchange = ScriptedExchange(Rig().clock)
    exchange.fail("balances")
    assert account_found(exchange) == {ACCOUNT: Result.FAIL}


def reconciled(rig: Rig, **changes: object) -> dict[str, Result]:
    rig.book.add_run(replace(Reconciliation(ACCOUNT, rig.clock.now()), **changes))  # type: ignore[arg-type]
    return results(check_reconciliations([ACCOUNT], rig.stores().listings))


def test_the_last_reconciliation_of_each_account_is_judged() -> None:
    rig = Rig()
    assert results(check_reconciliations([ACCOUNT], rig.stores().listings)) == {
        f"{ACCOUNT} reconciliation": Result.WARN
    }
    failed = reconciled(rig, error="no answer")
    assert failed[f"{ACCOUNT} reconciliation"] is Result.FAIL
    drifting = reconciled(rig, drift={"BTC": Decimal(1)}, external_orders=["BTC/USDT 1"])
    assert drifting == {
        f"{ACCOUNT} reconciliation": Result.OK,
        f"{ACCOUNT} drift": Result.WARN,
        f"{ACCOUNT} foreign orders": Result.WARN,
    }
    unread = reconciled(rig, symbols_failed={"AAA/USDT": "garbled"}, warnings=["cancel it there"])
    assert unread == {
        f"{ACCOUNT} reconciliation": Result.OK,
        f"{ACCOUNT} symbols not read": Result.WARN,
        f"{ACCOUNT} reconciliation warns": Result.WARN,
    }
    assert set(reconciled(rig).values()) == {Result.OK}


def test_a_server_without_an_append_only_file_or_with_a_failing_one_is_noticed() -> None:
    rig = Rig()
    settings = {**RECOMMENDED, "appendonly": "no", "appendfsync": ""}
    rig.health.facts = replace(rig.health.facts, settings=settings, is_append_failing=True)
    found = by_check(check_redis(rig.health))
    assert found["redis appendonly"].help == "CONFIG SET appendonly yes"
    assert found["redis appendfsync"].detail.startswith("the server does not say")
    assert found["redis append-only file"].result is Result.FAIL


@pytest.mark.parametrize("refusal", ["OOM command not allowed", "MISCONF Errors writing", "odd"])
def test_a_refused_write_is_a_failure_whatever_the_reason(refusal: str) -> None:
    rig = Rig()
    rig.health.refusal = refusal
    found = {finding.check: finding for finding in check_redis(rig.health)}
    assert found["redis write"].result is Result.FAIL
    assert refusal in found["redis write"].detail


def test_a_check_that_hangs_holds_up_no_other_and_is_a_failure() -> None:
    def hang() -> Iterator[Finding]:
        time.sleep(60)
        yield ok("slow", "")

    def breaks() -> Iterator[Finding]:
        yield ok("half", "done")
        raise ZeroDivisionError("oops")

    began = time.monotonic()
    found = run_checks({"slow": hang, "broken": breaks, "fine": lambda: [ok("fine", "yes")]}, 1)
    assert time.monotonic() - began < 5
    assert [(each.check, each.result.value) for each in found] == [
        ("slow", "FAIL"), ("half", "OK"), ("broken", "FAIL"), ("fine", "OK"),
    ]  # fmt: skip
    assert found[0].detail == "no answer within 1 s"
    assert found[2].detail == "ZeroDivisionError: oops"


def test_a_server_and_an_exchange_that_are_black_holes_make_failures_not_a_hang() -> None:
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(50)
        address = f"127.0.0.1:{hole.getsockname()[1]}"
        account = Account(ACCOUNT, "binance", "k", "s", base_url=f"http://{address}", timeout_s=15)
        url = f"redis://{address}/0"
        stores = open_stores(url, SystemClock())
        parts = compose(SETTINGS, {ACCOUNT: account}, stores, MemoryLedger(), observe)
        began = time.monotonic()
        found = {finding.check: finding.result for finding in examine(parts, bound_s=1)}
        assert time.monotonic() - began < 8
    assert found[ACCOUNT] is Result.FAIL
    assert found["redis"] is Result.FAIL
    assert found["ledger"] is Result.OK
    assert "workers" not in found, "what cannot be read is said once"


def test_an_installation_is_examined_as_a_whole() -> None:
    rig = working()
    parts = compose(SETTINGS, {}, rig.stores(), rig.ledger, observe)
    found = {finding.check: finding.result for finding in examine(parts)}
    assert {"settings", "redis write", "ledger write", "ledger identity", "workers"} <= set(found)
    assert found["settings"] is Result.WARN
    assert Result.FAIL not in found.values()


def test_only_scheduled_tasks_are_noted_and_never_with_a_secret() -> None:
    rig = Rig()
    known = schedules(SETTINGS)
    note_run(rig.health, known, "orders.execute", ({},), None)
    note_run(rig.health, known, "positions.reconcile", ({"account": "other"},), None)
    note_run(rig.health, known, "positions.reconcile", (["odd"],), None)
    note_run(rig.health, known, "positions.reconcile", ({"account": ACCOUNT},), None)
    note_run(rig.health, known, "orders.sweep", (), ValueError("at redis://u:canary1@h " * 99))
    ticks = rig.health.ticks()
    assert set(ticks) == {"orders.sweep", f"positions.reconcile {ACCOUNT}"}
    assert "canary1" not in ticks["orders.sweep"].error
    assert len(ticks["orders.sweep"].error) <= 300


@pytest.mark.parametrize(
    ("ms", "text"), [(900, "0 s"), (119_000, "119 s"), (-300_000, "5 min"), (10**9, "11 d")]
)
def test_times_that_have_passed_are_in_words(ms: int, text: str) -> None:
    assert duration(ms) == text


def test_long_lists_are_cut_short() -> None:
    assert some(list("abcdefg")) == "a, b, c, d, e and 2 more"
    assert some(["a"]) == "a"


def test_findings_hold_no_secret() -> None:
    assert "canary" not in Finding("x", Result.FAIL, "redis://u:canary@h").detail
