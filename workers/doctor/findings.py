"""What one check found."""

from dataclasses import dataclass
from enum import StrEnum

from execution.text.redaction import redact


class Result(StrEnum):
    """The result of one check."""

    OK = "OK"
    WARN = "WARN"  # It works, and should be better or needs manual intervention.
    FAIL = "FAIL"  # It does not work, or will soon not work.


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing checked. `help` is the command or setting that fixes it, empty for none."""

    check: str
    result: Result
    detail: str
    help: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "detail", redact(self.detail))


def ok(check: str, detail: str) -> Finding:
    return Finding(check, Result.OK, detail)


def warn(check: str, detail: str, help_text: str = "") -> Finding:
    return Finding(check, Result.WARN, detail, help_text)


def fail(check: str, detail: str, help_text: str = "") -> Finding:
    return Finding(check, Result.FAIL, detail, help_text)


def warn_of(check: str, detail: str, help_text: str) -> Finding:
    """A warning of what there is; an empty detail says that there is nothing."""
    return warn(check, detail, help_text) if detail else ok(check, "none")


def duration(ms: int) -> str:
    """A duration for display: 12 s, 5 min, 3 h, 2 d."""
    seconds = abs(ms) // 1000
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
