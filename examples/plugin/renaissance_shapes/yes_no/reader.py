"""Lines of JSON with `image`, `question` and `answer`."""

from pathlib import Path

from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.tasks.classification import answers, targets
from renaissance_shapes.lines import columns
from renaissance_shapes.yes_no.schema import YesNo

__all__ = ["answers", "read", "targets"]


def read(block: YesNo, source: Source, file: str) -> Table:
    """Read one part, `train` or `test`; raises DataError."""
    root = Path(block.root)
    images, questions, said = columns(root / f"{file}.jsonl", "image", "question", "answer")
    return make_table(source, root, questions, images, answers=said)
