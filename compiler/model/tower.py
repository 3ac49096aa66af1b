"""What every source of a stream gives: one module that turns inputs into tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from renaissance.compiler.model.features import Features
from renaissance.grammar.architectures import Statistics
from renaissance.grammar.kinds.source import Fit, Modality
from renaissance.grammar.schema.model import Attention

LayerPaths = tuple[tuple[str, ...], ...]
"""For each layer, in order, the path of its module and of what else belongs to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackboneReference:
    """Where pretrained weights came from.

    Attributes:
        id: hub id, timm name or path.
        revision: commit on the hub; None for a local folder.
        content: SHA-256 over names, shapes and values of all parameters and buffers, in the shapes
            that they are published in.
    """

    id: str
    revision: str | None
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionFacts:
    """Whose attention a part of a model runs.

    Attributes:
        asked: implementation that the spec asks for.
        head_dims: widths of its heads, each once.
        ragged: whether it meets rows of different length.
        library: the implementation that its library brings, where that runs; None where the
            project's does.
        absorbs: whether two streams attend to each other, so that one may absorb projections.
        refusal: why the project's cannot run, a phrase; None where it is not wanted or runs.
    """

    asked: Attention
    head_dims: tuple[int, ...]
    ragged: bool
    library: str | None = None
    absorbs: bool = False
    refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TowerFacts:
    """What is known about a tower besides its parameters.

    Attributes:
        modality: what it reads.
        width: channels of its tokens.
        embeddings: paths of modules and parameters in front of the layers, where their names do not
            tell.
        layers: for each layer, in order, the path of its module and of what else belongs to it.
        vocabulary: rows of the word embedding; None for vision.
        max_tokens: longest text, special tokens included; None for vision.
        image_size: height and width of images, pixels; None where none are read.
        fit: the shapes that images may have; None where they are square, of `image_size`.
        regions: most regions of an image; None where none are read.
        channels: numbers that stand for a region; None likewise.
        statistics: mean and standard deviation of colours that it expects; None for text.
        prefix_tokens: class, distillation and register tokens before the patches.
        class_token: whether the first token is a class token.
        grid: patches along one side of a square image; None for text, or where only its library
            knows.
        position_offset: row of the position embedding that the first token takes.
        attention: whose attention it runs; None where it has none.
        packs: whether it takes packed rows; others are padded around it.
        mixes: whether the tokens of a padded text depend on the texts beside it.
        notes: what was done to fit it to the spec, a sentence each.
    """

    modality: Modality
    width: int
    embeddings: tuple[str, ...] = ()
    layers: LayerPaths = ()
    vocabulary: int | None = None
    max_tokens: int | None = None
    image_size: int | None = None
    fit: Fit | None = None
    regions: int | None = None
    channels: int | None = None
    statistics: Statistics | None = None
    prefix_tokens: int = 0
    class_token: bool = False
    grid: int | None = None
    position_offset: int = 0
    attention: AttentionFacts | None = None
    packs: bool = False
    mixes: bool = False
    notes: tuple[str, ...] = ()

    @property
    def patches(self) -> int:
        """Patches of the largest image, or most regions; 0 where they are not known."""
        if self.regions is not None:
            return self.regions
        if not self.grid or not self.image_size:
            return 0
        side, (height, width) = self.image_size // self.grid, self.largest
        return (height // side) * (width // side)

    @property
    def largest(self) -> tuple[int, int]:
        """Height and width of an image with as many pixels as any may have; 0 for text."""
        size = self.image_size or 0
        return (size, size) if self.fit is None else self.fit.largest


class Tower(nn.Module):
    """A stream of a model; `reference` is None where nothing pretrained was loaded.

    `key` names the configuration of a library's encoder: what is the same for all of its layers.
    `hands_on` says whether the tower looks into no rows itself, so that it takes packed ones as
    soon as its parts do.
    """

    facts: TowerFacts
    reference: BackboneReference | None = None
    key: str = ""
    hands_on: ClassVar[bool] = False

    def forward(self, inputs: Any) -> Features:
        """Encode texts (`TextInput`), images `[rows, 3, height, width]` or a `RegionInput`."""
        raise NotImplementedError

    def words(self) -> nn.Embedding | None:
        """Return the embeddings of its word pieces; None where it has none."""
        return None

    def patch_embedding(self) -> nn.Module | None:
        """Return what embeds the patches of an image; None where nothing is told to do so."""
        return None

    def settle(self, address: str) -> None:
        """Take note of what follows from how the tower is computed, once that is decided."""


def first_streams(towers: Mapping[str, Tower]) -> tuple[str, ...]:
    """Return the first stream of texts and the first of images, in their order."""
    first: dict[Modality, str] = {}
    for name, tower in towers.items():
        first.setdefault(tower.facts.modality, name)
    return tuple(first.values())


class Stacked(nn.Module):
    """The stack of a one-tower model; `dropout` is what embeddings in front of it take.

    `key` and `hands_on` are what they are of a tower.
    """

    facts: TowerFacts
    reference: BackboneReference | None = None
    key: str = ""
    hands_on: ClassVar[bool] = False
    dropout: float

    def forward(self, inputs: Features) -> Features:
        """Map tokens `[rows, n, width]` to the same shape; padding is attended to by nobody."""
        raise NotImplementedError
