"""How well texts go with images, by what a pretraining has learned of pairs of them."""

import torch
from torch import Tensor

from renaissance.compiler.errors import CompileError
from renaissance.compiler.model.features import Features
from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.source import Modality


class Matching:
    """Scores texts and images with the heads of a pretraining.

    Args:
        objectives: the model with what it was pretrained for.

    Raises:
        CompileError: if the model has several streams of images.

    Attributes:
        compares: whether texts and images have vectors that are compared.
        joins: whether a head scores pairs that the fusion joined.
    """

    def __init__(self, objectives: Objectives) -> None:
        self._objectives = objectives
        towers = objectives.model.towers
        self._streams = {tower.facts.modality: name for name, tower in towers.items()}
        if len(self._streams) < len(towers):
            raise CompileError(
                f"model `{objectives.model.name}` reads several streams of images, of which texts "
                "and images cannot be matched one by one"
            )
        kinds = objectives.kinds.items()
        self._comparing = next((n for n, kind in kinds if getattr(kind, "compares", False)), None)
        outputs = {name: getattr(kind, "matches", None) for name, kind in kinds}
        self._joining = next((name for name, one in outputs.items() if one is not None), None)
        self._output = outputs.get(self._joining or "")
        self.compares, self.joins = self._comparing is not None, self._joining is not None

    def vectors(self, modality: Modality, features: Features) -> Tensor:
        """Return one vector a row, `[rows, width]`; ValueError where nothing is compared."""
        stream = self._streams[modality]
        read = self._objectives.model.vectors({stream: features})[stream]
        found: Tensor = self._objectives.model.heads[self._compared].vectors(stream, read)  # type: ignore[operator]
        return found

    def compared(self, images: Tensor, texts: Tensor) -> Tensor:
        """Compare vectors `[n, width]` with `[k, width]`: logits `[n, k]`, float32."""
        head = self._objectives.model.heads[self._compared]
        # No machine rounds on the device of plans.
        kind = "cpu" if images.is_meta else images.device.type
        with torch.autocast(kind, enabled=False):
            found: Tensor = head(images.float(), texts.float())
        return found

    def joined(self, text: Features, vision: Features) -> Tensor:
        """Join as many texts as images: `[pairs]` float32, log odds that they belong together.

        Raises:
            ValueError: if no head scores joined pairs.
        """
        if self._joining is None or self._output is None:
            raise ValueError("no head scores pairs that are joined")
        scores = self._objectives.score_pairs(self._joining, text, vision).float()
        match = scores[:, self._output]
        others = [place for place in range(scores.shape[1]) if place != self._output]
        return match - scores[:, others].logsumexp(-1) if others else match

    def reads(self, heads: tuple[str, ...]) -> tuple[str, ...]:
        """Return what is said of those heads that score: each sentence starts with its name."""
        mine = [name for name in (self._comparing, self._joining) if name is not None]
        return tuple(said for said in heads if said.partition(" ")[0] in mine)

    def serves(self, address: str, stream: str | None) -> bool:
        """Tell whether a component makes the vectors of a stream, or for None compares them."""
        model = self._objectives.model
        roots = [] if self._comparing is None else [f"heads.{self._comparing}"]
        if stream is None:
            return address in roots
        if self.compares and hasattr(model.fusion, "vectors"):
            roots.append(model.fusion_name)
        inside = f"{address}.".startswith(f"{stream}.")
        if self.compares and model.encoded_by_fusion(stream):
            only_joined = address in model.joining_parts(stream)
            inside = inside or (address.startswith(f"{model.fusion_name}.") and not only_joined)
        return inside or any(
            address.startswith(f"{root}.") and address.endswith(f".{stream}") for root in roots
        )

    @property
    def _compared(self) -> str:
        if self._comparing is None:
            raise ValueError("no head compares vectors")
        return self._comparing
