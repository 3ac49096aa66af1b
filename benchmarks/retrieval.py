"""All pairs of a retrieval: images and texts encoded once, against every pair through the whole.

    python -m benchmarks.retrieval [--size tiny|small] [--images 100] [--texts 500] [--plain 5000]

Models have random weights. The plain way is timed on some of the pairs and scaled to all. What is
printed last is arithmetic: seconds of an image, a text and a pair, as measured, for COCO's 5,000 ×
25,010.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from renaissance.compiler import build
from renaissance.compiler.batch import TextRows, Texts
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.model.features import Features
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.compiler.step import Objectives
from renaissance.grammar.schema.jobs import Finetune
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.tasks.retrieval.schema import Retrieval

Value = TypeVar("Value")

TOKENS, BATCH = 13, 128
COCO = (5_000, 25_010)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds of an image, of a text, of an encoded pair, and of a pair through the whole model."""

    image: float
    text: float
    pair: float
    plain: float

    def once(self, images: int, texts: int) -> float:
        """Seconds of all pairs where images and texts are encoded once."""
        return images * self.image + texts * self.text + images * texts * self.pair

    def of_plain(self, images: int, texts: int) -> float:
        """Seconds of all pairs through the whole model."""
        return images * texts * self.plain


def model_of(size: str) -> Objectives:
    """Return a model with the head of a retrieval."""
    layers, width, image = (2, 64, 64) if size == "tiny" else (6, 256, 224)
    shape = {"layers": layers, "width": width, "heads": width // 32, "dropout": 0.0}
    model = Model(
        name=size,
        streams={
            "text": PlainText(max_tokens=40, vocabulary=1000, **shape),
            "vision": PlainVision(image_size=image, patch=16, **shape),
        },
        fusion_name="cross",
        fusion=CrossAttention(inputs=("text", "vision"), **shape | {"layers": layers // 2}),
    )
    learn = Finetune(
        name="find", on=size, task=Retrieval(root=""), optimizer=AdamW(lr=1e-4), batch=1, steps=1
    )
    spec = Spec(models={size: model}, jobs={"find": learn})
    return Objectives(build(spec, job="find").eval(), model, learn)


def texts_of(count: int) -> Texts:
    """Return random texts of one length."""
    ends = torch.arange(0, (count + 1) * TOKENS, TOKENS, dtype=torch.int32)
    ids = torch.randint(5, 1000, (count * TOKENS,))
    return Texts(encoded=TextRows(input_ids=ids, cumulative=ends, longest=TOKENS))


@torch.no_grad()
def measured(objectives: Objectives, images: int, texts: int, plain: int) -> tuple[Times, float]:
    """Time both ways; also return the largest difference of their scores."""
    size = next(t.facts.image_size for t in objectives.model.towers.values() if t.facts.image_size)
    pixels = torch.randint(0, 256, (images, 3, size, size), dtype=torch.uint8)
    captions = texts_of(texts)

    def encode_images() -> Tensor:
        parts = [objectives.encode_images(part).padded().tokens for part in pixels.split(BATCH)]
        return torch.cat(parts)

    def joined() -> Tensor:
        rows = []
        for image in vision:
            chunks = []
            for start in range(0, texts, BATCH):
                index = torch.arange(start, min(start + BATCH, texts))
                some = text.select(index, len(index) * TOKENS)
                of_image = Features(tokens=image.expand(len(index), *image.shape))
                chunks.append(objectives.score_pairs("answer", some, of_image)[:, 0])
            rows.append(torch.cat(chunks))
        return torch.stack(rows)

    def whole() -> Tensor:
        found = []
        assert captions.encoded is not None
        ids = captions.encoded.input_ids.view(texts, TOKENS)
        for start in range(0, plain, BATCH):
            pairs = torch.arange(start, min(start + BATCH, plain))
            image, some = pairs % images, pairs // images % texts
            ends = torch.arange(0, (len(pairs) + 1) * TOKENS, TOKENS, dtype=torch.int32)
            rows = TextRows(input_ids=ids[some].flatten(), cumulative=ends, longest=TOKENS)
            text = objectives.encode_texts(Texts(encoded=rows))
            vision = objectives.encode_images(pixels[image])
            found.append(objectives.score_pairs("answer", text, vision)[:, 0])
        return torch.cat(found)

    vision, of_images = timed(encode_images)
    text, of_texts = timed(lambda: objectives.encode_texts(captions))
    scores, of_pairs = timed(joined)
    of_whole, of_plain = timed(whole)
    pairs = torch.arange(plain)
    difference = (scores[pairs % images, pairs // images % texts] - of_whole).abs().max()
    times = Times(
        image=of_images / images,
        text=of_texts / texts,
        pair=of_pairs / (images * texts),
        plain=of_plain / plain,
    )
    return times, float(difference)


def timed(call: Callable[[], Value]) -> tuple[Value, float]:
    """Return what a call returns and the seconds that it takes."""
    began = time.perf_counter()
    value = call()
    return value, time.perf_counter() - began


def main() -> None:
    """Measure, and print both ways and what they would take for COCO."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=("tiny", "small"), default="tiny")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--texts", type=int, default=500)
    parser.add_argument("--plain", type=int, default=5000, help="pairs that go through the whole")
    options = parser.parse_args()
    torch.manual_seed(0)
    plain = min(options.plain, options.images * options.texts)
    times, difference = measured(model_of(options.size), options.images, options.texts, plain)
    print(f"{options.size}: scores differ by {difference:.1e} at most over {plain:,} pairs")
    for what, (images, texts) in (
        ("measured", (options.images, options.texts)),
        ("on paper", COCO),
    ):
        once, every = times.once(images, texts), times.of_plain(images, texts)
        print(
            f"{images:>6,} × {texts:>6,}, {what}: encoded once {seconds(once)}, every pair through "
            f"the whole model {seconds(every)}, {every / once:.1f} times as long"
        )


def seconds(value: float) -> str:
    """Return seconds, or hours where there are many."""
    return f"{value:,.1f} s" if value < 7200 else f"{value / 3600:,.1f} h"


if __name__ == "__main__":
    main()
