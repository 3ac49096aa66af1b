"""Keys of the task `refcocog`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.runtime.tasks.referring_keys import Referring


class RefCocoG(Referring):
    """RefCOCOg: whole sentences. Source: Mao et al. 2016; Nagaraja et al. 2016.

    See `Referring` for what is learned and measured.
    """

    folder: ClassVar[str] = "refcocog"
    tested: ClassVar[Mapping[str, tuple[str, ...]]] = {"umd": ("val", "test"), "google": ("val",)}

    task: Literal["refcocog"] = "refcocog"
    by: Literal["umd", "google"] = key(
        "umd",
        doc="who made the splits; `train` and `val` by Google have photographs in common",
        impact="training",
    )
