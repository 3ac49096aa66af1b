"""Keys of the task `refcocog`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.runtime.tasks.referring_keys import Referring


class RefCocoG(Referring):
    """RefCOCOg: whole sentences. Source: Mao et al. 2016; Nagaraja et al. 2016.

    An expression is scored with a crop of each box of its photograph, as stored, and the best crop
    is the answer. Where a box lies is only seen with `coordinates`. All photographs are of COCO's
    train2014, which whoever pretrains on COCO or learns VQA v2 has seen.
    """

    folder: ClassVar[str] = "refcocog"
    tested: ClassVar[Mapping[str, tuple[str, ...]]] = {"umd": ("val", "test"), "google": ("val",)}

    task: Literal["refcocog"] = "refcocog"
    by: Literal["umd", "google"] = key(
        "umd",
        doc="who made the splits; `train` and `val` by Google have photographs in common",
        impact="training",
    )
