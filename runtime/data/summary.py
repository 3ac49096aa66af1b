"""What the data of a job consist of, for a person who wants to look at them."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.registry import facet
from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.decode import UnreadableImageError, read_image
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.expected_sizes import Expected, expected
from renaissance.runtime.data.job_tokenizer import job_tokenizer
from renaissance.runtime.data.many_texts import Texts
from renaissance.runtime.data.mixture import Share, mixture
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.parts import Parts, measured_only
from renaissance.runtime.data.streams import text_needs
from renaissance.runtime.data.targets import Targets
from renaissance.runtime.data.unreadable import UnreadableImages

UNCUT = 2**20
"""More tokens than any text has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How long texts are.

    Attributes:
        unit: what is counted: `words` or `tokens`.
        least: of the shortest.
        median: of the middle one.
        most95: that 95 % of the texts do not exceed.
        most: of the longest.
    """

    unit: str
    least: int
    median: int
    most95: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One text with its images.

    Attributes:
        images: their paths.
        text: the text.
        answer: its answer; None where there is none.
    """

    images: tuple[str, ...]
    text: str
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One split.

    Attributes:
        split: its name.
        texts: number of texts.
        images: number of distinct images.
        incomplete: rows of the files that lack something, or are no part of the set; left out.
        excluded: texts left out because of `exclude`, by what it names.
        withheld: texts left out because a later job selects its best checkpoint by their images.
        unanswerable: texts left out because no answer that can be given is right, or none is known.
        blocks: what a pretraining learns from, one for each data block.
        expected: what the published data hold against what was found.
        lengths: in words and, with a tokenizer, in tokens.
        max_tokens: longest text that the model takes.
        cut: texts that are longer; None without a tokenizer.
        no_tokens: why there is no tokenizer; None where there is one.
        answers: how often each answer occurs, most frequent first; empty where rows have none.
        unknown: texts that no answer is right for, none that training has seen.
        examples: a few texts, spread evenly.
        unreadable: path and reason of images that cannot be read; None if nobody looked.
        refused: for which of its blocks jobs refuse to go on because of them, a sentence each; the
            splits before this one counted, as far as they are of the same images.
    """

    split: str
    texts: int
    images: int
    incomplete: int
    excluded: Mapping[str, int]
    withheld: int
    unanswerable: int
    blocks: tuple[Share, ...]
    expected: tuple[Expected, ...]
    lengths: tuple[Lengths, ...]
    max_tokens: int
    cut: int | None
    no_tokens: str | None
    answers: dict[str, int]
    unknown: int
    examples: tuple[Example, ...]
    unreadable: tuple[tuple[str, str], ...] | None
    refused: tuple[str, ...]


def splits_of(spec: Spec, job_name: str) -> tuple[str, ...]:
    """Return the splits that a job reads: to learn, to select and to be measured on."""
    job = spec.jobs[job_name]
    if isinstance(job, Evaluate):
        return (job.split,)
    measured = dict.fromkeys(
        other.split
        for other in spec.jobs.values()
        if isinstance(other, Evaluate) and other.of == job_name and other.task is None
    )
    return tuple(dict.fromkeys(("train", "validation", *measured)))


def summarise(
    spec: Spec, job_name: str, *, scan: bool = False, examples: int = 3
) -> tuple[Summary, ...]:
    """Look at every split of a job.

    Args:
        spec: the whole experiment.
        job_name: any job.
        scan: open every image.
        examples: texts to quote of each split.

    Raises:
        DataError: if files are missing or malformed.
    """
    job = spec.data_job(job_name)
    parts = Parts(spec, job)
    task = job.task if isinstance(job, Finetune) else None
    choices = () if task is None else parts.answers(measured_only(spec, job_name))
    max_tokens = text_needs(spec.model_of(job_name)).max_tokens
    try:
        tokenizer, no_tokens = job_tokenizer(spec, job_name), None
    except DataError as problem:
        # The rest can be looked at without it.
        tokenizer, no_tokens = None, str(problem)
    summaries = []
    met: dict[str, UnreadableImages] = {}
    for split in splits_of(spec, job_name):
        part = parts[split]
        answers = Counter(filter(None, part.answers)) if part.table.has_answers else Counter()
        images = met.setdefault(part.file, UnreadableImages(part.table)) if scan else None
        scanned = None if images is None else _scan(part, images)
        tokens = None
        if tokenizer is not None:
            tokens = tokenizer.encode(part.texts, UNCUT, part.seconds or None).lengths
        summaries.append(
            Summary(
                split=split,
                texts=len(part),
                images=part.shown_images,
                incomplete=part.table.incomplete,
                excluded=part.table.excluded,
                withheld=part.withheld,
                unanswerable=part.unanswerable,
                blocks=mixture(part) if split == "train" else (),
                expected=expected(spec, job, parts, split),
                lengths=_all_lengths(part.texts, tokens),
                max_tokens=max_tokens,
                cut=None if tokens is None else int(np.count_nonzero(tokens > max_tokens)),
                no_tokens=no_tokens,
                answers={name: count for name, count in answers.most_common() if name is not None},
                unknown=0 if task is None else _impossible(task, part, choices),
                examples=_examples(part, examples),
                unreadable=scanned,
                refused=() if images is None else images.beyond,
            )
        )
    return tuple(summaries)


def _impossible(task: TaskBlock, part: Part, choices: tuple[str, ...]) -> int:
    if not part.labelled:
        return 0
    targets: Targets = facet(task, "reader").targets(task, part.table, choices)
    return targets.impossible(part.rows[part.table.labelled[part.rows]])


def _all_lengths(texts: Texts, tokens: np.ndarray | None) -> tuple[Lengths, ...]:
    if not texts:
        return ()
    words = np.concatenate(
        [pc.count_substring_regex(piece, r"\S+").to_numpy() for piece in texts.pieces()]
    )
    counted = [("words", words)] if tokens is None else [("words", words), ("tokens", tokens)]
    return tuple(_lengths(unit, counts) for unit, counts in counted)


def _lengths(unit: str, counts: np.ndarray) -> Lengths:
    places = np.percentile(counts, [0, 50, 95, 100], method="inverted_cdf")
    least, median, most95, most = (int(place) for place in places)
    return Lengths(unit=unit, least=least, median=median, most95=most95, most=most)


def _examples(part: Part, count: int) -> tuple[Example, ...]:
    places = np.unique(np.linspace(0, len(part) - 1, min(count, len(part))).astype(int))
    table = part.table
    return tuple(
        Example(images=table.paths_of(row), text=said["text"], answer=said.get("answer"))
        for row, said in ((row, table.rows[row]) for row in part.rows[places].tolist())
    )


def _scan(part: Part, met: UnreadableImages) -> tuple[tuple[str, str], ...]:
    """Return path and reason of what cannot be read, and count it among what was met before."""
    unreadable = []
    for image in part.images.tolist():
        path = part.table.path(image)
        if not path:  # a text without an image
            continue
        try:
            read_image(part.table.file(image), 1, "squash")
        except UnreadableImageError as problem:
            unreadable.append((path, str(problem)))
            with suppress(DataError):  # who asks hears it of `met`
                met.add(image, str(problem))
    return tuple(unreadable)
