"""Signals that this worker cannot take: left to one that can, and refused only where none does."""

import json
from datetime import timedelta
from typing import Any

import pytest

from execution.model.order import OrderState
from execution.operations.live_workers import BEAT_TTL_MS
from execution.orders.store import Intent, RefusedIntent
from oneorder.identifiers import order_id_of
from tests.support.fakes import ACCOUNT, Rig
from tests.support.intake_kit import MARKET_AGE_MAX_S, WAIT_MAX_S, IntakeKit, live_worker
from workers.intake.deferrals import LeftToOthers

BODY: dict[str, Any] = {
    "signal_id": "signal-1",
    "account": "second",
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "limit",
    "amount": "1",
    "price": "100",
}
ARBITRAGE: dict[str, Any] = {
    "signal_id": "signal-1",
    "buy_account": ACCOUNT,
    "sell_account": "second",
    "symbol": "BTC/USDT",
    "amount": "1",
}
ODD = '{"signal_id": "\\ud800"}'
HERE = "account: 'second' is not configured on this worker"
NOWHERE = "account: 'second' is not configured on any live worker"
MINUTE_MS = 60_000


class Arbitrages:
    """The arbitrage side, which remembers what came in."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def execute(self, signal: Any, entry_id: object) -> Any:
        self.seen.append(signal)
        return signal

    receive = execute


def added(rig: Rig, body: object, task: str = "orders.execute", version: str = "1") -> Intent:
    text = body if isinstance(body, str) else json.dumps(body)
    return rig.waiting.add(task, text, version)


def came(kit: IntakeKit, intent: Intent, how: str) -> None:
    """It comes in as a message that names its entry, as a bare one, or by the sweep."""
    if how == "intent":
        kit.intake.drain(intent)
        return
    take = kit.intake.arbitrage if intent.task == "arbitrage.execute" else kit.intake.execute
    take(json.loads(intent.body), intent.entry_id if how == "message" else None, intent.version)


def look_again(rig: Rig, kit: IntakeKit) -> None:
    """What the sweep does with what waits."""
    for each in rig.waiting.take(rig.clock.now_ms(), 100, 2_000):
        kit.intake.look_again(each)


def reasons(rig: Rig) -> list[str]:
    return [each.reason for each in rig.waiting.waiting()]


def refused(rig: Rig) -> list[RefusedIntent]:
    return rig.store.refused_intents(100)


every_way = pytest.mark.parametrize("how", ["message", "bare", "intent"])
both_kinds = pytest.mark.parametrize(
    ("task", "body"),
    [("orders.execute", BODY), ("arbitrage.execute", ARBITRAGE)],
    ids=["order", "arbitrage"],
)


@every_way
@both_kinds
def test_a_signal_for_an_account_of_another_live_worker_is_left_to_it(
    how: str, task: str, body: dict[str, Any]
) -> None:
    rig = Rig()
    live_worker(rig, "here", [ACCOUNT])
    live_worker(rig, "there", [ACCOUNT, "second"])
    kit = IntakeKit(rig, [ACCOUNT])
    intent = added(rig, body, task)
    with pytest.raises(LeftToOthers) as left:
        came(kit, intent, how)
    assert reasons(rig) == [f"{HERE}; left to there"]
    assert (refused(rig), kit.alerts, rig.placements) == ([], [], 0)
    arbitrages = Arbitrages()
    there = IntakeKit(rig, [ACCOUNT, "second"], arbitrages=arbitrages).intake
    there.take(left.value.entry_id)
    assert rig.waiting.count() == 0
    if how == "bare":
        # Its own entry is still in the stream, for the sweep to find the order known.
        rig.store.settle_intent(intent.entry_id)
    assert rig.store.take_intents(10, 0) == []
    assert rig.accepted + len(arbitrages.seen) == 1
    there.take(left.value.entry_id)
    assert rig.accepted + len(arbitrages.seen) == 1


@every_way
@both_kinds
def test_a_signal_for_an_account_of_no_live_worker_waits_and_people_are_alerted_once(
    how: str, task: str, body: dict[str, Any]
) -> None:
    rig = Rig()
    live_worker(rig, "here", [ACCOUNT])
    kit = IntakeKit(rig, [ACCOUNT])
    came(kit, added(rig, body, task), how)
    assert len(reasons(rig)) == 1
    assert reasons(rig)[0].endswith("waits for one that has it, for 300 s (signal_wait_max_s)")
    for _ in range(5):
        rig.clock.advance(2_000)
        look_again(rig, kit)
    assert len(kit.alerts) == 1
    assert refused(rig) == []
    assert len(reasons(rig)) == 1


def test_a_signal_is_refused_once_no_live_worker_has_taken_it_for_long_enough() -> None:
    rig = Rig()
    kit = IntakeKit(rig, [ACCOUNT])
    came(kit, added(rig, BODY), "intent")
    rig.clock.advance(WAIT_MAX_S * 1_000 - 1)
    look_again(rig, kit)
    assert refused(rig) == []
    rig.clock.advance(2_000)
    look_again(rig, kit)
    assert refused(rig)[0].reason == f"{NOWHERE}, for 301 s (signal_wait_max_s)"
    assert json.loads(refused(rig)[0].body) == BODY
    assert rig.waiting.count() == 0


def test_a_signal_is_not_refused_while_the_one_worker_that_takes_it_restarts() -> None:
    rig = Rig()
    kit = IntakeKit(rig, [ACCOUNT])
    came(kit, added(rig, BODY), "intent")
    rig.clock.advance(WAIT_MAX_S * 1_000 - 5_000)
    look_again(rig, kit)
    live_worker(rig, "there", ["second"])
    rig.clock.advance(BEAT_TTL_MS + 1)
    look_again(rig, kit)
    assert refused(rig) == []
    assert rig.waiting.count() == 1


def test_a_signal_that_waits_is_taken_once_this_worker_knows_the_account() -> None:
    rig = Rig()
    came(IntakeKit(rig, [ACCOUNT]), added(rig, BODY), "intent")
    rig.clock.advance(1_000)
    look_again(rig, IntakeKit(rig, [ACCOUNT, "second"]))
    assert rig.waiting.count() == 0
    order = rig.store.order(order_id_of("signal-1"))
    assert order is not None
    assert order.state is OrderState.RECEIVED


def test_a_signal_that_has_expired_waits_no_longer() -> None:
    rig = Rig()
    kit = IntakeKit(rig, [ACCOUNT])
    expires = rig.clock.now() + timedelta(seconds=5)
    came(kit, added(rig, {**BODY, "expires_at": expires.isoformat()}), "intent")
    rig.clock.advance(5_001)
    look_again(rig, kit)
    assert refused(rig)[0].reason == f"expires_at: {expires.isoformat()} has passed; {HERE}"
    assert rig.waiting.count() == 0


def test_a_market_order_that_would_be_too_old_waits_no_longer() -> None:
    rig = Rig()
    kit = IntakeKit(rig, [ACCOUNT])
    market = {k: v for k, v in BODY.items() if k != "price"} | {"type": "market"}
    came(kit, added(rig, market), "intent")
    rig.clock.advance(MARKET_AGE_MAX_S * 1_000)
    look_again(rig, kit)
    assert refused(rig) == []
    rig.clock.advance(2_000)
    look_again(rig, kit)
    assert "was 62 s ago; a market order is sent within 60 s" in refused(rig)[0].reason


def test_accounts_that_are_not_together_on_a_worker_are_said_to_be_apart() -> None:
    rig = Rig()
    live_worker(rig, "there", ["second"])
    kit = IntakeKit(rig, [ACCOUNT])
    came(kit, added(rig, ARBITRAGE, "arbitrage.execute"), "intent")
    assert reasons(rig)[0].startswith(
        f"accounts: {ACCOUNT!r} and 'second' are not together on a live worker; waits"
    )


@every_way
@pytest.mark.parametrize("body", [BODY, {"who": "knows"}], ids=["known fields", "newer fields"])
def test_a_signal_of_a_newer_version_is_left_to_a_worker_that_reads_it(
    how: str, body: dict[str, Any]
) -> None:
    rig = Rig()
    live_worker(rig, "newer", [ACCOUNT, "second"], reads_version=2)
    kit = IntakeKit(rig, [ACCOUNT, "second"])
    intent = added(rig, body, version="2")
    with pytest.raises(LeftToOthers):
        came(kit, intent, how)
    waiting = rig.waiting.waiting()
    assert [each.reason for each in waiting] == [
        "v: 2 is newer than 1, which this worker reads; left to newer"
    ]
    assert waiting[0].intent.version == "2"
    assert json.loads(waiting[0].intent.body) == body
    assert refused(rig) == []


def test_a_signal_of_a_newer_version_is_refused_in_the_end_where_none_reads_it() -> None:
    rig = Rig()
    live_worker(rig, "older", [ACCOUNT])
    kit = IntakeKit(rig, [ACCOUNT])
    came(kit, added(rig, BODY, version="3"), "intent")
    assert kit.alerts == ["signals wait: v: 3 is newer than what any live worker reads"]
    rig.clock.advance(WAIT_MAX_S * 1_000)
    look_again(rig, kit)
    assert refused(rig)[0].reason.startswith("v: 3 is newer than what any live worker reads, for")


def test_a_worker_of_the_newer_release_takes_both_versions() -> None:
    rig = Rig()
    kit = IntakeKit(rig, ["second"], reads_version=2)
    assert kit.intake.execute(BODY, None, 2) is not None
    assert kit.intake.execute({**BODY, "signal_id": "signal-2"}, None) is not None


@pytest.mark.parametrize(
    "version",
    ["0", "-1", "x", "", "1.0", "1e3", "9999999", 0, True, 1.5, [], "1\n", 10**5_000],
    ids=lambda version: f"{version!r:.9}" if not isinstance(version, int) else "number",
)
def test_what_is_no_version_is_refused(version: Any) -> None:
    rig = Rig()
    assert IntakeKit(rig, ["second"]).intake.execute(BODY, None, version) is None
    assert refused(rig)[0].reason.startswith("v: ")
    assert refused(rig)[0].reason.endswith(" is not a version of signals")
    assert rig.placements == 0


def test_a_message_of_another_form_and_a_newer_version_is_left_by_its_entry() -> None:
    rig = Rig()
    live_worker(rig, "newer", [ACCOUNT], reads_version=2)
    kit = IntakeKit(rig)
    intent = added(rig, {"who": "knows"}, version="2")
    with pytest.raises(LeftToOthers) as left:
        kit.intake.refuse_message("orders.execute", [1, 2], "message: odd", intent.entry_id, 2)
    assert left.value.entry_id == intent.entry_id
    assert refused(rig) == []
    kit.intake.refuse_message("orders.execute", [1, 2], "message: odd", None, 2)
    kit.intake.refuse_message("orders.execute", [1, 2], "message: odd", intent.entry_id, None)
    assert [each.reason for each in refused(rig)] == ["message: odd"] * 2


@pytest.mark.parametrize("entry_id", ["1-1", "999999999999999-0"])
def test_a_message_that_names_an_entry_that_is_gone_gets_one_of_its_own(entry_id: str) -> None:
    rig = Rig()
    kit = IntakeKit(rig, [ACCOUNT])
    kit.intake.execute(BODY, entry_id)
    assert [json.loads(each.intent.body) for each in rig.waiting.waiting()] == [BODY]


@pytest.mark.parametrize("junk", [None, 5, "nonsense", ["1-1"], "1-1\n", "9-9"])
def test_taking_what_is_not_there_does_nothing(junk: object) -> None:
    rig = Rig()
    IntakeKit(rig).intake.take(junk)
    assert (refused(rig), rig.placements) == ([], 0)


def test_a_huge_body_for_an_unknown_account_is_not_kept_waiting() -> None:
    rig = Rig()
    kit = IntakeKit(rig, [ACCOUNT])
    came(kit, added(rig, {"newer": "x" * 5_000_000}, version="2"), "intent")
    assert rig.waiting.count() == 0
    assert refused(rig)[0].reason.startswith("body: is longer than 65,536 characters")
    assert len(refused(rig)[0].body) <= 2_000


def test_a_cancel_of_an_order_on_another_worker_s_account_is_written_on_its_record() -> None:
    rig = Rig()
    IntakeKit(rig, ["second"]).intake.execute(BODY, None)
    order_id = order_id_of("signal-1")
    kit = IntakeKit(rig, [ACCOUNT])
    order = kit.intake.cancel({"order_id": order_id}, None)
    assert order is not None
    assert order.cancel_requested
    assert order.state is OrderState.OPEN
    rig.sweep(for_ms=2_000)
    assert rig.stored(order).state is OrderState.CANCELED


def canceled(rig: Rig, kit: IntakeKit, signal_id: str = "signal-1") -> None:
    """A producer cancels the order of that signal."""
    kit.intake.drain(added(rig, {"order_id": order_id_of(signal_id)}, "orders.cancel"))


@every_way
def test_a_signal_that_is_canceled_while_it_waits_never_becomes_an_order(how: str) -> None:
    rig = Rig()
    kit = IntakeKit(rig, [ACCOUNT])
    intent = added(rig, BODY)
    came(kit, intent, how)
    if how == "bare":
        # It got an entry of its own; the one in the stream is another signal.
        rig.store.settle_intent(intent.entry_id)
    canceled(rig, kit)
    assert [each.reason for each in refused(rig)] == [
        "canceled while it waited for a worker that takes it"
    ]
    assert json.loads(refused(rig)[0].body) == BODY
    knows = IntakeKit(rig, [ACCOUNT, "second"])
    for _ in range(100):
        rig.clock.advance(1_000)
        look_again(rig, knows)
    assert (rig.accepted, rig.waiting.count()) == (0, 0)


def test_other_signals_wait_on_when_one_is_canceled() -> None:
    rig = Rig()
    kit = IntakeKit(rig, [ACCOUNT])
    odd = [added(rig, body) for body in ("[", "[]", '{"signal_id": 1}', "[" * 100_000, ODD)]
    for intent in odd:
        rig.waiting.set_aside(intent, "odd", rig.clock.now(), 0)
    came(kit, added(rig, {**BODY, "signal_id": "other"}), "intent")
    canceled(rig, kit)
    assert refused(rig) == []
    assert rig.waiting.count() == len(odd) + 2


def test_a_cancel_finds_the_order_that_a_worker_made_of_a_waiting_signal_meanwhile() -> None:
    rig = Rig()
    kit = IntakeKit(rig, [ACCOUNT])
    intent = added(rig, BODY)
    came(kit, intent, "intent")
    IntakeKit(rig, [ACCOUNT, "second"]).intake.take(intent.entry_id)
    canceled(rig, kit)
    assert refused(rig) == []
    order = rig.store.order(order_id_of("signal-1"))
    assert order is not None
    assert order.cancel_requested


def test_a_cancel_waits_as_long_as_signals_from_before_it_have_not_been_looked_at() -> None:
    rig = Rig()
    kit = IntakeKit(rig, [ACCOUNT])
    signal = added(rig, {**BODY, "account": ACCOUNT})
    rig.clock.advance(1_000)
    canceled(rig, kit)
    for _ in range(40):
        rig.clock.advance(1_000)
        look_again(rig, kit)
    assert refused(rig) == []
    kit.intake.drain(signal)
    rig.clock.advance(2_000)
    look_again(rig, kit)
    order = rig.store.order(order_id_of("signal-1"))
    assert order is not None
    assert order.cancel_requested
    assert (refused(rig), rig.waiting.count()) == ([], 0)
