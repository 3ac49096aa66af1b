"""The two-tower models of the paper, one batch for them, and the project's training step on it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from benchmarks.plain import BASE, SMALL, TINY, PlainBatch, Size
from renaissance.compiler import build, freeze
from renaissance.compiler.batch import (
    Batch,
    Items,
    PartlyEncoded,
    PartlyEncodedTexts,
    TextRows,
    Texts,
)
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.lowering.compilation import compile_layers
from renaissance.compiler.lowering.low_precision import hold_in_low_precision
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.compiler.step import Objectives
from renaissance.grammar.schema.jobs import Pretrain
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.feature_cache.grouping import grouped_images, grouped_texts
from renaissance.runtime.feature_cache.keeping import Keeper
from renaissance.runtime.feature_cache.ledger import KEY_BYTES
from renaissance.runtime.feature_cache.store import FeatureStore
from renaissance.runtime.feature_cache.tower import KnownImageTower, KnownTextTower
from renaissance.runtime.formats.easy_vqa.schema import EasyVqaPairs
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.optimizers.adamw.schema import AdamW
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


def compiled_batch(plain: PlainBatch) -> Batch:
    """Return the same captions as the compiled step takes them; false images are the batch's own.

    Texts are packed, masked ones in front of the others; each image stands once; masked places are
    listed.
    """
    rows = len(plain.matches)
    own = torch.arange(rows)
    return _paired(
        plain, own, torch.where(plain.matches == 1, own, (own + 1) % rows), plain.matches
    )


def training_batch(plain: PlainBatch) -> Batch:
    """Return captions masked, and each with its own and another image, as training has them."""
    own = torch.arange(len(plain.matches))
    return _paired(
        plain,
        torch.cat((own, own)),
        torch.cat((own, (own + 1) % len(own))),
        torch.cat((torch.ones_like(own), torch.zeros_like(own))),
    )


def _paired(plain: PlainBatch, row: Tensor, image: Tensor, matches: Tensor) -> Batch:
    """Return captions masked beside their own images, and plain ones `row` beside `image`."""
    rows, mask = len(plain.matches), plain.attention_mask
    lengths = mask.sum(1)
    cumulative = torch.cat((torch.zeros(1), lengths.repeat(2).cumsum(0))).to(torch.int32)
    labels = plain.labels[mask]
    positions = (labels >= 0).nonzero().flatten()
    masked = Items(
        text=torch.arange(rows),
        image=torch.arange(rows),
        tokens=int(lengths.sum()),
        positions=positions,
        target=labels[positions],
        known=len(positions),
    )
    matching = Items(
        text=rows + row,
        image=image,
        tokens=int(lengths[row].sum()),
        target=matches,
        known=len(matches),
    )
    texts = TextRows(
        input_ids=torch.cat((plain.masked_ids[mask], plain.input_ids[mask])),
        cumulative=cumulative,
        longest=int(lengths.max()),
    )
    return Batch(
        images=plain.images,
        texts=Texts(encoded=texts),
        items={"mlm": masked, "itm": matching},
        rows=rows,
    )


def with_bytes(batch: Batch) -> Batch:
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
        self.objectives = Objectives(self.model, declared, job)
        self.optimization = Optimization(self.model, job.optimizer, {})
        self.optimization.set_rate(job.optimizer.lr)

    def loss(self, batch: Batch) -> Tensor:
        """Return the sum of the two losses of a batch."""
        with self._forward():
            scored = self.objectives(batch)
            return torch.stack(
                [scored[head].loss / items.known for head, items in batch.items.items()]
            ).sum()

    def _forward(self) -> torch.autocast:
        return torch.autocast(
            self.device.type, self.precision, enabled=self.precision != torch.float32
        )

    def keep_features(self, batch: Batch, folder: Path) -> Callable[[], Batch]:
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
        rows, tokens = batch.rows, batch.items["mlm"].tokens
        assert batch.texts.encoded is not None and batch.texts.encoded.cumulative is not None
        changed, plain = batch.texts.encoded.input_ids.split([tokens, tokens])
        cumulative, most = batch.texts.encoded.cumulative[: rows + 1], batch.texts.encoded.longest
        lengths = cumulative.diff().tolist()
        images = grouped_images(encode("vision"), batch.images)
        texts = grouped_texts(encode("text"), plain, lengths, longest)
        of_images, image_keeper = _store(folder / "images", images)
        of_texts, text_keeper = _store(folder / "texts", texts)
        contents = [number.to_bytes(KEY_BYTES, "big") for number in range(1, len(images) + 1)]
        image_keeper.keep(
            of_images, contents, images.flatten(0, 1), [images.shape[1]] * len(images)
        )
        text_keeper.keep(of_texts, contents[: len(lengths)], texts, lengths)
        self.objectives.cached = {
            "vision": KnownImageTower(encode("vision"), of_images, image_keeper),
            "text": KnownTextTower(encode("text"), longest, of_texts, text_keeper),
        }

        def read() -> Batch:
            features = of_images.read(contents).tokens.view_as(images)
            return replace(
                batch,
                images=PartlyEncoded(pixels=batch.images[:0], contents=(), features=features),
                texts=Texts(
                    encoded=TextRows(input_ids=changed, cumulative=cumulative, longest=most),
                    cached=PartlyEncodedTexts(
                        input_ids=plain[:0],
                        lengths=(),
                        contents=(),
                        features=of_texts.read(contents[: len(lengths)]).tokens,
                        cumulative=cumulative,
                        longest=most,
                    ),
                ),
            )

        return read

    def step(self, batch: Batch) -> Tensor:
        """Run one step and return the loss, without waiting for it."""
        loss = self.loss(batch)
        loss.backward()
        if self.optimization.torch is not None:
            if self.clip is not None:
                nn.utils.clip_grad_norm_(self.optimization.parameters, self.clip)
            self.optimization.torch.step()
        self.optimization.clear()
        return loss.detach()

    def __call__(self, batch: Batch) -> float:
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
