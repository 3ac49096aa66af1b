"""Keys that RefCOCO, RefCOCO+ and RefCOCOg have in common, and where their published files lie."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.data import PublishedPart, ResultFile, Split, TaskBlock
from renaissance.grammar.kinds.quantity import SHARE, Quantity
from renaissance.runtime.tasks.splits import with_validation

IMAGES = ("images/mscoco/images/train2014", "images/train2014", "train2014")
"""Folders of the photographs, the published one first."""

COORDINATES = 5
"""Left, top, right, bottom and area of a box."""


class Referring(TaskBlock):
    """Which of some boxes of a photograph does an expression mean?

    Each box is an image of its own: the part of the photograph that it encloses, as it is stored.
    The model does not see where it lies, so that "left" and "right" say nothing to it, unless its
    `coordinates` are given.

    All photographs are of COCO's train2014: whoever pretrains on COCO or learns VQA v2 has seen
    those of every split, and the sets have them in common: what one of them tests on another one
    learns from. Splits of one set have no photograph in common, but those of RefCOCOg by Google.
    """

    outputs: ClassVar[int] = 1
    crops: ClassVar[bool] = True
    says_sides: ClassVar[bool] = True
    reported: ClassVar[tuple[str, ...]] = ("chance",)
    quantities: ClassVar[Mapping[str, Quantity]] = {"chance": SHARE}
    asks: ClassVar[tuple[str, ...]] = ("boxes",)
    result_file: ClassVar[ResultFile] = ResultFile(
        line='{"id": 6, "prediction": 2}',
        ids="its `sent_id`, under `id` or `sent_id`; the prediction is the place of a box among "
        "those of the photograph, counted from 0, or in every line a box, `[left, top, width, "
        "height]`, under `prediction` or, where that is missing, `pred_box`",
    )
    folder: ClassVar[str]
    """Name of the folder of the set."""
    tested: ClassVar[Mapping[str, tuple[str, ...]]]
    """Splits that are measured, by who made the splits."""

    root: str = key(
        doc="folder that holds the folder of the set, with `instances.json` and `refs(….p)`, and "
        "the photographs of COCO's train2014, in `images/mscoco/images/train2014`",
        impact="training",
        path="folder",
    )
    boxes: Literal["annotated", "given"] = key(
        "annotated",
        doc="what is chosen among when it is measured: all boxes that people drew in the "
        "photograph, of which one is meant, or boxes that a detector found (`detections`), of "
        "which those are right that share half or more with the one that is meant; it is learned "
        "on drawn boxes",
        impact="eval",
    )
    detections: str = key(
        "detections.json",
        doc="file of found boxes in the folder of the set, for `boxes = given`: a list of "
        '`{"image_id": …, "bbox": [left, top, width, height]}`, as COCO\'s results are',
        impact="eval",
    )
    coordinates: bool = key(
        False,
        doc="the head also reads where each box lies, beside the pooled vector of the expression "
        "and its part: left, top, right, bottom and area, as shares of the photograph",
        impact="weights",
    )
    validation: Share | Literal["val"] = key(
        "val",
        doc="split that selects the best checkpoint, or a share of the photographs that are "
        "learned from",
        impact="training",
    )

    @property
    def numbers(self) -> int:  # type: ignore[override]
        """Numbers that the head reads of each box."""
        return COORDINATES if self.coordinates else 0

    @property
    def made_by(self) -> str:
        """Who made the splits."""
        by: str = getattr(self, "by", "unc")
        return by

    def splits(self) -> Mapping[str, Split]:
        """Return the published splits and `validation`: `val`, or a share of what is learned."""
        tested = {name: Split(file=name, use="report") for name in self.tested[self.made_by]}
        return with_validation(self.validation, tested)

    def part(self, file: str) -> PublishedPart:
        """Return a part of the data; one file holds all of them, so that names tell them apart."""
        return PublishedPart(dataset=f"{self.folder} {self.made_by}", folder=None, split=file)

    def home(self) -> Path:
        """Return the folder of the set: in `root`, or in `data` there, as its repository has it."""
        inner = Path(self.root) / "data" / self.folder
        return inner if inner.is_dir() else Path(self.root) / self.folder

    def photographs(self) -> Path:
        """Return the folder of the photographs."""
        near = (Path(self.root), Path(self.root) / "data")
        found = (root / name for root in near for name in IMAGES if (root / name).is_dir())
        return next(found, Path(self.root) / IMAGES[0])
