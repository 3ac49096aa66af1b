"""How to get Cornell NLVR v1."""

from renaissance.grammar.kinds.how import How
from renaissance.runtime.formats.nlvr.schema import NlvrPairs
from renaissance.runtime.tasks.nlvr.how import how_of_folders


def how(block: NlvrPairs) -> How:
    """Return what to get."""
    return how_of_folders(block.root, (block.split,))
