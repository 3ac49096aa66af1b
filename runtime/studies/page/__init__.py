"""One HTML file that shows what a study found."""

from renaissance.runtime.studies.page.drawings import write_drawings
from renaissance.runtime.studies.page.page import render, write_study_report

__all__ = ["render", "write_drawings", "write_study_report"]
