"""Referring expressions as published: pickles of references, and COCO's boxes.

What the readers of RefCOCO, RefCOCO+ and RefCOCOg hand on. A pickle can run any program when it is
read; here it may hold lists, dictionaries, texts and numbers, and nothing else.
"""

import json
import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from renaissance.grammar.kinds.head import UNKNOWN
from renaissance.grammar.names import listing
from renaissance.runtime.crops import Box, crop_path
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.many_texts import TextColumn
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.tasks.referring_keys import Referring

ENOUGH = 0.5
"""Share of both boxes that a found one has in common with the right one, this or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Which candidates of each row are right.

    Attributes:
        starts: `[rows + 1]` int64: where the candidates of each row start.
        right: `[candidates]` bool.
        best: `[rows]` int64: the place of the best right one; `UNKNOWN` where none is right.
        protocol: when a choice is right, in words.
    """

    starts: np.ndarray
    right: np.ndarray
    best: np.ndarray
    protocol: str

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return `[n]` int64."""
        found: np.ndarray = self.best[rows]
        return found

    def credit(self, rows: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Return 1 where the candidate at the predicted place is right."""
        there = (predictions >= 0) & (predictions < self.candidates(rows))
        place = self.starts[rows] + np.where(there, predictions, 0)
        credit: np.ndarray = (self.right[place] & there).astype(np.float32)
        return credit

    def candidates(self, rows: np.ndarray) -> np.ndarray:
        """Return `[n]` int64: how many candidates rows have."""
        counts: np.ndarray = self.starts[rows + 1] - self.starts[rows]
        return counts

    def impossible(self, rows: np.ndarray) -> int:
        """Count rows without a right candidate."""
        return int((self.best[rows] == UNKNOWN).sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """The box that each row means, for boxes that a file gives, whatever there was to choose among.

    Attributes:
        boxes: `[rows, 4]` float64: left, top, width and height.
    """

    boxes: np.ndarray
    protocol: ClassVar[str] = (
        "boxes are given; one is right that shares half or more with the annotated one"
    )

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return `[n, 4]` float64."""
        found: np.ndarray = self.boxes[rows]
        return found

    def credit(self, rows: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Return 1 where the predicted box `[n, 4]` is right."""
        pairs = zip(predictions.tolist(), self.boxes[rows].tolist(), strict=True)
        shared = [intersection_over_union(said, meant) for said, meant in pairs]
        credit: np.ndarray = (np.array(shared) >= ENOUGH).astype(np.float32)
        return credit

    def impossible(self, rows: np.ndarray) -> int:
        """Return 0: any box can be given."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What people drew: `instances.json`.

    Attributes:
        names: files of photographs by number.
        whole: the box that encloses all of each photograph.
        boxes: of each photograph, by the number of the annotation, in the order of the file.
    """

    names: Mapping[int, str]
    whole: Mapping[int, Box]
    boxes: Mapping[int, Mapping[int, Box]]


def read(block: Referring, source: Source, file: str) -> Table:
    """Read one split, a row an expression; DataError if a file is missing or malformed.

    Rows have the `id` of their expression (`sent_id`), the `box` that is meant, and of all
    candidates their `boxes`, the images of these (`candidates`) and how much each has in common
    with the box that is meant (`shared`); where the head reads them, also their `coordinates`, one
    behind the other.
    """
    drawn = _drawn(block.home() / "instances.json")
    found = block.boxes == "given" and file != "train"
    detected = _detected(block.home() / block.detections) if found else {}
    rows = list(_expressions(block, file, drawn))
    if not rows:
        raise _without(block, file)
    offered: list[tuple[Box, ...]] = []
    for row in rows:
        boxes = detected.get(row.image, ()) if found else tuple(drawn.boxes[row.image].values())
        # Where a detector finds nothing, all that is left is the photograph.
        offered.append(boxes or (drawn.whole[row.image],))
    if found:
        shared = [
            [intersection_over_union(box, row.box) for box in boxes]
            for row, boxes in zip(rows, offered, strict=True)
        ]
    else:
        # Of drawn boxes one alone is right, whatever others share with it.
        shared = [
            [float(annotation == row.annotation) for annotation in drawn.boxes[row.image]]
            for row in rows
        ]
    table = make_table(
        source,
        block.photographs(),
        pa.array([row.text for row in rows], pa.string()),
        pa.array([drawn.names[row.image] for row in rows], pa.string()),
        columns={
            "id": pa.array([row.number for row in rows], pa.int64()),
            "box": pa.array([row.box for row in rows], pa.list_(pa.float64())),
            "boxes": pa.array(offered, pa.list_(pa.list_(pa.float64()))),
            "shared": pa.array(shared, pa.list_(pa.float64())),
            **(_coordinates(rows, offered, drawn) if block.coordinates else {}),
        },
    )
    return with_parts(table, offered)


def _coordinates(
    rows: "Sequence[Expression]", offered: Sequence[tuple[Box, ...]], drawn: Drawn
) -> dict[str, pa.Array]:
    """Return where the candidates of each row lie in its photograph, one behind the other."""
    lying = [
        [number for box in boxes for number in coordinates_of(box, drawn.whole[row.image])]
        for row, boxes in zip(rows, offered, strict=True)
    ]
    return {"coordinates": pa.array(lying, pa.list_(pa.float32()))}


def answers(block: Referring, train: Part) -> tuple[str, ...]:
    """Return none: what can be chosen are the boxes of each photograph."""
    return ()


def targets(block: Referring, table: Table, answers: tuple[str, ...]) -> Places:
    """Return which candidates of each row are right, and the one to learn."""
    starts, shared = ragged(table.column("shared"))
    best = np.full(len(table), UNKNOWN, np.int64)
    for row, (start, stop) in enumerate(pairwise(starts.tolist())):
        place = int(shared[start:stop].argmax())
        if shared[start + place] >= ENOUGH:
            best[row] = place
    found = block.boxes == "given"
    return Places(
        starts=starts,
        right=shared >= ENOUGH,
        best=best,
        protocol="chosen among boxes that a detector found; one is right that shares half or more "
        "with the annotated one"
        if found
        else "chosen among all annotated boxes of the photograph, of which one is right",
    )


def boxes(block: Referring, table: Table) -> Meant:
    """Return what is right where a file gives boxes, not places."""
    flat = ragged(table.column("box"))[1]
    return Meant(boxes=flat.reshape(-1, 4))


def ragged(column: TextColumn) -> tuple[np.ndarray, np.ndarray]:
    """Return lists of a column as `[rows + 1]` int64, where each starts, and what is in them."""
    lengths = pc.list_value_length(column).to_numpy()
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return starts, pc.list_flatten(column).to_numpy()


def coordinates_of(box: Box, whole: Box) -> tuple[float, ...]:
    """Return left, top, right, bottom and area of a box, as shares of the whole photograph.

    Source: Yu et al. 2016, Modeling Context in Referring Expressions, section 4.1.
    """
    left, top, width, height = box
    wide, high = max(whole[2], 1.0), max(whole[3], 1.0)
    share = width * height / (wide * high)
    return left / wide, top / high, (left + width) / wide, (top + height) / high, share


def intersection_over_union(one: Box, other: Box) -> float:
    """Return the share of two boxes (left, top, width, height) that they have in common.

    MAttNet and ALBEF count pixels, the last one of each box included, with areas of width times
    height. That is the same number, but where two boxes overlap by no more than one pixel in
    width or height: there they find nothing in common.
    """
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    common = max(wide, 0.0) * max(high, 0.0)
    whole = one[2] * one[3] + other[2] * other[3] - common
    return common / whole if whole > 0 else float(one == other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A text that means a box.

    Attributes:
        number: `sent_id`.
        text: as the authors of the set cleaned it.
        image: number of the photograph.
        annotation: number of what is meant.
        box: that it was drawn with.
    """

    number: int
    text: str
    image: int
    annotation: int
    box: Box


def with_parts(table: Table, offered: Iterable[tuple[Box, ...]]) -> Table:
    """Add candidates as images of the scene of their photograph, each once, those of one together.

    Rows get `candidates`, their numbers.
    """
    from datasets import Dataset

    numbers: dict[str, int] = {}
    photographs: list[int] = []
    candidates = []
    image = table.image_of_row.tolist()
    paths = table.paths
    for photograph, boxes in zip(image, offered, strict=True):
        mine = []
        for box in boxes:
            path = crop_path(paths[photograph], box)
            if path not in numbers:
                numbers[path] = len(paths) + len(numbers)
                photographs.append(photograph)
            mine.append(numbers[path])
        candidates.append(mine)
    images = table.images.data.table.combine_chunks()
    parts = images.take(pa.array(photographs))
    place = images.schema.get_field_index("path")
    parts = parts.set_column(place, images.schema.field("path"), pa.array(list(numbers)))
    rows = table.rows.data.table.append_column(
        "candidates", pa.array(candidates, pa.list_(pa.int32()))
    )
    both = pa.concat_tables([images, parts])
    return replace(table, rows=Dataset(rows), images=Dataset(both))


class _PlainPickle(pickle.Unpickler):
    """Reads lists, dictionaries, texts and numbers, and runs nothing."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it asks for `{module}.{name}`, which is not plain data")


def _expressions(block: Referring, split: str, drawn: Drawn) -> Iterable[Expression]:
    path = block.home() / f"refs({block.made_by}).p"
    for number, reference in enumerate(_pickled(path)):
        try:
            if reference["split"] != split:
                continue
            image, annotation = int(reference["image_id"]), int(reference["ann_id"])
            boxes = drawn.boxes.get(image, {})
            if annotation not in boxes or image not in drawn.names:
                raise DataError(
                    f"reference {number} of `{path}` means annotation {annotation} of image "
                    f"{image}, which `instances.json` does not have"
                )
            for sentence in reference["sentences"]:
                yield Expression(
                    number=int(sentence["sent_id"]),
                    text=str(sentence["sent"]).strip() or str(sentence["raw"]),
                    image=image,
                    annotation=annotation,
                    box=boxes[annotation],
                )
        except KeyError as missing:
            raise DataError(f"reference {number} of `{path}` has no {missing}") from None
        except (TypeError, ValueError, AttributeError) as problem:
            raise DataError(f"reference {number} of `{path}` is none: {problem}") from None


def _without(block: Referring, split: str) -> DataError:
    """Return what to say about a split of which there is no expression."""
    path = block.home() / f"refs({block.made_by}).p"
    there = dict.fromkeys(str(reference["split"]) for reference in _pickled(path))
    known = f"it has {listing(there)}" if there else "it is empty"
    return DataError(f"`{path}` has no expression of the split `{split}`; {known}")


def _pickled(path: Path) -> list[Any]:
    try:
        with path.open("rb") as file:
            # Python 2 wrote it, whose texts are bytes.
            content = _PlainPickle(file, encoding="utf-8", errors="replace").load()
    except OSError as problem:
        raise _absent(path, problem) from None
    except Exception as problem:  # whatever a broken pickle raises
        raise DataError(f"`{path}` is no pickle of references: {problem}") from None
    if not isinstance(content, list):
        raise DataError(f"`{path}` holds no list of references")
    return content


def _drawn(path: Path) -> Drawn:
    content = _json(path)
    try:
        names = {int(image["id"]): str(image["file_name"]) for image in content["images"]}
        whole = {
            int(image["id"]): _box((0, 0, image["width"], image["height"]))
            for image in content["images"]
        }
        boxes: dict[int, dict[int, Box]] = {}
        for one in content["annotations"]:
            boxes.setdefault(int(one["image_id"]), {})[int(one["id"])] = _box(one["bbox"])
    except KeyError as missing:
        raise DataError(f"`{path}` is no file of COCO's instances: {missing} is missing") from None
    except (TypeError, ValueError) as problem:
        raise DataError(f"`{path}` is no file of COCO's instances: {problem}") from None
    return Drawn(names=names, whole=whole, boxes=boxes)


def _detected(path: Path) -> dict[int, tuple[Box, ...]]:
    content = _json(path)
    entries: Any = content["dets"] if isinstance(content, dict) and "dets" in content else content
    found: dict[int, tuple[Box, ...]] = {}
    try:
        for one in entries:
            image = int(one["image_id"])
            found[image] = (*found.get(image, ()), _box(one.get("bbox") or one["box"]))
    except KeyError as missing:
        raise DataError(f"`{path}` is no list of found boxes: {missing} is missing") from None
    except (TypeError, ValueError, AttributeError) as problem:
        raise DataError(f"`{path}` is no list of found boxes: {problem}") from None
    return found


def _box(sides: Iterable[float]) -> Box:
    left, top, width, height = map(float, sides)
    return left, top, width, height


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as problem:
        raise _absent(path, problem) from None
    except (ValueError, RecursionError) as problem:
        raise DataError(f"`{path}` is no JSON: {problem}") from None


def _absent(path: Path, problem: OSError) -> DataError:
    return DataError(
        f"`{path}` cannot be read: {problem.strerror}; github.com/lichengunc/refer says where the "
        "files are published"
    )
