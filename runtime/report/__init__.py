"""One HTML file that shows what a run did."""

from renaissance.runtime.report.page import write_report

__all__ = ["write_report"]
