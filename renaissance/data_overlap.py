"""What is measured on images that were learned from: `renaissance data --overlap`, and in plans."""

import sys
from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from renaissance.answer import FINE, NO_ANSWER, answer
from renaissance.grammar.schema.spec import Spec
from renaissance.render.text import printable

if TYPE_CHECKING:
    from renaissance.runtime.data.overlap import Overlap

_KEYS = {
    "coco": "COCO's number",
    "flickr": "Flickr's number",
    "vg": "Visual Genome's number",
    "path": "the path of the file",
    "digest": "the content of the file",
}


def run(arguments: Namespace, spec: Spec, wanted: str | None) -> int:
    """Print a paragraph for each source of training and each split that is measured."""
    from renaissance.runtime.data.overlap import overlaps

    found = list(overlaps(spec, jobs=None if wanted is None else [wanted]))
    # Not being able to compare some is an answer; not being able to compare any is none.
    problems = {one.problem: None for one in found if one.problem is not None}
    code = NO_ANSWER if found and all(one.problem is not None for one in found) else FINE
    if arguments.format == "text":
        for overlap in found:
            sys.stdout.write(printable(sentence(overlap)) + "\n")
        if not found:
            sys.stdout.write("nothing is measured that training could have seen\n")
    overlapping = [asdict(overlap) for overlap in found]
    return answer(arguments, code, failures=problems, overlaps=overlapping)


def short(overlap: "Overlap") -> str:
    """Say the same in a line of a plan."""
    of = f"{overlap.images:,} of {overlap.eval_images:,} images of `{overlap.eval}`"
    return f"{of} are in `{overlap.train}`, {overlap.rows:,} of {overlap.eval_rows:,} rows"


def sentence(overlap: "Overlap") -> str:
    """Say what a source of training and a measured split share."""
    if overlap.problem is not None:
        which = f"`{overlap.eval}` and `{overlap.train}`"
        return f"it cannot be told whether {which} share images: {overlap.problem}"
    of = f"{overlap.images:,} of the {overlap.eval_images:,} images of `{overlap.eval}`"
    said = f"{of} are in `{overlap.train}`"
    if overlap.by is not None:
        keys = " and ".join(_KEYS[key] for key in overlap.by.split(", "))
        said += f" by {keys}, {overlap.rows:,} of its {overlap.eval_rows:,} rows"
    if overlap.images and overlap.withheld:
        said += "; training leaves them out, since they select the best checkpoint"
    if overlap.undecided:
        said += f"; {overlap.undecided:,} could not be decided"
    return said
