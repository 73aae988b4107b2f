"""Checks submit.pml with spin: that the protocol holds, and that each of its safeguards is needed.

Usage: check.py [--deep] [--story] [NAME ...]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

MODEL = Path(__file__).with_name("submit.pml")
SEARCH_MB_MAX = 4000
DEPTH_MAX = 100_000
AT_ONCE = 2


class Outcome(StrEnum):
    """What a search may show."""

    HOLDS = "holds"
    DOUBLED = "two orders"
    DISAGREES = "record is wrong"
    ENDLESS = "never ends"
    REACHED = "reached"
    UNREACHED = "a move never taken"
    STUCK = "stuck"
    BOUND = "a bound is too small"
    UNFINISHED = "search not finished"


@dataclass(frozen=True)
class Check:
    """One search: the macros it defines, what it should find, and whether it is about ending."""

    name: str
    finds: Outcome
    defines: tuple[str, ...]
    ending: bool = False
    deep: bool = False


@dataclass(frozen=True)
class Result:
    found: Outcome
    states: int
    seconds: float = 0.0
    memory_mb: int = 0
    story: str = ""


def bounds(workers: int, attempts: int, rollbacks: int, crashes: int | None = None) -> Check:
    """The whole protocol within bounds. Crashes are counted only where the signal must end."""
    defines = [f"WORKERS={workers}", f"ATTEMPTS_MAX={attempts}", f"ROLLBACKS_MAX={rollbacks}"]
    name = f"{workers}w {attempts}a {rollbacks}r"
    if crashes is None:
        return Check(f"one order, {name}", Outcome.HOLDS, tuple(defines))
    name = f"every signal ends, {name} {crashes}c"
    return Check(name, Outcome.HOLDS, (*defines, f"CRASHES_MAX={crashes}"), ending=True)


def witness(name: str, *defines: str) -> Check:
    return Check(name, Outcome.REACHED, (f"WITNESS={name}", *defines))


def removal(name: str, *defines: str, finds: Outcome = Outcome.DOUBLED) -> Check:
    """The protocol without one safeguard, in bounds within which the whole protocol holds."""
    more = ("DOUBLES_ONLY",) if finds is Outcome.DOUBLED else ()
    return Check(name, finds, (name, *defines, *more), ending=finds is Outcome.ENDLESS)


def deep(check: Check) -> Check:
    return replace(check, deep=True)


CALM = "ROLLBACKS_MAX=0"
# Each part of the wait by itself, so that the parts cannot stand in for one another.
FORWARD_ONLY = (CALM, "LAG=0", "UNCERTAINTY=0")
LAG_ONLY = (CALM, "FORWARD=0", "UNCERTAINTY=0")
UNCERTAINTY_ONLY = (CALM, "FORWARD=0", "LAG=0")
# An exchange that forgets, a little later than "not found" becomes proof.
FORGETS = (CALM, "KEPT=7")

CHECKS = (
    bounds(2, 2, 1),
    bounds(2, 3, 1),
    bounds(2, 2, 2),
    bounds(3, 3, 0),
    deep(bounds(3, 2, 1)),
    deep(bounds(2, 3, 2)),
    Check("one order, forwarding only", Outcome.HOLDS, FORWARD_ONLY),
    Check("one order, read lag only", Outcome.HOLDS, LAG_ONLY),
    Check("one order, uncertainty only", Outcome.HOLDS, UNCERTAINTY_ONLY),
    Check("one order, forgotten", Outcome.HOLDS, FORGETS),
    Check("one order, forgotten, 1r", Outcome.HOLDS, ("KEPT=7",)),
    bounds(2, 2, 0, crashes=2),
    bounds(2, 1, 1, crashes=1),
    bounds(1, 2, 1, crashes=2),
    deep(bounds(2, 2, 1, crashes=1)),
    witness("SECOND_ATTEMPT_SETTLES"),
    witness("ATTEMPTS_USED_UP"),
    witness("LOST_ATTEMPT_FOUND"),
    witness("SENT_AFTER_RESTART"),
    witness("LEFT_TO_A_PERSON", *FORGETS),
    removal("NO_INTENT_FIRST", CALM, "CRASHES_MAX=1", finds=Outcome.ENDLESS),
    removal("NO_SWEEP", CALM, "CRASHES_MAX=1", finds=Outcome.ENDLESS),
    removal("NO_DEDUPE", CALM),
    removal("NO_WRITE_AHEAD", CALM),
    removal("NO_FIXED_STAMP", CALM),
    removal("NO_FENCE_WAIT", CALM),
    removal("NO_MARGIN", CALM),
    removal("NO_FORWARD_IN_MARGIN", *FORWARD_ONLY),
    removal("NO_LAG_IN_MARGIN", *LAG_ONLY),
    removal("NO_UNCERTAINTY", *UNCERTAINTY_ONLY),
    removal("LOOKUP_BEFORE_CLOCK", CALM),
    removal("NO_CAS", CALM),
    removal("NO_CAS_IN_RESOLVE", CALM, "ATTEMPTS_MAX=3"),
    removal("VERDICT_OF_ANY_ATTEMPT", CALM, "ATTEMPTS_MAX=3"),
    removal("TIMEOUT_MEANS_DEAD", CALM),
    removal("EMPTY_MEANS_NOT_FOUND", CALM),
    removal("EXCHANGE_CHECKS_ONCE", CALM),
    removal("NO_END_OF_MEMORY", *FORGETS),
    removal("NO_END_OF_MEMORY_AT_RESTART", "KEPT=7", "WORKERS=1"),
    removal("NO_EPOCH_WAIT"),
    removal("NO_EPOCH_WAIT_IF_SUBMITTING"),
    removal("NO_UNCERTAINTY_AT_RESTART"),
    removal("NO_EPOCH_IN_CAS"),
    removal("REFUSE_UNSEEN", finds=Outcome.DISAGREES),
)

# An assertion as the verifier prints it, with its macros expanded, by how it begins.
VIOLATIONS = (
    ("(accepted<=1)", Outcome.DOUBLED),
    ("(workers[_pid].request<", Outcome.BOUND),
    ("(( !(((record.state==", Outcome.DISAGREES),
    (" !(((", Outcome.REACHED),
)
UNFINISHED = ("Search not completed", "max search depth too small", "out of memory")


def outcome_of(output: str) -> Outcome:
    """Read what spin's verifier printed. Anything short of a finished search is no proof."""
    if "acceptance cycle (at" in output:
        return Outcome.ENDLESS
    if "invalid end state (at" in output:
        return Outcome.STUCK
    violated = re.search(r"assertion violated (.*) \(at depth", output)
    if violated:
        text = violated[1]
        return next((o for start, o in VIOLATIONS if text.startswith(start)), Outcome.UNFINISHED)
    if "errors: 0" not in output or any(mark in output for mark in UNFINISHED):
        return Outcome.UNFINISHED
    return Outcome.HOLDS


