"""Every model of timm: what `timm.tsv` says of it.

The table is made from timm by `python -m renaissance.compiler.timm_table` and read when a
spec names a model that nobody described by hand. Beside it lie the names that timm has given up
and still takes, each with that of today.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from renaissance.grammar.architectures import CLIP, HALF, IMAGENET, Architecture, Statistics
from renaissance.grammar.record import Record, field

TABLE = Path(__file__).with_name("timm.tsv")
FORMER = Path(__file__).with_name("timm_former.tsv")
_STATISTICS: Mapping[str, Statistics] = {
    "i": IMAGENET,
    "h": HALF,
    "c": CLIP,
    "n": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
"""Pixel statistics by the letter that stands for them in the table; others are written out."""


class Expected(Record):
    """Images that some weights were trained with.

    Attributes:
        size: height and width, pixels.
        statistics: mean and standard deviation of each colour.
    """

    size: int
    statistics: Statistics


class TimmModel(Record):
    """A model of timm as a tower without its classifier.

    Attributes:
        name: of the architecture, without a tag.
        images: that it expects where no tag is named.
        refused: why it can be no tower; empty where it can, and nothing else is known where not.
        width: channels of its output tokens.
        layers: that can be addressed, over all stages.
        tokens: of an image of that size.
        parameters: how many, whatever the size of images.
        prefix_tokens: class, distillation and register tokens before the patches.
        class_token: whether the first of them is a class token.
        patch: height and width of a patch, pixels; None where tokens are no plain grid of patches.
        heads: attention heads; None where its layers are no plain stack of equal ones.
        mlp_ratio: width of the feed-forward part over that of the layers; None as above.
        tags: what each set of published weights expects, by tag.
    """

    name: str
    images: Expected
    refused: str = ""
    width: int = 0
    layers: int = 0
    tokens: int = 0
    parameters: int = 0
    prefix_tokens: int = 0
    class_token: bool = False
    patch: int | None = None
    heads: int | None = None
    mlp_ratio: float | None = None
    tags: Mapping[str, Expected] = field(default_factory=dict)

    def architecture(self, tag: str = "") -> Architecture:
        """Return its facts with the images that the weights of a tag expect."""
        images = self.tags.get(tag, self.images)
        plain = self.heads is not None
        return Architecture(
            id=self.name,
            library="timm",
            model_type=self.name,
            modality="vision",
            layers=self.layers or None,
            width=self.width or None,
            heads=self.heads,
            mlp_ratio=self.mlp_ratio,
            embedding_width=self.width if plain else None,
            sequence=plain,
            image_size=images.size,
            patch=self.patch,
            prefix_tokens=self.prefix_tokens,
            class_token=self.class_token,
            statistics=images.statistics,
            described=False,
            refused=self.refused,
        )


def timm_model(name: str) -> TimmModel | None:
    """Return what the table says of an architecture, by its name without a tag; None if nothing."""
    line = _lines().get(name)
    return None if line is None else parsed(line)


def timm_names() -> tuple[str, ...]:
    """Return the names of all architectures in the table, without tags."""
    return tuple(_lines())


def name_of_today(name: str) -> str:
    """Return the name, with a tag, that timm has given a model since; the same one if none."""
    return _former().get(name, name)


def former_table(names: Mapping[str, str]) -> str:
    """Return the text of the table of former names, each with that of today."""
    return "".join(f"{former}\t{today}\n" for former, today in sorted(names.items()))


def timm_version() -> str:
    """Return the version of timm that the table was made from."""
    return _head().split()[1]


def parsed(line: str) -> TimmModel:
    """Read a line of the table."""
    name, images, refused, sizes, tokens, plain, tags = line.split("\t")
    own = _expected(images, None)
    weights = dict(_tag(tag, own) for tag in tags.split())
    if refused:
        return TimmModel(name=name, images=own, refused=refused, tags=weights)
    width, layers, count, parameters = map(int, sizes.split())
    prefix, first, patch = tokens.split()
    heads, ratio = plain.split() if plain else (None, None)
    return TimmModel(
        name=name,
        images=own,
        width=width,
        layers=layers,
        tokens=count,
        parameters=parameters,
        prefix_tokens=int(prefix),
        class_token=first == "c",
        patch=int(patch) or None,
        heads=None if heads is None else int(heads),
        mlp_ratio=None if ratio is None else float(ratio),
        tags=weights,
    )


def line_of(model: TimmModel) -> str:
    """Return the line of the table that says what is known of a model."""
    sizes = tokens = plain = ""
    if not model.refused:
        sizes = f"{model.width} {model.layers} {model.tokens} {model.parameters}"
        first = "c" if model.class_token else "-"
        tokens = f"{model.prefix_tokens} {first} {model.patch or 0}"
        if model.heads is not None:
            plain = f"{model.heads} {model.mlp_ratio}"
    tags = " ".join(
        tag if images == model.images else f"{tag}:{_spelled(images, model.images)}"
        for tag, images in model.tags.items()
    )
    images = _spelled(model.images, None)
    return "\t".join((model.name, images, model.refused, sizes, tokens, plain, tags))


def table_of(version: str, lines: list[str]) -> str:
    """Return the text of the table."""
    columns = "name, images, why no tower, width layers tokens parameters, prefix first patch"
    head = f"# timm {version}: {columns}, heads and mlp_ratio of a plain stack, tags"
    return "\n".join((head, *lines, ""))


def _spelled(images: Expected, usual: Expected | None) -> str:
    """Return `224i`; what is as usual is left out."""
    size = "" if usual is not None and images.size == usual.size else str(images.size)
    if usual is not None and images.statistics == usual.statistics:
        return size
    letters = {statistics: letter for letter, statistics in _STATISTICS.items()}
    written = ",".join(str(value) for side in images.statistics for value in side)
    return size + letters.get(images.statistics, f"={written}")


def _expected(text: str, usual: Expected | None) -> Expected:
    digits = len(text) - len(text.lstrip("0123456789"))
    size, rest = text[:digits], text[digits:]
    statistics = usual.statistics if usual is not None and not rest else _statistics(rest)
    return Expected(size=int(size) if size or usual is None else usual.size, statistics=statistics)


def _statistics(text: str) -> Statistics:
    if text in _STATISTICS:
        return _STATISTICS[text]
    red, green, blue, *deviations = map(float, text.removeprefix("=").split(","))
    return (red, green, blue), (deviations[0], deviations[1], deviations[2])


def _tag(text: str, usual: Expected) -> tuple[str, Expected]:
    tag, own, images = text.partition(":")
    return tag, _expected(images, usual) if own else usual


@cache
def _lines() -> dict[str, str]:
    lines = TABLE.read_text("utf-8").splitlines()
    return {line.partition("\t")[0]: line for line in lines[1:]}


@cache
def _former() -> dict[str, str]:
    lines = FORMER.read_text("utf-8").splitlines()
    return {former: today for former, _, today in (line.partition("\t") for line in lines)}


def _head() -> str:
    with TABLE.open(encoding="utf-8") as table:
        return table.readline().replace(":", " ").removeprefix("# ")
