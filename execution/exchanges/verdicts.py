"""How a failed placement is judged: what is known of it, and rows that say what that proves."""

from collections.abc import Iterable
from dataclasses import dataclass

from execution.model.order import Verdict


@dataclass(frozen=True, slots=True)
class Failure:
    """What is known of a request that did not come back as an order.

    `kind` is the name of the error class, `status` the HTTP status and `code` the exchange's own
    code, each None where there was none. `reached` is False only with proof that no byte left.
    """

    kind: str
    message: str
    status: int | None = None
    code: str | None = None
    reached: bool = True
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One rule of an exchange's table; a field that is None fits everything. A `code` that ends
    with * fits every code that begins so."""

    verdict: Verdict
    why: str
    status: range | None = None
    code: str | None = None
    message: str | None = None
    kind: str | None = None
    reached: bool | None = None

    def fits(self, failure: Failure) -> bool:
        return (
            (self.status is None or (failure.status or 0) in self.status)
            and (self.code is None or _is_code(self.code, failure.code))
            and (self.message is None or self.message.lower() in failure.message.lower())
            and (self.kind is None or self.kind == failure.kind)
            and (self.reached is None or self.reached == failure.reached)
        )


def _is_code(wanted: str, code: str | None) -> bool:
    if wanted.endswith("*"):
        return code is not None and code.startswith(wanted[:-1])
    return wanted == code


def row_for(failure: Failure, rows: Iterable[Row]) -> Row | None:
    """The first row that fits; None where none does, and so nothing is proved."""
    return next((row for row in rows if row.fits(failure)), None)


def each(verdict: Verdict, why: str, *codes: str, status: range | None = None) -> tuple[Row, ...]:
    """One row for every code, all with the same verdict for the same reason."""
    return tuple(Row(verdict, why, status=status, code=code) for code in codes)


def span(text: str) -> tuple[str, ...]:
    """Codes out of a text that names them one by one, or from the first to the last as 1..9."""
    found: list[str] = []
    for word in text.split():
        first, _, last = word.partition("..")
        codes = range(int(first), int(last) + 1) if last else None
        found += [word] if codes is None else map(str, codes)
    return tuple(found)
