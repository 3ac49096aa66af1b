"""Rows that somebody asks about: a text and an image, whose score says how well they match."""

from renaissance.runtime.data.rows import OneARow
from renaissance.runtime.data.wanted import Context
from renaissance.runtime.tasks.retrieval.schema import Retrieval


def prepare(block: Retrieval, context: Context) -> OneARow:
    """Return what makes the items: a pair a row."""
    return OneARow(context=context)
