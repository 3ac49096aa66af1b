"""Keys of the task `refcoco`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.runtime.tasks.referring_keys import Referring


class RefCoco(Referring):
    """RefCOCO. Source: Kazemzadeh et al. 2014; Yu et al. 2016.

    An expression is scored with a crop of each box of its photograph, as stored, and the best crop
    is the answer. Where a box lies is only seen with `coordinates`. All photographs are of COCO's
    train2014, which whoever pretrains on COCO or learns VQA v2 has seen.
    """

    folder: ClassVar[str] = "refcoco"
    tested: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "unc": ("val", "testA", "testB"),
        "google": ("val", "test"),
    }

    task: Literal["refcoco"] = "refcoco"
    by: Literal["unc", "google"] = key("unc", doc="who made the splits", impact="training")
