"""Checks of workers, beat's schedules, and the backlog."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from execution.operations.health import HealthStore, Tick
from execution.operations.live_workers import LiveWorker
from execution.store.stores import Stores
from execution.text.cutting import some
from workers.configuration.settings import Settings
from workers.doctor.findings import Finding, duration, fail, ok, warn, warn_of
from workers.liveness.ticks import schedules

# A schedule is late after this many of its periods, but not before this many ms.
PERIODS_MAX = 10
LATE_MIN_MS = 30_000
# The sweep takes an intent within seconds; a cancel may wait for its order for 30 s.
INTENT_WARN_MS = 10_000
INTENT_FAIL_MS = 60_000
START_WORKER = "celery -A workers worker"
START_BEAT = "celery -A workers beat, and a worker that takes the queue upkeep"


def check_work(settings: Settings, stores: Stores) -> Iterator[Finding]:
    """Workers, schedules, the signal stream and halts."""
    yield from _workers(settings, stores.workers.live())
    yield from _schedules(settings, stores.health)
    yield from _signals(stores.health)
    yield _aside(stores)
    yield _halts(stores)


def _workers(settings: Settings, live: list[LiveWorker]) -> Iterator[Finding]:
    if not live:
        yield fail("workers", "none is alive: no order is placed", START_WORKER)
        return
    yield ok("workers", f"{len(live)} alive: {some([worker.name for worker in live])}")
    releases = sorted({worker.release for worker in live})
    if len(releases) > 1:
        yield warn("worker releases", f"they differ: {some(releases)}", "restart the older workers")
    unknown = [name for name in settings.accounts if not any(w.takes([name]) for w in live)]
    if unknown:
        yield fail(
            "worker accounts",
            f"no live worker knows {some(unknown)}",
            "restart the workers with these settings",
        )


@dataclass(frozen=True, slots=True)
class _Run:
    """One schedule, and its last run."""

    name: str
    every_s: int
    tick: Tick | None

    @property
    def is_late(self) -> bool:
        late_ms = max(LATE_MIN_MS, PERIODS_MAX * self.every_s * 1_000)
        return self.tick is not None and self.tick.age_ms > late_ms


def _schedules(settings: Settings, health: HealthStore) -> Iterator[Finding]:
    ticks = health.ticks()
    runs = [_Run(name, s, ticks.get(name)) for name, s in schedules(settings).items()]
    if all(run.tick is None or run.is_late for run in runs):
        ages = [run.tick.age_ms for run in runs if run.tick is not None]
        last = f"the last of them ran {duration(min(ages))} ago" if ages else "none has ever run"
        yield fail("beat", f"no schedule runs: {last}", START_BEAT)
    for run in runs:
        yield _schedule(run)


def _schedule(run: _Run) -> Finding:
    check = f"schedule {run.name}"
    if run.tick is None:
        return warn(check, f"has not run yet; it is due every {run.every_s} s", START_BEAT)
    ago = f"{duration(run.tick.age_ms)} ago"
    if run.is_late:
        return fail(check, f"last ran {ago}; it is due every {run.every_s} s", START_BEAT)
    if run.tick.error:
        return fail(check, f"failed {ago}: {run.tick.error}", "see the workers' log")
    return ok(check, f"ran {ago}")


def _signals(health: HealthStore) -> Iterator[Finding]:
    backlog = health.backlog()
    age_ms = backlog.oldest_intent_ms
    if age_ms is None:
        yield ok("signals waiting", "none")
    else:
        where = f"{backlog.intents} waiting; the oldest, {backlog.oldest_intent}, "
        if age_ms < 0:
            detail = f"{where}is {duration(age_ms)} ahead of the server's clock"
            yield warn("signals waiting", detail, "check the clock of its producer")
        else:
            make = fail if age_ms > INTENT_FAIL_MS else warn if age_ms > INTENT_WARN_MS else None
            detail = f"{where}for {duration(age_ms)}"
            help_text = "see the workers' log, and the checks of workers and schedules"
            yield (
                make("signals waiting", detail, help_text)
                if make
                else ok("signals waiting", detail)
            )
    yield ok("signals refused", f"{backlog.refused} kept; oneorder refused lists them")


def _aside(stores: Stores) -> Finding:
    """Intents that no live worker can take now."""
    reasons = Counter(each.reason for each in stores.waiting.waiting())
    names = some([reason for reason, _ in reasons.most_common()])
    detail = f"{reasons.total()}; the reasons: {names}" if reasons else ""
    return warn_of("signals set aside", detail, "oneorder waiting lists them")


def _halts(stores: Stores) -> Finding:
    halts = [f"{each.account or 'every account'}: {each.reason}" for each in stores.halts.halts()]
    return warn_of("halts", "; ".join(halts), "oneorder resume, or oneorder resume --account A")