def states_of(output: str) -> int:
    stored = re.search(r"^\s*([0-9.e+]+) states, stored", output, re.MULTILINE)
    return int(float(stored[1])) if stored else 0


def unreached_of(output: str) -> list[str]:
    """Statements that no run took, as file:line. The end of an endless process is none."""
    parts = re.split(r"^unreached in ", output, flags=re.MULTILINE)[1:]
    processes = "".join(part for part in parts if part.startswith("proctype"))
    return re.findall(r'^\t(\S+), state \d+, (?!"-end-")', processes, re.MULTILINE)


def call(command: list[str], cwd: Path) -> str:
    done = subprocess.run(  # noqa: S603, since every word of every command is this file's own.
        command, cwd=cwd, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def search(command: list[str], cwd: Path) -> tuple[str, float, int]:
    """Run the verifier; its output, seconds of processor time, and peak memory in MB."""
    log = cwd / "log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(  # noqa: S603, as above.
            command, cwd=cwd, stdout=output, stderr=subprocess.STDOUT
        )
        # The clock on the wall would measure whatever else the machine does.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = usage.ru_utime + usage.ru_stime
    return log.read_text(encoding="utf-8"), seconds, usage.ru_maxrss // 1024


def run(check: Check, spin: str, cc: str) -> Result:
    """Generate, compile and run one search in a directory of its own."""
    macros = [f"-D{define}" for define in check.defines]
    options = ["-DNOREDUCE", f"-DMEMLIM={SEARCH_MB_MAX}"]
    flags = [f"-m{DEPTH_MAX}"]
    if check.ending:
        options.append("-DNFAIR=2")
        flags += ["-a", "-f"]
    else:
        options += ["-DSAFETY", "-DNOCLAIM"]
        # Breadth first finds the shortest story; depth first needs the least memory.
        options += [] if check.finds is Outcome.HOLDS else ["-DBFS"]
    with tempfile.TemporaryDirectory() as name:
        cwd = Path(name)
        shutil.copy(MODEL, cwd)
        built = call([spin, *macros, "-a", MODEL.name], cwd)
        built += call([cc, "-O2", *options, "-o", "pan", "pan.c"], cwd)
        if not (cwd / "pan").exists():
            return Result(Outcome.UNFINISHED, 0, story=built)
        output, seconds, memory_mb = search([str(cwd / "pan"), *flags], cwd)
        found = outcome_of(output)
        story = output if found is Outcome.UNFINISHED else ""
        if (cwd / f"{MODEL.name}.trail").exists():
            story = story_of(call([spin, *macros, "-T", "-t", MODEL.name], cwd))
    unreached = unreached_of(output)
    if found is Outcome.HOLDS and unreached and not check.ending:
        found, story = Outcome.UNREACHED, "\n".join(unreached)
    return Result(found, states_of(output), seconds, memory_mb, story)


