"""Keys of `timm`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.source import ImageEncoder, Position, Shortened


class Timm(Shortened, ImageEncoder):
    """A vision encoder of timm, with its weights."""

    called: ClassVar[tuple[str, ...]] = (
        "create_model",
        "deit",
        "resnet",
        "swin",
        "convnext",
        "timm_model",
    )
    positions: ClassVar[frozenset[Position]] = frozenset({"backbone", "encoder"})
    library: ClassVar[str | None] = "timm"
    loads_weights: ClassVar[bool] = True

    source: Literal["timm"] = "timm"
    name: str = key(
        doc="timm model name, `hf-hub:` id, or path of a local folder",
        impact="weights",
        positional=True,
    )

    @property
    def identifier(self) -> str:
        """The name or folder."""
        return self.name
