"""Do the random changes of a job's images leave its texts true?"""

from collections.abc import Mapping

from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.data import FormatBlock
from renaissance.grammar.places import Places
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.source import Span


def check_augmenting(
    job: Pretrain | Finetune,
    data: Mapping[str, FormatBlock | None],
    places: Places,
    findings: Findings,
) -> None:
    """Report a change that is stated twice, or that makes texts say the wrong side.

    Args:
        job: a training job.
        data: all blocks of data by name; None for one that is wrong.
        places: where everything was said.
        findings: receives what is wrong.
    """
    path = ("jobs", job.name, "augment")
    sides = _of_sides(job, data)
    seen: dict[str, Span] = {}
    for index, change in enumerate(job.augment):
        word, span = change.word(), places.key((*path, index))
        assert span is not None  # a job's path is always known
        if word in seen:
            findings.add(
                Diagnostic(
                    code="VL509",
                    message=f"augmentation `{word}` is stated twice",
                    span=span,
                    label="stated again",
                    related=(Label(span=seen[word], text="first stated here"),),
                )
            )
        seen.setdefault(word, span)
        if change.swaps_sides and sides is not None:
            findings.add(
                Diagnostic(
                    code="VL524",
                    message=f"`{word}` contradicts texts that say left and right",
                    span=span,
                    label=f"as those of `{sides}` do",
                    help=(f"leave `{word}` out",),
                    notes=("images are mirrored, and texts stay as they are",),
                )
            )


def _of_sides(job: Pretrain | Finetune, data: Mapping[str, FormatBlock | None]) -> str | None:
    """Return the word of the first data of a job whose texts say sides; None where none do."""
    if isinstance(job, Finetune):
        return job.task.word() if job.task.says_sides else None
    blocks = (data.get(name) for name in job.data)
    return next((block.word() for block in blocks if block and block.says_sides), None)
