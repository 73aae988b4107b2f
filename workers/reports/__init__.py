"""The results of trading: trades, costs and profit, as tables, files and one page.

`build_report` reads the history; `export` and `page` write the report.
"""

from workers.reports.report import Report, build_report

__all__ = ["Report", "build_report"]
