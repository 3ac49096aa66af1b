"""Cornell NLVR v1 in its published layout. Source: Suhr et al. 2017."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.tasks.classification import answers, targets
from renaissance.runtime.tasks.nlvr.schema import Nlvr

__all__ = ["answers", "read", "read_part", "targets"]

PERMUTATIONS = 6
"""Every scene of three boxes was drawn in each order of its boxes."""


def read(block: Nlvr, source: Source, file: str) -> Table:
    """Read one part; see `read_part`."""
    return read_part(source, block.root, file)


def read_part(source: Source, root: str, split: str, *, true_only: bool = False) -> Table:
    """Read one part: every sentence with each of the six drawings of its scene.

    Args:
        source: the block or task that asks for it.
        root: folder with a folder for each part: `<split>/<split>.json` and `<split>/images`. Where
            examples name no `directory`, as those of `hidden`, their drawings are looked for.
        split: name of the part.
        true_only: keep the sentences that are true of their image, and give no answers.

    Raises:
        DataError: if a folder or file is missing or malformed.
    """
    folder = Path(root) / split
    if not folder.is_dir():
        there = sorted(child.name for child in Path(root).iterdir()) if Path(root).is_dir() else []
        holds = f"it holds {', '.join(there)}" if there else f"`{root}` is empty or missing"
        raise DataError(f"nlvr has no folder `{folder}`; {holds}")
    file = folder / f"{split}.json"
    if not file.is_file():
        raise DataError(f"`{file}` does not exist; the published layout is `SPLIT/SPLIT.json`")
    texts, paths, answers, scenes = [], [], [], []
    for example in _examples(file, _Drawings(folder / "images", split)):
        if true_only and example.answer == "false":
            continue
        for permutation in range(PERMUTATIONS):
            texts.append(example.text)
            paths.append(f"{example.stem}-{permutation}.png")
            answers.append(example.answer)
            # The first number of an identifier is that of the sentence: its scenes stay together,
            # so that a held-out sentence is new.
            scenes.append(example.identifier.split("-")[0])
    return make_table(
        source,
        folder / "images",
        pa.array(texts, pa.string()),
        pa.array(paths, pa.string()),
        answers=None if true_only else pa.array(answers, pa.string()),
        scenes=pa.array(scenes, pa.string()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Example:
    """A sentence about a scene.

    Attributes:
        identifier: of sentence and scene.
        text: the sentence.
        answer: `true` or `false`.
        stem: path of the drawings below `images`, less number and ending.
    """

    identifier: str
    text: str
    answer: str
    stem: str


def _examples(file: Path, drawings: "_Drawings") -> Iterator[_Example]:
    """Yield the examples of a file line by line; raises DataError for a line that is none."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                said = json.loads(line)
                text, answer = str(said["sentence"]), said["label"]
                identifier = str(said["identifier"])
                stem = drawings.of(identifier, said.get("directory"))
            except KeyError as missing:
                raise DataError(
                    f"line {number} of `{file}` is no example of nlvr: it has no {missing}"
                ) from None
            except (ValueError, TypeError) as problem:
                raise DataError(
                    f"line {number} of `{file}` is no example of nlvr "
                    f"({type(problem).__name__}: {problem})"
                ) from None
            if answer not in ("true", "false"):
                raise DataError(f"line {number} of `{file}`: the label is neither true nor false")
            yield _Example(identifier=identifier, text=text, answer=answer, stem=stem)


class _Drawings:
    """Where the drawings of an example lie: `hidden` names no folder beside its examples."""

    def __init__(self, images: Path, split: str) -> None:
        self.images = images
        self.split = split

    def of(self, identifier: str, directory: object) -> str:
        """Return the path of the drawings below `images`, less number and ending."""
        stem = f"{self.split}-{identifier}"
        if directory is None:
            directory = self._listed.get(f"{stem}-0.png", "0")
        return f"{directory}/{stem}"

    @cached_property
    def _listed(self) -> Mapping[str, str]:
        """Folder of each first drawing."""
        return {path.name: path.parent.name for path in self.images.glob("*/*-0.png")}
