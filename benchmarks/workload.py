"""The two-tower models of the paper, one batch for them, and the project's training step on it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from benchmarks.plain import BASE, SMALL, TINY, PlainBatch, Size
from renaissance.compiler import build, freeze
from renaissance.compiler.features import TextInput
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.lowering.compilation import compile_layers
from renaissance.compiler.lowering.low_precision import hold_in_low_precision
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.schema.jobs import Pretrain
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.batch import (
    MaskedText,
    Matching,
    PartlyEncoded,
    PartlyEncodedTexts,
    PretrainBatch,
    TextRows,
)
from renaissance.runtime.features.grouping import grouped_images, grouped_texts
from renaissance.runtime.features.keeping import Keeper
from renaissance.runtime.features.ledger import KEY_BYTES
from renaissance.runtime.features.store import FeatureStore
from renaissance.runtime.features.tower import KnownImageTower, KnownTextTower
from renaissance.runtime.formats.easy_vqa.schema import EasyVqaPairs
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.scoring import Objectives
from renaissance.runtime.training.optimization import Optimization

IDS = {
    SMALL.name: ("google/electra-small-discriminator", "deit_tiny_patch16_224"),
    BASE.name: ("google/electra-base-discriminator", "vit_base_patch16_224"),
    TINY.name: ("google/electra-small-discriminator", "deit_tiny_patch16_224"),
}
MEAN_TOKENS = 12


def plain_batch(size: Size, rows: int) -> PlainBatch:
    """Draw captions of 12 tokens on average, a seventh of them masked, half of the pairs false."""
    generator = torch.Generator().manual_seed(0)
    pixels = (rows, 3, size.image_size, size.image_size)
    lengths = torch.randint(MEAN_TOKENS - 4, MEAN_TOKENS + 5, (rows, 1), generator=generator)
    mask = torch.arange(size.max_tokens) < lengths
    ids = torch.randint(1000, size.vocabulary, mask.shape, generator=generator) * mask
    chosen = (torch.rand(mask.shape, generator=generator) < 0.15) & mask
    chosen[:, 1] = True
    return PlainBatch(
        images=torch.randn(pixels, generator=generator),
        other_images=torch.randn(pixels, generator=generator),
        input_ids=ids,
        masked_ids=ids.masked_fill(chosen, 103),
        attention_mask=mask,
        labels=ids.masked_fill(~chosen, -100),
        matches=torch.arange(rows) % 2,
    )


def compiled_batch(plain: PlainBatch) -> PretrainBatch:
    """Return the same captions as the compiled step takes them; false images are the batch's own.

    Texts are packed, each image stands once, masked places are listed.
    """
    rows = len(plain.matches)
    mask = plain.attention_mask
    lengths = mask.sum(1)
    cumulative = torch.cat((torch.zeros(1), lengths.cumsum(0))).to(torch.int32)

    def packed(table: Tensor) -> TextRows:
        return TextRows(input_ids=table[mask], cumulative=cumulative, longest=int(lengths.max()))

    labels = plain.labels[mask]
    positions = (labels >= 0).nonzero().flatten()
    own = torch.arange(rows)
    return PretrainBatch(
        images=plain.images,
        image_index=own,
        text=packed(plain.input_ids),
        masked=MaskedText(
            text=packed(plain.masked_ids), positions=positions, labels=labels[positions]
        ),
        matching=Matching(
            image_index=torch.where(plain.matches == 1, own, (own + 1) % rows),
            row_index=own,
            labels=plain.matches,
            tokens=int(lengths.sum()),
        ),
    )


def training_batch(plain: PlainBatch) -> PretrainBatch:
    """Return captions masked, and each with its own and another image, as training has them."""
    batch = compiled_batch(plain)
    rows = len(batch.image_index)
    own = torch.arange(rows)
    matching = Matching(
        image_index=torch.cat((own, (own + 1) % rows)),
        row_index=torch.cat((own, own)),
        labels=torch.cat((torch.ones_like(own), torch.zeros_like(own))),
        tokens=2 * batch.text.tokens,
    )
    return replace(batch, matching=matching)


def with_bytes(batch: PretrainBatch) -> PretrainBatch:
    """Return a batch whose images are bytes, as they come from files; the model normalises them."""
    assert isinstance(batch.images, Tensor)
    pixels = (64 * batch.images + 128).clamp(0, 255).to(torch.uint8)
    return replace(batch, images=pixels)


class CompiledStep:
    """The project's own step: model, losses and optimizer as training makes them.

    Args:
        size: dimensions of the model.
        frozen: selectors of `freeze`.
        device: where it runs.
        precision: of the forward and backward pass.
        compiled: whether layers run through torch.compile.
        clip: largest norm of the gradient; None for no clipping.
        spec: of the model, where it is another than `experiment` makes of size and selectors.
    """

    def __init__(
        self,
        size: Size,
        frozen: tuple[str, ...] = (),
        *,
        device: torch.device,
        precision: torch.dtype,
        compiled: bool = False,
        clip: float | None = None,
        spec: Spec | None = None,
    ) -> None:
        spec = spec or experiment(size, frozen)
        declared, job = spec.models["two_towers"], spec.training_job("base")
        self.device = device
        self.precision = precision
        self.clip = clip
        self.model = build(spec, job="base")
        resolved = freeze.resolve(self.model, declared.freeze)
        resolved.apply(self.model, 0, 1)
        if precision != torch.float32:
            hold_in_low_precision(self.model, resolved.frozen(0, 1), precision)
        if compiled:
            compile_layers(self.model, device)
        self.model.to(device).train()
        self.objectives = Objectives(self.model, declared)
        self.optimization = Optimization(self.model, job.optimizer, {})
        self.optimization.set_rate(job.optimizer.lr)

    def loss(self, batch: PretrainBatch) -> Tensor:
        """Return the sum of the two losses of a batch."""
        with self._forward():
            scored = self.objectives(batch).values()
            return torch.stack([head.loss / len(head.labels) for head in scored]).sum()

    def _forward(self) -> torch.autocast:
        return torch.autocast(
            self.device.type, self.precision, enabled=self.precision != torch.float32
        )

    def keep_features(self, batch: PretrainBatch, folder: Path) -> Callable[[], PretrainBatch]:
        """Encode images and plain texts once, keep their features as training does, and read them.

        Args:
            batch: of which every image and every text is taken to be distinct.
            folder: for the features.

        Returns:
            A function that reads the features from disk and returns the batch with them.
        """

        def encode(stream: str) -> Callable[[Tensor | TextInput], Tensor]:
            def encoded(inputs: Tensor | TextInput) -> Tensor:
                with self._forward():
                    return self.model.encode(stream, inputs).tokens

            return encoded

        longest = self.model.towers["text"].facts.max_tokens or 0
        lengths = batch.text.cumulative.diff().tolist()
        images = grouped_images(encode("vision"), batch.images)
        texts = grouped_texts(encode("text"), batch.text.input_ids, lengths, longest)
        of_images, image_keeper = _store(folder / "images", images)
        of_texts, text_keeper = _store(folder / "texts", texts)
        contents = [number.to_bytes(KEY_BYTES, "big") for number in range(1, len(images) + 1)]
        image_keeper.keep(
            of_images, contents, images.flatten(0, 1), [images.shape[1]] * len(images)
        )
        text_keeper.keep(of_texts, contents[: len(lengths)], texts, lengths)
        self.objectives.known = {
            "vision": KnownImageTower(encode("vision"), of_images, image_keeper),
            "text": KnownTextTower(encode("text"), longest, of_texts, text_keeper),
        }

        def read() -> PretrainBatch:
            features = of_images.read(contents).tokens.view_as(images)
            known = PartlyEncoded(
                pixels=batch.images[:0],
                contents=(),
                features=features,
                order=torch.arange(len(features)),
            )
            known_texts = PartlyEncodedTexts(
                input_ids=batch.text.input_ids[:0],
                lengths=(),
                contents=(),
                features=of_texts.read(contents[: len(lengths)]).tokens,
                cumulative=batch.text.cumulative,
                longest=batch.text.longest,
                order=torch.arange(len(lengths)),
                tokens=batch.text.tokens,
            )
            return replace(batch, images=known, known=known_texts)

        return read

    def step(self, batch: PretrainBatch) -> Tensor:
        """Run one step and return the loss, without waiting for it."""
        loss = self.loss(batch)
        loss.backward()
        if self.optimization.torch is not None:
            if self.clip is not None:
                nn.utils.clip_grad_norm_(self.optimization.parameters, self.clip)
            self.optimization.torch.step()
        self.optimization.clear()
        return loss.detach()

    def __call__(self, batch: PretrainBatch) -> float:
        """Run one step and return the loss."""
        return self.step(batch).item()


def _store(folder: Path, features: Tensor) -> tuple[FeatureStore, Keeper]:
    keeper = Keeper(folder.parent, folder.name, 2**40, print)
    return FeatureStore(folder, features.shape[-1], features.dtype), keeper


def experiment(
    size: Size,
    frozen: tuple[str, ...] = (),
    *,
    batch: int = 16,
    precision: Literal["fp32", "bf16", "fp16"] = "fp32",
) -> Spec:
    """Return the spec of a pretraining with MLM and ITM, as a file would say it."""
    text, vision = IDS[size.name]
    model = Model(
        name="two_towers",
        streams={
            "text": RandomArchitecture(
                id=text,
                max_tokens=size.max_tokens,
                layers=size.tower_layers,
                width=size.text_width,
                heads=size.text_heads,
            ),
            "vision": RandomArchitecture(
                id=vision,
                image_size=size.image_size,
                layers=size.tower_layers,
                width=size.image_width,
                heads=size.image_heads,
            ),
        },
        fusion_name="cross",
        fusion=CrossAttention(
            inputs=("text", "vision"),
            layers=size.fusion_layers,
            width=size.fusion_width,
            heads=size.fusion_heads,
        ),
        freeze=(Freeze(selectors=frozen),) if frozen else (),
    )
    job = Pretrain(
        name="base",
        on="two_towers",
        data=("pairs",),
        objectives=(Mlm(), Itm()),
        optimizer=AdamW(lr=1e-4),
        batch=batch,
        steps=1,
        precision=precision,
    )
    return Spec(models={"two_towers": model}, data={"pairs": EasyVqaPairs()}, jobs={"base": job})
