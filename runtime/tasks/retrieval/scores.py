"""Scores of all pairs of some images and texts: on the disk, and as a file `.npz`."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from renaissance.grammar.names import listing
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.tasks.retrieval.karpathy import Captioned

BLOCK_BYTES = 64 * 2**20
"""Scores that are read at once."""
SCORES = ("scores", "similarity", "similarities")
IMAGES = ("image_ids", "image_id", "images")
TEXTS = ("text_ids", "text_id", "texts", "caption_ids", "sentids")
"""What the parts of a file are called; the first name is what is written."""


def write_scores(
    file: BinaryIO, scores: np.ndarray, images: Sequence[str | int], texts: Sequence[int]
) -> None:
    """Write `scores` `[images, texts]` float32 with `image_ids` and `text_ids`, a block at a time.

    Args:
        file: to write to.
        scores: may lie on the disk.
        images: what each row is about.
        texts: what each column is about.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as parts:
        with parts.open(_part(SCORES[0]), "w", force_zip64=True) as part:
            header = {"descr": "<f4", "fortran_order": False, "shape": scores.shape}
            np.lib.format.write_array_header_1_0(part, header)
            step = _rows_at_once(scores.shape[1], 4)
            for start in range(0, len(scores), step):
                part.write(np.ascontiguousarray(scores[start : start + step], "<f4").tobytes())
        for name, ids in ((IMAGES[0], images), (TEXTS[0], texts)):
            held = BytesIO()
            np.save(held, np.array(ids))
            parts.writestr(_part(name), held.getvalue())


