"""What chaos puts among the signals: wrong in every way, never an order, the same for a seed."""

import json
from itertools import islice

from execution.orders.store import Intent
from oneorder.broker import ARBITRAGE, CANCEL, EXECUTE
from tests.support.fakes import ACCOUNT, Rig
from tests.support.intake_kit import IntakeKit
from workers.intake.deferrals import LeftToOthers
from workers.sandbox.chaos.disorders.poison import poison_entries

COUNT = 2_000


def test_no_poisoned_entry_becomes_an_order_or_stops_the_next() -> None:
    rig = Rig()
    intake = IntakeKit(rig).intake
    for number, fields in enumerate(islice(poison_entries(1, ACCOUNT), COUNT), start=1):
        entry = Intent(
            f"{rig.clock.now_ms()}-{number}",
            fields.get("task", ""),
            fields.get("body", ""),
            fields.get("v", "1"),
        )
        try:
            intake.drain(entry)
        except LeftToOthers as left:
            raise AssertionError(f"no other worker is there: {fields}") from left
    assert rig.store.orders() == []
    assert rig.exchange.standing == []


def test_the_same_seed_draws_the_same_entries() -> None:
    first, second, other = (list(islice(poison_entries(seed, ACCOUNT), 200)) for seed in (7, 7, 8))
    assert first == second != other


def test_every_task_and_newer_versions_are_among_them() -> None:
    drawn = list(islice(poison_entries(1, ACCOUNT), COUNT))
    tasks = {fields.get("task") for fields in drawn}
    assert {EXECUTE, CANCEL, ARBITRAGE, "orders.nothing", None} <= tasks
    assert any(fields.get("v") == "7" for fields in drawn)
    assert any(len(fields.get("body", "")) > 65_536 for fields in drawn)
    whole = next(fields for fields in drawn if fields.get("v") == "7")
    assert json.loads(whole["body"])["account"] == ACCOUNT
