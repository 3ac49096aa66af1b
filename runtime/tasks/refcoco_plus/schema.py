"""Keys of the task `refcoco_plus`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.runtime.tasks.referring_keys import Referring


class RefCocoPlus(Referring):
    """RefCOCO+: no words of place. Source: Yu et al. 2016.

    See `Referring` for what is learned and measured.
    """

    folder: ClassVar[str] = "refcoco+"
    tested: ClassVar[Mapping[str, tuple[str, ...]]] = {"unc": ("val", "testA", "testB")}

    task: Literal["refcoco_plus"] = "refcoco_plus"
