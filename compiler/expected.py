"""How much an objective or a task asks of a pass, before there are data: for plans."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal

from renaissance.compiler.heads import Kind, kinds_of
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain

SPECIAL_TOKENS = 2
"""Tokens of a text beside its words: one before them and one behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The texts of a pass, all of one length.

    Attributes:
        rows: how many texts.
        tokens: of each.
        images: distinct images that they are about.
        others: distinct images that the other texts of the global batch are about.
        measured: nothing is learned from them.
        images_a_pair: that the model reads beside a text at once.
        patches: of an image, the largest that may come, or most of its regions; 0 where that is
            not known.
    """

    rows: int
    tokens: int
    images: int
    others: int
    measured: bool = False
    images_a_pair: int = 1
    patches: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is asked of a pass.

    Attributes:
        pairs: of a text and an image.
        changed: each row has a text of its own, such as one with masked words, which is encoded
            beside the plain one.
        positions: tokens that are read; None where pooled pairs are.
        shown: distinct images that the texts are about; None where these are their own.
        images: distinct images beside those.
        hidden: images of which patches or regions are hidden, which are encoded beside the others.
        patches: whether items are patches or regions.
        texts: texts beside those of the rows.
        items: what losses are summed over.
        target: a class of each item, a share of credit for each of its classes, a number, or as
            many numbers as are predicted.
        candidates: pairs of each item, of which one is the right one; 0 where pairs are none.
        compared: pairs are compared with each other, and with those of all passes of a step.
        drawn: images are drawn by a comparison.
    """

    pairs: int
    changed: bool = False
    positions: int | None = None
    shown: int | None = None
    images: int = 0
    hidden: int = 0
    patches: bool = False
    texts: int = 0
    items: int
    target: Literal["class", "shares", "number", "vector"] = "class"
    candidates: int = 0
    compared: bool = False
    drawn: bool = False


def expected_of(kinds: Mapping[str, Kind], shape: Shape) -> dict[str, Expected]:
    """Return what objectives or a task ask of a pass, by name of the head, as pairs are ordered.

    Those that change texts come first, as their texts do.
    """
    found = {name: _expected(kind, shape) for name, kind in kinds.items()}
    return dict(sorted(found.items(), key=lambda entry: not entry[1].changed))


def encoded_texts(asked: Iterable[Expected], shape: Shape) -> int:
    """Return how many texts are encoded: those that objectives change, and all once as they are."""
    asked = tuple(asked)
    changed = [one.changed for one in asked]
    others = sum(one.texts for one in asked)
    return shape.rows * (sum(changed) + (not all(changed))) + others


def distinct_images(asked: Iterable[Expected], shape: Shape) -> int:
    """Return how many images are encoded: those that texts are about, and others, each once."""
    asked = tuple(asked)
    own = (shape.images if one.shown is None else one.shown for one in asked)
    return max(own, default=0) + sum(one.images for one in asked)


def hidden_images(asked: Iterable[Expected]) -> int:
    """Return how many images are encoded of which patches are hidden."""
    return sum(one.hidden for one in asked)


def _expected(kind: Kind, shape: Shape) -> Expected:
    expected = getattr(optional_facet(kind, "items"), "expected", one_a_row)
    found: Expected = expected(kind, shape)
    return found


def one_a_row(kind: Kind, shape: Shape) -> Expected:
    """Return what a task asks for that has an item a row, its text with its images.

    Each image makes a pair with the text, or as many together as a model reads at once.
    """
    head = kind.head()
    views = 1 if head is None else head.views
    return Expected(
        pairs=shape.rows * views // shape.images_a_pair,
        images=(views - 1) * shape.images,
        items=shape.rows,
    )


def shape_of(job: Job, texts: int, tokens: int, images_a_pair: int = 1, patches: int = 0) -> Shape:
    """Return the shape of a pass of some texts, of which a model reads some images at once."""
    own, others, measured = texts, 0, isinstance(job, Evaluate)
    if not isinstance(job, Evaluate):
        own = ceil(texts / job.texts_per_image)
        others = ceil(job.batch / job.texts_per_image) - own
    return Shape(
        rows=texts,
        tokens=tokens,
        images=own,
        others=others,
        measured=measured,
        images_a_pair=images_a_pair,
        patches=patches,
    )


def images_read(job: Job, training: Pretrain | Finetune) -> int:
    """Return the images that are read for a step."""
    shape = shape_of(job, job.batch, 1)
    asked = expected_of(kinds_of(training), shape).values()
    # What is hidden in one is mostly shown too; the file is read once.
    return max(distinct_images(asked, shape), hidden_images(asked))
