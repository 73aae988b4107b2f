"""Checks an installation: everything that it needs, a finding for each.

`findings` says what a check found, `bounds` lets none of them hang, and the others check one part
each: `redis_checks`, `work_checks`, `ledger_checks` and `account_checks`.
"""

from workers.doctor.examination import examine
from workers.doctor.findings import Finding, Result

__all__ = ["Finding", "Result", "examine"]
