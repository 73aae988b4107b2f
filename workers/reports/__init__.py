"""What trading came to: trades, costs and profit, as tables, files and one page.

`build_report` reads the history; `export` and `html_page` show what it found.
"""

from workers.reports.report import Report, build_report

__all__ = ["Report", "build_report"]
