"""How to get easy-VQA."""

from renaissance.grammar.kinds.how import How
from renaissance.grammar.record import replace
from renaissance.runtime.formats.easy_vqa.schema import EasyVqaPairs
from renaissance.runtime.tasks.easy_vqa.how import how_of_folders


def how(block: EasyVqaPairs) -> How:
    """Return what to get; questions that are left out are no part of what it should hold."""
    found = how_of_folders(block.root, (block.split,))
    size = found.sizes.get(block.split)
    whole = size is not None and block.answers == "all"
    return replace(found, sizes={"": size} if whole and size is not None else {})
