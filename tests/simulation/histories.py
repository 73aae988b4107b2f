"""Plays histories: by a seed, from a list of steps, or cut down as long as they still fail."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from random import Random
from typing import TypeVar

from tests.support.exchange import Tally

from .baton import Crew
from .dice import draw_setting
from .ending import see_to_the_end
from .gambler import Gambler
from .steps import Asked, Fate, Go, Halt, Mood, Setting, Start, Step
from .watch import Violation
from .worker import WHOLE, Parts
from .world import World

T = TypeVar("T")
STEPS_MIN, STEPS_MAX = 8, 44


@dataclass(frozen=True)
class History:
    """What happened, and what was wrong with it, if anything."""

    setting: Setting
    steps: tuple[Step, ...]
    violation: str | None
    seed: int | None = None
    tally: Tally = field(default_factory=Counter)

    def told(self) -> str:
        """The history in sentences."""
        plain = Setting()
        told = [
            f"{part.name} = {getattr(self.setting, part.name)}"
            for part in fields(Setting)
            if getattr(self.setting, part.name) != getattr(plain, part.name)
        ]
        lines = [f"{number}. {step}" for number, step in enumerate(self.steps, 1)]
        seed = "" if self.seed is None else f" (seed {self.seed})"
        return "\n".join([f"{self.violation}{seed}", *told, *lines])


def simulate(seed: int, crew: Crew, parts: Parts = WHOLE) -> History:
    """Play the history of a seed, always the same one."""
    dice = Random(seed)
    setting = draw_setting(dice)
    length = dice.randint(STEPS_MIN, STEPS_MAX)
    return replace(
        _play(setting, lambda world: _drawn(dice, world, length), crew, parts), seed=seed
    )


def _drawn(dice: Random, world: World, length: int) -> Iterator[Step]:
    gambler = Gambler(dice, world)
    for _ in range(length):
        yield gambler.step()


def replay(setting: Setting, steps: tuple[Step, ...], crew: Crew, parts: Parts = WHOLE) -> History:
    """Play these steps."""
    return _play(setting, lambda _: iter(steps), crew, parts)


def _play(
    setting: Setting, script: Callable[[World], Iterator[Step]], crew: Crew, parts: Parts
) -> History:
    world = World(setting, crew, parts)
    steps: list[Step] = []
    violation = None
    try:
        for step in script(world):
            steps.append(step)
            world.apply(step)
        see_to_the_end(world)
    except Violation as found:
        violation = str(found)
    finally:
        world.close()
    return History(setting, tuple(steps), violation, tally=world.tally)


def first_failure(seeds: Iterator[int] | range, crew: Crew, parts: Parts = WHOLE) -> History | None:
    """The first of the seeds' histories in which something goes wrong."""
    histories = (simulate(seed, crew, parts) for seed in seeds)
    return next((history for history in histories if history.violation is not None), None)


def shrunk(history: History, crew: Crew, parts: Parts = WHOLE) -> History:
    """Cut a history that fails down, as long as it goes on failing in the same way."""
    sort = _sort(history)
    best, went_on = history, True
    while went_on:
        went_on = False
        for candidate in _simpler(best):
            tried = replay(*candidate, crew, parts)
            if tried.violation is not None and _sort(tried) == sort:
                best, went_on = replace(tried, seed=history.seed), True
                break
    return best


def _sort(history: History) -> str:
    return (history.violation or "").partition(":")[0]


def _simpler(history: History) -> Iterator[tuple[Setting, tuple[Step, ...]]]:
    """Candidates: fewer steps, large bites first; then plainer steps; then a plainer world."""
    setting, steps = history.setting, history.steps
    size = len(steps) // 2
    while size:
        for start in range(0, len(steps), size):
            yield setting, steps[:start] + steps[start + size :]
        size //= 2
    for number, step in enumerate(steps):
        for plainer in _plainer(step):
            yield setting, (*steps[:number], plainer, *steps[number + 1 :])
    for plainer_setting in _plainer_settings(setting):
        yield plainer_setting, steps


def _plainer(step: Step) -> Iterator[Step]:
    match step:
        case Start() | Go() if step.halt != Halt():
            yield replace(step, halt=Halt())
            if step.halt.skip:
                yield replace(step, halt=Halt(step.halt.at))
        case Mood() if step.lag_ms or step.error:
            if step.lag_ms:
                yield replace(step, lag_ms=0)
            if step.error:
                yield replace(step, error=0)
    if isinstance(step, Go) and step.fate is not Fate.FINE:
        yield replace(step, fate=Fate.FINE)


def _plainer_settings(setting: Setting) -> Iterator[Setting]:
    if len(setting.signals) > 1:
        for number in range(len(setting.signals)):
            yield replace(setting, signals=setting.signals[:number] + setting.signals[number + 1 :])
    plain = Setting()
    for name in (part.name for part in fields(Setting) if part.name != "signals"):
        if getattr(setting, name) != getattr(plain, name):
            yield _with(setting, name, getattr(plain, name))
    for number, asked in enumerate(setting.signals):
        for part in fields(Asked):
            plain_asked = _with(asked, part.name, getattr(Asked(), part.name))
            if plain_asked != asked:
                signals = (*setting.signals[:number], plain_asked, *setting.signals[number + 1 :])
                yield replace(setting, signals=signals)


def _with(value: T, name: str, part: object) -> T:
    """`dataclasses.replace` for a name that is known at run time only."""
    changed: T = replace(value, **{name: part})  # type: ignore[type-var]
    return changed
