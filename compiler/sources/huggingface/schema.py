"""Keys of `huggingface`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.source import LibraryEncoder, Position, Shortened


class HuggingFace(Shortened, LibraryEncoder):
    """An encoder that transformers' AutoModel makes, with its weights."""

    called: ClassVar[tuple[str, ...]] = (
        "hf",
        "automodel",
        "transformers",
        "from_pretrained",
        "pretrained",
        "bert",
        "roberta",
        "electra",
        "vit",
        "clip",
        "deberta",
    )
    positions: ClassVar[frozenset[Position]] = frozenset({"backbone", "encoder"})
    library: ClassVar[str | None] = "transformers"
    loads_weights: ClassVar[bool] = True

    source: Literal["huggingface"] = "huggingface"
    id: str = key(doc="hub id, or path of a local folder", impact="weights", positional=True)
    revision: str = key("main", doc="branch, tag or commit on the hub", impact="training")

    @property
    def identifier(self) -> str:
        """The hub id or folder."""
        return self.id

    @property
    def hub_revision(self) -> str:
        """Branch, tag or commit on the hub."""
        return self.revision
