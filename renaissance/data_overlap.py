"""What is measured on images that were learned from: `renaissance data --overlap`, and in plans."""

import sys
from argparse import Namespace
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.names import listing
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.render.text import printable

if TYPE_CHECKING:
    from renaissance.runtime.data.leaks import Leak
    from renaissance.runtime.data.overlap import Overlap

_KEYS = {
    "coco": "COCO's number",
    "flickr": "Flickr's number",
    "vg": "Visual Genome's number",
    "path": "the path of the file",
    "digest": "the content of the file",
}
FINDINGS = ("VL505",)
"""Findings about what the table shows, which is largest where there are such."""


def run(
    arguments: Namespace, spec: Spec, wanted: str | None, findings: Collection[Diagnostic] = ()
) -> int:
    """Print a paragraph for each source of training and each split that is measured.

    Args:
        arguments: those of the verb.
        spec: what it is asked about.
        wanted: name of the job or the evaluation that is asked about; all if None.
        findings: about the spec, of those of `FINDINGS`.
    """
    from renaissance.runtime.data.leaks import leaks
    from renaissance.runtime.data.overlap import overlaps
    from renaissance.runtime.data.parts import parts_of

    parts = parts_of(spec)
    found = list(overlaps(spec, jobs=None if wanted is None else [wanted], parts=parts))
    leaking = {leak.measured.name: leak for leak in leaks(spec, parts=parts)}
    # Not being able to compare some is an answer; not being able to compare any is none.
    code = NO if any(finding.severity == "error" for finding in findings) else FINE
    if found and all(one.problem is not None for one in found):
        code = NO_ANSWER
    follows = [consequence(spec, overlap, leaking) for overlap in found]
    problems = dict.fromkeys(one.problem for one in found if one.problem is not None)
    if arguments.format == "text":
        for overlap, then in zip(found, follows, strict=True):
            if overlap.problem is None:
                sys.stdout.write(printable(sentence(overlap) + then) + "\n")
        problems = dict.fromkeys(_undecided(found, problem) for problem in problems)
        if not found:
            sys.stdout.write("nothing is measured that training could have seen\n")
    overlapping = [
        asdict(overlap) | {"consequence": then.lstrip(":; ")}
        for overlap, then in zip(found, follows, strict=True)
    ]
    return answer(arguments, code, diagnostics=findings, failures=problems, overlaps=overlapping)


def _undecided(found: Collection["Overlap"], problem: str) -> str:
    """Say which splits cannot be compared with which sources for one reason, and the reason."""
    pairs = [(one.eval, one.train) for one in found if one.problem == problem]
    splits, sources = (listing(dict.fromkeys(names)) for names in zip(*pairs, strict=True))
    return f"it cannot be told which images {splits} shares with {sources}: {problem}"


def short(overlap: "Overlap") -> str:
    """Say the same in a line of a plan."""
    of = f"{overlap.images:,} of {overlap.eval_images:,} images of `{overlap.eval}`"
    return f"{of} are in `{overlap.train}`, {_share(overlap.rows, overlap.eval_rows)}"


def sentence(overlap: "Overlap") -> str:
    """Say what a source of training and a measured split share, which have been compared."""
    if not overlap.eval_images:
        of = f"of the {overlap.eval_rows:,} rows of `{overlap.eval}`, which have no images,"
        return f"{of} {overlap.repeated:,} are in `{overlap.train}` word for word"
    of = f"{overlap.images:,} of the {overlap.eval_images:,} images of `{overlap.eval}`"
    said = f"{of} are in `{overlap.train}`"
    if overlap.by is not None:
        keys = " and ".join(_KEYS[key] for key in overlap.by.split(", "))
        rows = f"{overlap.rows:,} of its {overlap.eval_rows:,} rows"
        said += f" by {keys}, {rows} ({_percent(overlap.rows, overlap.eval_rows)})"
    if overlap.undecided:
        said += (
            f"; of {overlap.undecided:,} images it cannot be told: files of theirs or of "
            f"`{overlap.train}` cannot be read"
        )
    return said


def consequence(spec: Spec, overlap: "Overlap", leaking: Mapping[str, "Leak"]) -> str:
    """Say what follows from an overlap, as the end of a sentence.

    Args:
        spec: the whole experiment.
        overlap: of a split with a source of training.
        leaking: by split, of what plans refuse that it is measured.
    """
    if overlap.problem is not None or not (overlap.images or overlap.repeated):
        return ""
    if overlap.withheld:
        return f": job `{overlap.job}` leaves these rows out"
    measures = spec.jobs[overlap.eval.partition(".")[0]]
    cure = ""
    if overlap.train in spec.data:
        cure = f"; `exclude` of data `{overlap.train}` leaves them out"
    if not overlap.repeated:
        return f": same image, other text, which is allowed{cure}"
    said = ": same image and same text" if overlap.images else ": same text"
    said += f" in {_share(overlap.repeated, overlap.eval_rows)}"
    if isinstance(measures, Evaluate) and measures.trained_on == "allow":
        return f"{said}, measured all the same (`trained_on = allow`)"
    leak = leaking.get(overlap.eval)
    if leak is not None:
        if leak.job == overlap.job and leak.repeated < overlap.repeated:
            held = overlap.repeated - leak.repeated
            said += f", {held:,} of which are held out of what job `{leak.job}` learns from"
        return f"{said}, an error in `plan` and `train`{cure}"
    return f"{said}, which plans allow{cure}"


def _share(some: int, of: int) -> str:
    return f"{some:,} of {of:,} rows ({_percent(some, of)})"


def _percent(some: int, of: int) -> str:
    return f"{some / of if of else 0:.1%}"