def story_of(replay: str) -> str:
    """Keep the sentences that the moves print, and where a run that never ends begins to repeat."""
    said = r"^ *((?:worker \d+|exchange|clock|broker|redis): .*|<<<<<START OF CYCLE>>>>>)$"
    return "\n".join(re.findall(said, replay, re.MULTILINE))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Check the model of the submit protocol.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only the checks named so")
    parser.add_argument("--deep", action="store_true", help="also the wider bounds")
    parser.add_argument("--story", action="store_true", help="print each counterexample")
    options = parser.parse_args(arguments)
    if options.names:
        wanted = [c for c in CHECKS if c.name in options.names]
    else:
        wanted = [c for c in CHECKS if options.deep or not c.deep]
    unknown = set(options.names) - {c.name for c in wanted}
    if unknown:
        parser.error(f"no check is named {', '.join(sorted(unknown))}")
    spin = shutil.which("spin")
    cc = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if spin is None or cc is None:
        sys.stderr.write("This needs spin and a C compiler: apt-get install spin gcc\n")
        return 2
    return report(wanted, spin, cc, stories=options.story)


def report(checks: list[Check], spin: str, cc: str, *, stories: bool) -> int:
    """Print one row for each check as it is done; 0 if each found what it should."""
    row = "{:<34} {:<16} {:<20} {:>10} {:>8} {:>6}\n".format
    sys.stdout.write(row("check", "expected", "found", "states", "cpu s", "MB"))
    matched = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for check, result in zip(checks, pool.map(lambda c: run(c, spin, cc), checks), strict=True):
            good = result.found is check.finds
            matched += good
            found = result.found if good else f"{result.found} (!)"
            cost = f"{result.states:,}", f"{result.seconds:.1f}", result.memory_mb
            sys.stdout.write(row(check.name, check.finds, found, *cost))
            if stories or not good:
                sys.stdout.write("".join(f"    {line}\n" for line in result.story.splitlines()))
            sys.stdout.flush()
    sys.stdout.write(f"{matched} of {len(checks)} checks found what they should.\n")
    return 0 if matched == len(checks) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
