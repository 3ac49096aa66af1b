"""Does a model fit the published one that it starts from, and does it compute the same?"""

from collections.abc import Iterator
from math import isclose

from renaissance.grammar.anatomy.architecture import vocabulary_named
from renaissance.grammar.checks.model_findings import ModelFindings
from renaissance.grammar.declaration import Block
from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.kinds.source import SourceBlock, modality
from renaissance.grammar.names import listing
from renaissance.grammar.paths import is_folder
from renaissance.grammar.places import Path
from renaissance.grammar.published_models import (
    FREE,
    SHAPES,
    Part,
    PublishedModel,
    UnusualError,
    flaw_of_published,
    published_model,
    spelled,
)
from renaissance.grammar.record import Record
from renaissance.grammar.source import Span


class _Other(Record):
    """A key of a model that has another value than as published.

    Attributes:
        path: of the key.
        address: as people write it.
        mine: its value.
        theirs: as published.
    """

    path: Path
    address: str
    mine: object
    theirs: object

    @property
    def key(self) -> str:
        """Its name."""
        return str(self.path[-1])


def check_published(found: ModelFindings) -> None:
    """Report what the weights of a published folder do not fit, or were not trained for."""
    folder = found.parts.weights
    if folder is None or not is_folder(folder):
        return
    flaw = flaw_of_published(folder)
    if flaw is not None:
        where = found.value((*found.parts.path, "weights"))
        found.error("VL304", flaw.message, where, "no model can start from it", *flaw.help)
        return
    published = published_model(folder)
    shapes: dict[Span, list[_Other]] = {}
    functions: dict[Span, list[_Other]] = {}
    for other in _others(found, published):
        kind = functions
        if other.key in SHAPES | FREE:
            if not _matters(other):
                continue
            kind = shapes
        kind.setdefault(found.value(other.path), []).append(other)
    for span, others in shapes.items():
        _no_fit(found, published, span, others)
    for span, others in functions.items():
        _other_function(found, published, span, others)
    _check_words(found, published)


def as_published(found: ModelFindings) -> PublishedModel | None:
    """Return the model that the folder describes that a model starts from; None where none does."""
    folder = found.parts.weights
    if folder is None or not is_folder(folder):
        return None
    try:
        return published_model(folder)
    except UnusualError:
        return None


def _others(found: ModelFindings, published: PublishedModel) -> Iterator[_Other]:
    parts = found.parts
    for name in parts.inputs:
        stream = parts.streams.get(name)
        if stream is None:
            continue
        part = published.text if modality(stream) == "text" else published.vision
        yield from _of_block(stream, part, (*parts.path, "streams", name), name)
    fusion = parts.fusion
    if fusion is None or fusion.word() != published.fusion.kind:
        return
    yield from _of_block(fusion, published.fusion, (*parts.path, "fusion"), parts.fusion_name)
    if fusion.stack is not None and published.stack is not None:
        where = (*parts.path, "fusion", "encoder")
        yield from _of_block(fusion.stack, published.stack, where, f"{parts.fusion_name}.encoder")
    for key, mine in (("pool", parts.pool), ("pooler", parts.pooler)):
        if mine is not None and mine != published.keys[key]:
            theirs = published.keys[key]
            yield _Other(path=(*parts.path, key), address=key, mine=mine, theirs=theirs)


def _of_block(block: Block, part: Part, path: Path, address: str) -> Iterator[_Other]:
    for key, theirs in (part.follows | part.keys).items():
        mine = getattr(block, key, None)
        if mine is None or _same(mine, theirs):
            continue
        yield _Other(path=(*path, key), address=f"{address}.{key}", mine=mine, theirs=theirs)


def _same(mine: object, theirs: object) -> bool:
    if isinstance(mine, int | float) and isinstance(theirs, int | float):
        return isclose(mine, theirs, rel_tol=1e-4)
    return mine == theirs


def _matters(other: _Other) -> bool:
    """Tell whether weights do not fit: the first layers of several do, and shorter texts."""
    if other.key in ("layers", "max_tokens"):
        return int(other.mine) > int(other.theirs)  # type: ignore[call-overload, no-any-return]
    return other.key in SHAPES


def _no_fit(
    found: ModelFindings, published: PublishedModel, span: Span, others: list[_Other]
) -> None:
    verb = "does" if len(others) == 1 else "do"
    found.error(
        "VL305",
        f"{_mine(others)} {verb} not fit the weights of `{published.folder}`",
        span,
        "has another value there",
        _write(others),
        _whole(published),
        related=(_weights(found),),
    )


def _other_function(
    found: ModelFindings, published: PublishedModel, span: Span, others: list[_Other]
) -> None:
    found.findings.add(
        Diagnostic(
            code="VL516",
            message=f"`{published.folder}` was not trained for {_mine(others)}",
            span=span,
            severity="warning",
            label="has another value there",
            help=(f"{_write(others)} to have it as published", _whole(published)),
            related=(_weights(found),),
        )
    )


def _mine(others: list[_Other]) -> str:
    return listing([f"{one.address} = {spelled(one.mine)}" for one in others], most=len(others))


def _write(others: list[_Other]) -> str:
    said = [f"{one.address} = {spelled(one.theirs)}" for one in others]
    return f"write {listing(said, most=len(said))}"


def _check_words(found: ModelFindings, published: PublishedModel) -> None:
    """Report word embeddings of another number of rows than the folder has."""
    parts = found.parts
    for name in parts.inputs:
        stream = parts.streams.get(name)
        if stream is None or modality(stream) != "text":
            continue
        rows = _rows(stream)
        if rows is None or rows == published.vocabulary:
            continue
        found.error(
            "VL305",
            f"`{name}` has word embeddings for {rows:,} tokens, and `{published.folder}` for "
            f"{published.vocabulary:,}",
            found.value((*parts.path, "streams", name)),
            "its words would be others",
            f"let it read with the folder's tokenizer: `{published.text.word}`",
            related=(_weights(found),),
        )


def _rows(stream: SourceBlock) -> int | None:
    named = stream.tokenizer
    return stream.learned_vocabulary if named is None else vocabulary_named(named)


def _weights(found: ModelFindings) -> Label:
    return Label(span=found.value((*found.parts.path, "weights")), text="it starts from this")


def _whole(published: PublishedModel) -> str:
    return f"`renaissance specs --from {published.folder}` writes the whole model"
