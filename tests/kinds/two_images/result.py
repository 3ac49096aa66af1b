"""A line for every row: those without an answer are said to be `no`."""

from renaissance.runtime.tasks.answered import Answered
from tests.kinds.two_images.schema import TwoImages


def write(block: TwoImages, answered: Answered) -> bytes:
    """Write the file."""
    names = answered.table.column("id").to_pylist()
    said = dict.fromkeys((names[row] for row in answered.asked.tolist()), "no")
    said |= dict(zip(answered.column("id"), answered.said, strict=True))
    return "".join(f"{name},{answer}\n" for name, answer in said.items()).encode()
