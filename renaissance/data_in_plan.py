"""What plans say about data, where they are there: what an epoch shows, and what is seen twice."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from renaissance.data_overlap import short
from renaissance.grammar.chain import chain_of
from renaissance.grammar.names import listing
from renaissance.grammar.paths import exists
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import paths_in
from renaissance.grammar.study import Cell, Study

if TYPE_CHECKING:
    from renaissance.runtime.data.part import Part
    from renaissance.runtime.data.parts import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarks:
    """What is to be said about the data of a spec.

    Attributes:
        sentences: what a person should know.
        known: the same for programs.
        failures: what must not be: rows that are measured although they are learned from, data of
            which nothing is left.
    """

    sentences: tuple[str, ...] = ()
    known: Mapping[str, Any] = field(default_factory=dict)
    failures: tuple[str, ...] = ()


def remarks_on_data(spec: Spec) -> Remarks:
    """Return what plans say; nothing about data that cannot be read."""
    from renaissance.runtime.data.leaks import leaks
    from renaissance.runtime.data.parts import parts_of

    parts = parts_of(spec)
    mixtures = list(_mixtures(spec, parts))
    withheld = list(_withheld(spec, parts))
    found = list(_overlaps(spec, parts))
    said = [line for _, lines, _ in mixtures for line in lines]
    said += [_left_out(job, texts, selecting) for job, texts, selecting in withheld]
    said += [short(overlap) for overlap in found]
    said += _absent_features(spec)
    return Remarks(
        sentences=tuple(said),
        known={
            "mixtures": [{"job": job, "blocks": blocks} for job, _, blocks in mixtures],
            "withheld": [{"job": job, "texts": texts} for job, texts, _ in withheld],
            "overlaps": [asdict(overlap) for overlap in found],
        },
        failures=(*_emptied(spec, parts), *(leak.sentence for leak in leaks(spec, parts=parts))),
    )


def failures_of_study(study: Study) -> tuple[str, ...]:
    """Return what must not be in cells of a study, each sentence once."""
    from renaissance.runtime.data.parts import parts_of
    from renaissance.runtime.studies.preflight import Leaking, by_variants

    leaking = Leaking()

    def failures(cell: Cell) -> Iterator[str]:
        yield from _emptied(cell.spec, parts_of(cell.spec))
        yield from leaking(cell.spec, cell.spec.jobs)

    return by_variants(study.cells, failures)


def _mixtures(
    spec: Spec, parts: "Mapping[str, Parts]"
) -> Iterator[tuple[str, list[str], list[dict[str, Any]]]]:
    """Yield jobs that learn from several blocks, by weight, or from less than all."""
    from renaissance.runtime.data.excluded import exclusions
    from renaissance.runtime.data.mixture import mixture

    for name, job in spec.jobs.items():
        if not isinstance(job, Pretrain):
            continue
        blocks = [spec.data[block] for block in job.data]
        if len(blocks) == 1 and blocks[0].weight == 1 and not blocks[0].exclude:
            continue
        part = _train(parts[name])
        if part is None:
            continue
        shares = mixture(part)
        lines = []
        if shares:
            epoch = sum(share.texts * share.weight for share in shares)
            each = ", ".join(
                f"{share.share:.1%} `{share.name}` ({share.texts:,} texts × {share.weight:g})"
                for share in shares
            )
            lines.append(f"an epoch of job `{name}` shows {round(epoch):,} texts: {each}")
        if left := exclusions(part.table.excluded):
            lines.append(f"job `{name}` leaves out {left}")
        yield name, lines, [asdict(share) for share in shares]


def _withheld(
    spec: Spec, parts: "Mapping[str, Parts]"
) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Yield jobs that leave out texts, how many, and the later jobs that select by their images."""
    for name, learning in spec.jobs.items():
        if isinstance(learning, Evaluate):
            continue
        selecting = tuple(
            other
            for other, job in spec.jobs.items()
            if isinstance(job, Finetune) and name in chain_of(spec.jobs, other)[1:]
        )
        part = _train(parts[name]) if selecting else None
        if part is not None and part.withheld:
            yield name, part.withheld, selecting


def _emptied(spec: Spec, parts: "Mapping[str, Parts]") -> Iterator[str]:
    """Yield what is said of data blocks whose images are all excluded, each once."""
    from renaissance.runtime.data.errors import DataError, NothingLeftError

    said = set()
    for name, job in spec.jobs.items():
        if not isinstance(job, Pretrain) or not any(spec.data[one].exclude for one in job.data):
            continue
        try:
            parts[name]["train"]
        except NothingLeftError as problem:
            said.add(str(problem))
        except (DataError, OSError):
            continue
    yield from sorted(said)


def _absent_features(spec: Spec) -> Iterator[str]:
    """Yield what is said of stored features that streams of planned models read, each once."""
    models = {id(model): model for model in map(spec.model_of, spec.jobs)}
    said = dict.fromkeys(
        f"`{place}`, the `{key}` of stream `{name}` of model `{model.name}`, is not there"
        for model in models.values()
        for name, stream in model.streams.items()
        for key, _, place in paths_in(stream)
        if not exists(place)
    )
    yield from said


def _train(parts: "Parts") -> "Part | None":
    """Return what a job learns from; None where it cannot be read."""
    from renaissance.runtime.data.errors import DataError

    try:
        return parts["train"]
    except (DataError, OSError):
        return None


def _left_out(job: str, texts: int, selecting: tuple[str, ...]) -> str:
    select = "selects its" if len(selecting) == 1 else "select their"
    return (
        f"job `{job}` leaves out {texts:,} texts about images by which {listing(selecting)} "
        f"{select} best checkpoint"
    )


def _overlaps(spec: Spec, parts: "Mapping[str, Parts]") -> Iterator[Any]:
    """Yield what is reported on and learned from; files of images are not opened for it."""
    from renaissance.runtime.data.overlap import overlaps

    # What selects a best checkpoint is left out in training.
    found = overlaps(spec, digests=False, parts=parts)
    yield from (one for one in found if one.images and not one.withheld)
