"""Pairs of Cornell NLVR v1: the sentences that are true of their image."""

from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.formats.nlvr.schema import NlvrPairs
from renaissance.runtime.tasks.nlvr.reader import read_part


def read(block: NlvrPairs, source: Source) -> Table:
    """Read the true sentences of a part; raises DataError."""
    return read_part(source, block.root, block.split, true_only=True)
