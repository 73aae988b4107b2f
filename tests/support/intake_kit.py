"""An intake in memory: what the composition root puts together, with twins."""

from collections.abc import Iterable
from typing import Any

from execution.exchanges.account import Account
from execution.operations.live_workers import LiveWorker
from tests.support.fakes import ACCOUNT, NoArbitrages, Rig
from workers.intake.intake import Intake
from workers.intake.roster import Roster
from workers.intake.waiting_rules import WaitingRules

WAIT_MAX_S = 300
MARKET_AGE_MAX_S = 60


class IntakeKit:
    """One worker's intake. `alerts` are the sentences that people were alerted with."""

    def __init__(
        self,
        rig: Rig,
        accounts: Iterable[str] = (ACCOUNT,),
        *,
        arbitrages: Any = None,
        reads_version: int = 1,
        store: Any = None,
        waiting: Any = None,
        manager: Any = None,
    ) -> None:
        self.alerts: list[str] = []
        self.accounts = {name: Account(name, "binance") for name in accounts}
        self.rules = WaitingRules(
            rig.clock,
            wait_max_s=WAIT_MAX_S,
            market_age_max_s=MARKET_AGE_MAX_S,
            alert=self.alerts.append,
        )
        self.roster = Roster(rig.workers, rig.clock, self.accounts, reads_version)
        self.intake = Intake(
            store or rig.store,
            waiting or rig.waiting,
            manager or rig.manager,
            rig.clock,
            self.roster,
            arbitrages or NoArbitrages(),
            self.rules,
        )


def live_worker(rig: Rig, name: str, accounts: Iterable[str], reads_version: int = 1) -> LiveWorker:
    """A worker that has just beaten."""
    now = rig.clock.now()
    worker = LiveWorker(name, "here", len(name), now, now, tuple(accounts), reads_version, "1.0")
    rig.workers.beat(worker)
    return worker