def _part(name: str) -> zipfile.ZipInfo:
    """Return a part that says nothing of when it was written: same scores, same file."""
    return zipfile.ZipInfo(f"{name}.npy")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFile:
    """An `.npz` of somebody, for the images and captions of a split.

    Attributes:
        path: of the file.
        member: the part that holds the scores.
        image: `[rows]` int64: which image of the split each row is about.
        order: `[texts]` int64: the column of each caption of the split.
        transposed: rows are about captions, and columns about images.
    """

    path: Path
    member: str
    image: np.ndarray
    order: np.ndarray
    transposed: bool

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield images `[n]` int64 and their scores `[n, texts]`, as captions are ordered.

        Raises:
            DataError: for scores that are no numbers.
        """
        if self.transposed:
            # Somebody else's file: it is held as a whole.
            whole = np.concatenate([rows for _, rows in self._rows()]).T
            step = _rows_at_once(whole.shape[1], whole.itemsize)
            for start in range(0, len(whole), step):
                rows = whole[start : start + step]
                yield self.image[start : start + step], rows[:, self.order]
            return
        for start, rows in self._rows():
            yield self.image[start : start + len(rows)], rows[:, self.order]

    def _rows(self) -> Iterator[tuple[int, np.ndarray]]:
        with zipfile.ZipFile(self.path) as parts, parts.open(self.member) as part:
            shape, fortran, kind = _header(part)
            if fortran:
                whole = np.frombuffer(part.read(), kind).reshape(shape[::-1]).T
                yield 0, self._numbers(whole)
                return
            step = _rows_at_once(shape[1], kind.itemsize)
            for start in range(0, shape[0], step):
                count = min(step, shape[0] - start)
                content = part.read(count * shape[1] * kind.itemsize)
                if len(content) < count * shape[1] * kind.itemsize:
                    raise DataError(f"`{self.path}` is cut off in `{self.member}`")
                yield start, self._numbers(np.frombuffer(content, kind).reshape(count, shape[1]))

    def _numbers(self, scores: np.ndarray) -> np.ndarray:
        if np.isnan(scores).any() or np.isposinf(scores).any():
            raise DataError(f"`{self.path}` has scores that are no numbers")
        return scores


def open_scores(path: Path, split: Sequence[Captioned], name: str) -> ScoreFile:
    """Find what a file says about the images and captions of a split.

    Images are named by COCO's number, by `imgid` or by the name of their file, captions by
    `sentid`; in any order, each of the split once.

    Args:
        path: of the file.
        split: as published.
        name: of the split, for messages.

    Raises:
        DataError: if it is no such file, or says nothing about some of them.
    """
    try:
        with zipfile.ZipFile(path) as parts:
            names = [Path(part).stem for part in parts.namelist()]
            member = _member(path, names, SCORES)
            with parts.open(member) as part:
                shape, _, kind = _header(part)
            images = _ids(path, parts, _member(path, names, IMAGES))
            texts = _ids(path, parts, _member(path, names, TEXTS))
    except OSError as problem:
        raise DataError(f"`{path}` cannot be read: {problem.strerror or problem}") from None
    except (zipfile.BadZipFile, ValueError, EOFError) as problem:
        raise DataError(f"`{path}` is no `.npz` of numpy: {problem}") from None
    if kind.kind not in "fiu" or len(shape) != 2:
        raise DataError(f"`{member}` of `{path}` is no table of numbers, images by captions")
    transposed = shape != (len(images), len(texts))
    if transposed and shape != (len(texts), len(images)):
        raise DataError(
            f"`{path}` has {shape[0]} × {shape[1]} scores for {len(images)} images and "
            f"{len(texts)} captions"
        )
    of_image = _named(images, split)
    captions = [number for image in split for number, _ in image.captions]
    of_text = {str(number): place for place, number in enumerate(captions)}
    column = _places(path, texts, of_text, f"captions of `{name}`")
    return ScoreFile(
        path=path,
        member=member,
        image=_places(path, images, of_image, f"images of `{name}`"),
        order=np.argsort(column),
        transposed=transposed,
    )


def _named(images: Sequence[str], split: Sequence[Captioned]) -> Mapping[str, int]:
    """Return the place of each image by the kind of name that the file uses."""
    kinds: list[dict[str, int]] = [
        {str(one.coco): place for place, one in enumerate(split) if one.coco is not None},
        {str(one.number): place for place, one in enumerate(split)},
        {Path(one.path).name: place for place, one in enumerate(split)},
        {Path(one.path).stem: place for place, one in enumerate(split)},
        {one.path: place for place, one in enumerate(split)},
    ]
    return max(kinds, key=lambda known: sum(image in known for image in images))


def _places(path: Path, ids: Sequence[str], known: Mapping[str, int], what: str) -> np.ndarray:
    """Return `[ids]` int64: the place in the split of what each names, each place once."""
    strange = [each for each in ids if each not in known]
    if strange:
        raise DataError(f"`{path}` is about {listing(strange, most=3)}, which are no {what}")
    places = np.array([known[each] for each in ids], np.int64)
    if len(np.unique(places)) < len(places):
        again = next(each for place, each in enumerate(ids) if each in ids[:place])
        raise DataError(f"`{path}` is about `{again}` more than once")
    if len(places) < len(known):
        missing = [name for name in known if known[name] not in set(places.tolist())]
        raise DataError(
            f"`{path}` says nothing about {len(missing):,} of the {len(known):,} {what}: "
            f"{listing(missing, most=3)}"
        )
    return places


def _member(path: Path, names: Sequence[str], wanted: Sequence[str]) -> str:
    found = next((name for name in wanted if name in names), None)
    if found is None:
        raise DataError(
            f"`{path}` has no `{wanted[0]}`; it holds {listing(names) or 'nothing'}, and should "
            "hold `scores` (images by captions), `image_ids` and `text_ids`"
        )
    return f"{found}.npy"


def _header(part: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(part)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(part)
    return np.lib.format.read_array_header_2_0(part)


def _ids(path: Path, parts: zipfile.ZipFile, member: str) -> list[str]:
    with parts.open(member) as part:
        ids = np.lib.format.read_array(BytesIO(part.read()), allow_pickle=False)
    if ids.ndim != 1 or ids.dtype.kind not in "iuUS":
        raise DataError(f"`{member}` of `{path}` is no list of numbers or names")
    if ids.dtype.kind == "S":
        ids = np.char.decode(ids, "utf-8")
    return [str(each) for each in ids.tolist()]


def _rows_at_once(columns: int, itemsize: int) -> int:
    return max(BLOCK_BYTES // max(columns * itemsize, 1), 1)
