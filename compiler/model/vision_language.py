"""A vision-language model: streams, fusion, pool and heads."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from renaissance.compiler.errors import CompileError, InputError
from renaissance.compiler.model.calling import NamedForward, by_name
from renaissance.compiler.model.constancy import keep_constant
from renaissance.compiler.model.features import Features, Queries, corresponding, stacked
from renaissance.compiler.model.fused import check_fused, kept
from renaissance.compiler.model.heads import Heads
from renaissance.compiler.model.inputs import TextInput, check_numbers_of_tokens, images_of
from renaissance.compiler.model.patches import HiddenImages
from renaissance.compiler.model.pool import Pool, mean
from renaissance.compiler.model.readings import ModelOutput, Reading, RowGroup, consecutive
from renaissance.compiler.model.tower import BackboneReference, Tower, first_streams
from renaissance.compiler.standing import traced
from renaissance.grammar.anatomy.model import Anatomy
from renaissance.grammar.names import listing


class VisionLanguageModel(nn.Module):
    """Encodes each input, fuses the streams and pools them.

    A training step calls `encode` once for each distinct input, gathers rows with
    `Features.select`, calls `read` once, and gives `heads` only what they are to score.

    Here everything is computed in padded rows. `lowering` makes the same model compute on packed
    rows, and only what is read.

    Args:
        name: name of the model in the spec.
        streams: a tower (or embeddings) for each input, by name.
        fusion: maps features by stream to fused features by stream; `widths` are its channels.
        anatomy: what the model consists of, as its declaration says.
        pool: makes one vector a row.
        heads: what a job scores with, by name; empty without a job.

    `fixed` names the parameters that their library never trains, `started` says what it has of a
    published model; None where it does not start from one.
    """

    fixed: tuple[str, ...]
    started: Any = None

    def __init__(
        self,
        *,
        name: str,
        streams: Mapping[str, Tower],
        fusion: nn.Module,
        anatomy: Anatomy,
        pool: Pool,
        heads: Heads,
    ) -> None:
        super().__init__()
        self.name = name
        self.streams = nn.ModuleDict(streams)
        self.fusion = fusion
        self.anatomy = anatomy
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
                `[rows, 3, height, width]`, or a mapping of `pixel_values` with them and, where they
                are padded, a `pixel_mask`, or regions as a `RegionInput` or a mapping of its
                attributes. A stream of one row goes with every row of the others.
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
        """Run the tower (or the embeddings) of one stream; rows keep the form that they have.

        Raises:
            InputError: if the model has no such stream, or cannot take the inputs.
        """
        if name not in self.streams:
            raise InputError(
                f"the model `{self.name}` has no stream `{name}`; it has "
                + listing(self.streams, between=" and ")
            )
        tower = self.towers[name]
        if tower.facts.regions is not None:
            return self.encoded(tower, inputs)
        if tower.facts.modality == "vision":
            images = images_of(inputs)
            if isinstance(images, Tensor):
                return self.encoded(tower, images)
            # Each as it is where it stands alone; what follows reads rows of several lengths.
            rows = stacked([self.encoded(tower, group) for group in images.groups])
            return rows if images.order is None else rows.select(images.order)
        texts = TextInput.of(inputs)
        try:
            return self.encoded(tower, texts)
        except IndexError:
            check_numbers_of_tokens(texts, tower.facts.vocabulary)
            raise

    def encode_hidden(self, name: str, images: HiddenImages) -> Features:
        """Run the tower (or the embeddings) of a stream on images of which patches are hidden.

        Raises:
            CompileError: if it does not say what embeds its patches, or does not keep them.
        """
        tower = self.towers[name]
        embedding = tower.patch_embedding()
        if embedding is None:
            raise CompileError(f"`{name}` does not say what embeds its patches: none can be hidden")
        with images.embedded_by(embedding):
            encoded = self.encoded(tower, images.blank(), before=images.token.requires_grad)
        images.check(encoded.tokens.shape[1], tower.facts.prefix_tokens)
        return encoded

    def encoded(self, tower: Tower, inputs: Any, *, before: bool = False) -> Features:
        """Run a tower on images `[rows, 3, height, width]`, on regions or on padded texts.

        Args:
            tower: of a stream.
            inputs: what it reads.
            before: whether something learns that takes the place of its inputs.
        """
        if not isinstance(inputs, TextInput):
            features: Features = tower(inputs)  # [rows, patches or regions, width]
            return features
        features = tower(inputs.padded())  # [rows, n, width]
        return inputs.in_form(features)

    def fuse(self, features: Mapping[str, Features]) -> ModelOutput:
        """Join streams whose rows correspond; one of a single row goes with all rows of the other.

        Raises:
            InputError: if there are other numbers of rows.
        """
        fused = self.fused(corresponding(features))
        return ModelOutput(
            streams={name: _without_padding(stream) for name, stream in fused.items()},
            pooled=self.pool(fused),
        )

    def fused(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Join streams of as many rows each; every one comes back padded.

        Raises:
            KindError: if the fusion returns no streams, or other rows or tokens of one.
        """
        return self._joined({name: stream.padded() for name, stream in features.items()})

    def _joined(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Return what the fusion makes of streams, in the form that it takes and returns."""
        found: dict[str, Features] = self.fusion(features)
        check_fused(self.anatomy.fusion, features, found)
        return found

    def read(
        self, features: Mapping[str, Features], readings: Sequence[Reading]
    ) -> tuple[Tensor, ...]:
        """Join streams whose rows correspond, and return what is read of them.

        Args:
            features: of each stream, all of the same number of rows.
            readings: what is read of the first rows, of those behind them, and so on.

        Returns:
            For each reading `[k, width]` tokens of a stream, or `[rows, pooled_width]`.
        """
        fused = self.fused(features)
        # Places that are read count tokens in the form that these came in.
        in_form = {
            name: features[name].in_form(stream) if kept(self.anatomy.fusion, name) else stream
            for name, stream in fused.items()
        }
        rows = consecutive(in_form, self.parts(readings))
        return tuple(
            self.pool({name: stream.padded() for name, stream in streams.items()})
            if reading.stream is None
            else streams[reading.stream].read(queries[reading.stream]).tokens
            for reading, (streams, queries) in zip(readings, rows, strict=True)
        )

    def vectors(self, features: Mapping[str, Features]) -> dict[str, Tensor]:
        """Return one vector a row of each stream, before anything is joined.

        Each is what `alone` returns; of images without a class token it is the mean of the tokens,
        whatever the model pools. Where the fusion has a space (`FusionBlock.space`), its method
        `vectors` brings them there.

        Args:
            features: of streams; their rows need not correspond.

        Returns:
            `[rows, space]` of each, or `[rows, width of its tower]`.
        """
        pooled = {name: self._vector(name, stream) for name, stream in features.items()}
        if hasattr(self.fusion, "vectors"):
            return self.fusion.vectors(pooled)  # type: ignore[no-any-return, operator]
        return pooled

    def _vector(self, name: str, features: Features) -> Tensor:
        facts = self.towers[name].facts
        if facts.modality == "vision" and not facts.class_token:
            return mean(self._by_itself(name, features, "all").padded())
        return self.alone(name, features)

    def alone(self, name: str, features: Features) -> Tensor:
        """Return `[rows, width]` of a stream that the fusion does not join.

        One vector a row: its mean where the model pools means, the last token of a text where it
        pools last ones, and its first token elsewhere; the maps of the pool belong to what comes
        out of the fusion. Where its layers encode the stream by itself too, it is read behind them.
        """
        read = self._by_itself(name, features, self.pool.query(name))
        return self.pool.vector(name, read.padded())

    def encoded_by_fusion(self, stream: str) -> bool:
        """Tell whether layers of the fusion encode a stream, where it is read by itself."""
        encodes = getattr(self.fusion, "encodes", None)
        return encodes is not None and encodes(stream)

    def joining_parts(self, stream: str) -> dict[str, nn.Module]:
        """Return the parts, by address, that serve a stream only where it is joined.

        Args:
            stream: that layers of the fusion encode, where it is read by itself.
        """
        parts: Mapping[str, nn.Module] = self.fusion.joining(stream)  # type: ignore[operator]
        return {f"{self.fusion_name}.{part}": module for part, module in parts.items()}

    def _by_itself(self, name: str, features: Features, queries: Queries) -> Features:
        """Return what is read of a stream before it is joined, at least those of its tokens."""
        if not self.encoded_by_fusion(name):
            return features
        return self.alone_in_fusion(name, features, queries)

    def alone_in_fusion(self, name: str, features: Features, queries: Queries) -> Features:
        """Run the layers of the fusion on one stream by itself; it comes back padded."""
        return self.fusion.alone(name, features.padded(), queries)  # type: ignore[no-any-return, operator]

    def parts(self, readings: Sequence[Reading]) -> list[RowGroup]:
        """Return consecutive rows with what is read of their streams."""
        return [
            RowGroup(rows=reading.rows, tokens=reading.tokens, queries=self._queries(reading))
            for reading in readings
        ]

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
    def fusion_name(self) -> str:
        """The root address of the fusion."""
        return self.anatomy.fusion_name

    @property
    def towers(self) -> dict[str, Tower]:
        """The encoder (or the embeddings) of each stream, by its name."""
        return dict(self.streams.items())  # type: ignore[arg-type]

    @property
    def compared(self) -> tuple[str, ...]:
        """The streams whose vectors are compared: that of texts and the first one of images."""
        return first_streams(self.towers)

    def references(self) -> dict[str, BackboneReference]:
        """Return where pretrained weights came from, by root address."""
        parts: dict[str, Any] = {**self.streams, self.fusion_name: self.fusion}
        found = {name: getattr(part, "reference", None) for name, part in parts.items()}
        return {name: reference for name, reference in found.items() if reference is not None}


def _without_padding(stream: Features) -> Tensor:
    if stream.mask is None:
        return stream.tokens
    return stream.tokens.masked_fill(~stream.mask[..., None], 0.0)
