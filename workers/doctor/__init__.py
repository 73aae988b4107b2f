"""Checks an installation: everything that it needs, a finding for each.

`findings` has the result of a check, `bounds` limits how long each runs, and the others check one
part each: `redis_checks`, `work_checks`, `ledger_checks` and `account_checks`.
"""

from workers.doctor.examination import examine
from workers.doctor.findings import Finding, Result

__all__ = ["Finding", "Result", "examine"]
