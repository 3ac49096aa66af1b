"""The compiled model: streams, fusion, pool and heads."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from renaissance.compiler.backbones.tower import BackboneReference, Tower
from renaissance.compiler.errors import InputError
from renaissance.compiler.features import (
    Features,
    ModelOutput,
    Part,
    Queries,
    Reading,
    TextInput,
    corresponding,
    images_of,
)
from renaissance.compiler.lowering.constancy import keep_constant, learns
from renaissance.compiler.model.calling import NamedForward, by_name
from renaissance.compiler.model.pool import Pool
from renaissance.compiler.standing import traced
from renaissance.grammar.names import listing


class VisionLanguageModel(nn.Module):
    """Encodes each input, fuses the streams and pools them.

    A training step calls `encode` once for each distinct input, gathers rows with
    `Features.select`, calls `fuse` once, and gives `heads` only what they are to score.

    Args:
        name: name of the model in the spec.
        streams: a tower (or embeddings) for each input, by name.
        fusion: maps features by stream to fused features by stream; `widths` are its channels.
        fusion_name: root address of the fusion layers.
        pool: makes one vector a row.
        heads: what a job scores with, by name; empty without a job.

    `fixed` names the parameters that their library never trains.
    """

    fixed: tuple[str, ...]

    def __init__(
        self,
        *,
        name: str,
        streams: Mapping[str, Tower],
        fusion: nn.Module,
        fusion_name: str,
        pool: Pool,
        heads: nn.ModuleDict,
    ) -> None:
        super().__init__()
        self.name = name
        self.streams = nn.ModuleDict(streams)
        self.fusion = fusion
        self.fusion_name = fusion_name
        self.pool = pool
        self.heads = heads
        # What a library never trains, such as sine positions, is no business of `freeze`.
        self.fixed = tuple(
            name for name, parameter in self.named_parameters() if not parameter.requires_grad
        )
        self.forward = NamedForward(self, tuple(streams))  # type: ignore[method-assign]

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """Encode, fuse and pool rows of corresponding inputs.

        Args:
            inputs: in the order of the streams: for text a `TextInput`, or a mapping of
                `input_ids` `[rows, n]` int64 and `attention_mask` `[rows, n]`, for vision images
                `[rows, 3, height, width]`, or a mapping of `pixel_values` with them. A stream of
                one row goes with every row of the other.
            named: the same by the stream's name.

        Returns:
            A `ModelOutput`; while `torch.jit.trace` or an export to ONNX by tracing looks on, a
            tuple of tensors: what is pooled, then each stream in order.

        Raises:
            InputError: if inputs are not those of the streams, or rows do not correspond.
        """
        given = by_name(tuple(self.streams), inputs, named, self.name)
        output = self.fuse({name: self.encode(name, part) for name, part in given.items()})
        if traced():
            return (output.pooled, *output.streams.values())
        return output

    def encode(self, name: str, inputs: Any) -> Features:
        """Run the tower (or the embeddings) of one stream; packed texts stay packed.

        Nothing is recorded for autograd if none of it learns, and the inputs ask for no gradient.

        Raises:
            InputError: if the model has no such stream, or cannot take the inputs.
        """
        if name not in self.streams:
            raise InputError(
                f"the model `{self.name}` has no stream `{name}`; it has "
                + listing(self.streams, between=" and ")
            )
        tower = self.towers[name]
        inputs = images_of(inputs) if tower.facts.modality == "vision" else TextInput.of(inputs)
        wanted = learns(tower) or (isinstance(inputs, Tensor) and inputs.requires_grad)
        with torch.set_grad_enabled(torch.is_grad_enabled() and wanted):
            if not isinstance(inputs, TextInput) or inputs.packing is None or tower.facts.packs:
                features: Features = tower(inputs)
                return features
            padded: Features = tower(inputs.padded())
            tokens = inputs.packing.unpad(padded.tokens, len(inputs.input_ids))
            return Features(tokens=tokens, packing=inputs.packing)

    def fuse(self, features: Mapping[str, Features]) -> ModelOutput:
        """Join streams whose rows correspond; one of a single row goes with all rows of the other.

        Raises:
            InputError: if there are other numbers of rows.
        """
        fused = self.fusion(corresponding(features))
        return ModelOutput(
            streams={name: _without_padding(stream) for name, stream in fused.items()},
            pooled=self.pool(fused),
        )

    def read(
        self, features: Mapping[str, Features], readings: Sequence[Reading]
    ) -> tuple[Tensor, ...]:
        """Join streams whose rows correspond, and compute only what is read of them.

        Args:
            features: of each stream, all of the same number of rows.
            readings: what is read of the first rows, of those behind them, and so on.

        Returns:
            For each reading `[k, width]` tokens of a stream, or `[rows, pooled_width]`.
        """
        parts = [
            Part(rows=reading.rows, tokens=reading.tokens, queries=self._queries(reading))
            for reading in readings
        ]
        fused = self.fusion.read(features, parts)  # type: ignore[operator]
        return tuple(
            self.pool(streams) if reading.stream is None else streams[reading.stream].tokens
            for reading, streams in zip(readings, fused, strict=True)
        )

    def _queries(self, reading: Reading) -> Mapping[str, Queries]:
        if reading.stream is None or reading.positions is None:
            return self.pool.queries
        return {reading.stream: reading.positions}

    def train(self, mode: bool = True) -> "VisionLanguageModel":
        """Set training mode, except for what is frozen, which stays constant."""
        super().train(mode)
        keep_constant(self)
        return self

    @property
    def towers(self) -> dict[str, Tower]:
        """The encoder (or the embeddings) of each stream, by its name."""
        return dict(self.streams.items())  # type: ignore[arg-type]

    def references(self) -> dict[str, BackboneReference]:
        """Return where pretrained weights came from, by root address."""
        parts: dict[str, Any] = {**self.streams, self.fusion_name: self.fusion}
        found = {name: getattr(part, "reference", None) for name, part in parts.items()}
        return {name: reference for name, reference in found.items() if reference is not None}


def _without_padding(stream: Features) -> Tensor:
    stream = stream.padded()
    if stream.mask is None:
        return stream.tokens
    return stream.tokens.masked_fill(~stream.mask[..., None], 0.0)
