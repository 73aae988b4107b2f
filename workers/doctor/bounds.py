"""Runs checks at the same time, none for longer than its bound."""

from collections.abc import Callable, Iterable, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from execution.model.errors import ExchangeUnavailable, StoreUnavailable
from workers.doctor.findings import Finding, fail

Check = Callable[[], Iterable[Finding]]


def run_checks(checks: Mapping[str, Check], bound_s: int) -> list[Finding]:
    """The findings of each named check, in order. One that gives no answer within `bound_s`, or
    raises an error, is a finding itself; its thread is left behind and delays nothing."""
    answers: SimpleQueue[tuple[str, list[Finding]]] = SimpleQueue()

    def run(name: str, check: Check) -> None:
        findings: list[Finding] = []
        try:
            findings.extend(check())
        except (StoreUnavailable, ExchangeUnavailable) as error:
            findings.append(fail(name, str(error)))
        except Exception as error:  # noqa: BLE001  # The error is what the check found.
            findings.append(fail(name, f"{type(error).__name__}: {error}"))
        answers.put((name, findings))

    for name, check in checks.items():
        # A pool would wait for its threads when the process ends.
        Thread(target=run, args=(name, check), name=f"check {name}", daemon=True).start()
    answered: dict[str, list[Finding]] = {}
    deadline = monotonic() + bound_s
    while len(answered) < len(checks):
        try:
            name, findings = answers.get(timeout=max(0.0, deadline - monotonic()))
        except Empty:
            break
        answered[name] = findings
    silent = f"no answer within {bound_s} s"
    return [finding for name in checks for finding in answered.get(name, [fail(name, silent)])]
