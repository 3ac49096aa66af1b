"""What objectives that tell pairs apart need: images, and texts, that differ."""

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.wanted import Context


def check_differing(word: str, context: Context) -> None:
    """Refuse to learn from pairs of which none could be wrong.

    Args:
        word: of the objective.
        context: what it learns from.

    Raises:
        DataError: if all images show the same, or all texts read the same.
    """
    if not context.training:
        return
    split = context.split
    text = split.corpus.truths.text[split.rows]
    if not split.images_differ():
        one = "image only, or several that show the same"
    elif (text == text[0]).all():
        one = "text only, or several that read the same"
    else:
        return
    name = split.corpus.table.sources[0].name
    raise DataError(f"`{name}` has one {one}; `{word}` needs two that differ")
