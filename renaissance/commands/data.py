"""`renaissance data`: show what the data of a spec consist of."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from renaissance import data_how, data_overlap
from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.execution import meant
from renaissance.grammar.checks.data import absent_of
from renaissance.grammar.kinds.data import FormatBlock, TaskBlock
from renaissance.grammar.loading import load_in_spite_of
from renaissance.grammar.names import listing
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.render.text import printable
from renaissance.settings import settings_of

if TYPE_CHECKING:
    from renaissance.runtime.data.expected_sizes import Expected
    from renaissance.runtime.data.summary import Summary

_MOST_ANSWERS = 13
_MOST_UNREADABLE = 10


def run(arguments: Namespace) -> int:
    """Print figures and examples of every split that the jobs of a spec read."""
    path, wanted = meant(arguments.file)
    bearable = data_overlap.FINDINGS if arguments.overlap else ()
    spec, findings = load_in_spite_of(path, bearable, settings_of(arguments.settings))
    if wanted is not None and wanted not in spec.jobs:
        failure = f"there is no job `{wanted}`; jobs are {listing(spec.jobs)}"
        return answer(arguments, NO_ANSWER, failures=[failure])
    if arguments.how:
        return data_how.run(arguments, spec, wanted)
    if arguments.overlap:
        return data_overlap.run(arguments, spec, wanted, findings)
    # What an evaluation reads is shown with the job that it measures, unless it has a task.
    jobs = [
        name
        for name, job in spec.jobs.items()
        if not isinstance(job, Evaluate) or job.task is not None
    ]

    if nowhere := _nowhere(spec, jobs if wanted is None else [wanted]):
        return answer(arguments, NO_ANSWER, failures=nowhere, jobs=[])

    from renaissance.runtime.data.errors import DataError
    from renaissance.runtime.data.summary import summarise

    found: dict[str, tuple[Summary, ...]] = {}
    failures: dict[str, None] = {}
    for job in jobs if wanted is None else [wanted]:
        try:
            found[job] = summarise(spec, job, scan=arguments.scan)
        except DataError as problem:
            failures[str(problem)] = None
    if arguments.format == "text":
        for job, summaries in found.items():
            for summary in summaries:
                sys.stdout.write("\n".join(map(printable, _lines(job, summary))) + "\n\n")
    unreadable = any(summary.unreadable for summaries in found.values() for summary in summaries)
    return answer(
        arguments,
        NO_ANSWER if failures else NO if unreadable else FINE,
        failures=failures,
        jobs=[
            {"job": job, "splits": [asdict(summary) for summary in summaries]}
            for job, summaries in found.items()
        ],
    )


def _nowhere(spec: Spec, jobs: list[str]) -> list[str]:
    """Return what is missing where nothing at all is there, which is said at once."""
    missing: dict[str, None] = {}
    for job in (spec.jobs[name] for name in jobs):
        named = job.data if isinstance(job, Pretrain) else ()
        blocks: list[tuple[str, FormatBlock | TaskBlock]] = [
            (f"data `{name}`", spec.data[name]) for name in named
        ]
        if isinstance(job, Finetune | Evaluate) and job.task is not None:
            blocks.append((f"task `{job.task.word()}`", job.task))
        for what, block in blocks:
            absent = list(absent_of(block))
            if not absent:
                return []
            said = f"of {what} does not exist; `--how` says what belongs there"
            missing |= {f"the {kind} `{path}` {said}": None for _, kind, path in absent}
    return list(missing)


def _lines(job: str, summary: "Summary") -> Iterator[str]:
    from renaissance.runtime.data.excluded import exclusions

    yield f"{job}: {summary.split}"
    texts = any(lengths.most for lengths in summary.lengths if lengths.unit == "words")
    about = f"about {summary.images:,} images" if summary.images else "without images"
    rows = "texts       " if texts else "no texts    "
    yield f"  {rows}{summary.texts:,} {'' if texts else 'rows '}{about}"
    if summary.incomplete:
        yield f"  left out    {summary.incomplete:,} rows: incomplete, or no part of the set"
    if summary.unanswerable:
        yield (
            f"  unanswered  {summary.unanswerable:,} texts left out: no answer that can be given "
            "is right, or none is known"
        )
    for expected in summary.expected:
        yield f"  published   {_against(expected)}"
    if excluded := exclusions(summary.excluded):
        yield f"  excluded    {excluded}"
    if summary.withheld:
        yield f"  withheld    {summary.withheld:,} texts about images that a later job selects by"
    for block in summary.blocks:
        yield (
            f"  mixture     {block.name}: {block.texts:,} texts, each {block.weight:g} times an "
            f"epoch: {block.share:.1%} of it"
        )
    for lengths in summary.lengths if texts else ():
        yield (
            f"  {lengths.unit:<10}  {lengths.least} to {lengths.most}, median {lengths.median}, "
            f"95% have at most {lengths.most95}"
        )
    if summary.cut is None and texts:
        yield f"  tokens      unknown: {summary.no_tokens}"
    elif summary.cut:
        yield f"  cut         {summary.cut:,} texts longer than {summary.max_tokens} tokens"
    if summary.answers:
        shown = list(summary.answers.items())[:_MOST_ANSWERS]
        shares = ", ".join(f"{name} {count / summary.texts:.1%}" for name, count in shown)
        more = len(summary.answers) - len(shown)
        yield f"  answers     {shares}{f', {more} more' if more else ''}"
    if summary.unknown:
        yield f"  unknown     {summary.unknown:,} texts have an answer that training never saw"
    if summary.unreadable is not None:
        yield f"  unreadable  {len(summary.unreadable):,} of {summary.images:,} images"
        for path, reason in summary.unreadable[:_MOST_UNREADABLE]:
            yield f"    {path}: {reason}"
        if (more := len(summary.unreadable) - _MOST_UNREADABLE) > 0:
            yield f"    and {more:,} more"
        if summary.unreadable and not summary.refused:
            yield "  bearable    as many as `max_unreadable` lets pass: jobs skip them"
        for refused in summary.refused:
            yield f"  refused     {refused}: mend them or raise `max_unreadable`"
    for example in summary.examples:
        answered = f" -> {example.answer}" if example.answer is not None else ""
        images = ", ".join(filter(None, example.images))
        line = f"{example.text}{answered}{f'  ({images})' if images else ''}"
        yield f"  example     {line.lstrip()}"


def _against(expected: "Expected") -> str:
    """Say what was found of what was published."""
    found = [
        f"{there:,} of {published:,} {what}"
        for what, there, published in (
            ("texts", expected.found_texts, expected.texts),
            ("images", expected.found_images, expected.images),
        )
        if published is not None
    ]
    return f"{' and '.join(found)} ({expected.name})"
