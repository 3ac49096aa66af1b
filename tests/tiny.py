"""The tiny experiment: a few images of one colour, questions about them, a model of width 16."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.grammar.declaration import Share
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.model import Adapt, Freeze, Lower, Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import keys_of
from renaissance.runtime.formats.easy_vqa.schema import EasyVqaPairs
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.tasks.easy_vqa.schema import EasyVqa

COLORS = {"red": (220, 30, 30), "green": (30, 200, 60), "blue": (40, 60, 220), "gray": (128,) * 3}


def write_easy_vqa(root: Path, *, train: int = 16, test: int = 8, shapes: bool = False) -> Path:
    """Write a folder in the layout of easy-VQA, with four questions about each image.

    With `shapes` two published questions tell what each shows.
    """
    draw = np.random.default_rng(0)
    for split, count in (("train", train), ("test", test)):
        (root / split / "images").mkdir(parents=True)
        questions = []
        for number in range(count):
            color = list(COLORS)[number % len(COLORS)]
            pixels = np.full((16, 16, 3), COLORS[color]) + draw.integers(-20, 20, (16, 16, 3))
            image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(root / split / "images" / f"{number}.png")
            questions += [
                ["what color is the picture?", color, number],
                [f"is the picture {color}?", "yes", number],
                ["does the picture contain red paint?", "yes" if color == "red" else "no", number],
                ["is there no blue at all?", "no" if color == "blue" else "yes", number],
            ]
            if shapes:
                shape = ("circle", "rectangle", "triangle")[number % 3]
                questions += [
                    ["what shape is in the image?", shape, number],
                    ["what color is the shape?", color, number],
                ]
        (root / split / "questions.json").write_text(json.dumps(questions))
    return root


NLVR = {"train": 12, "dev": 3, "test": 3}
"""Sentences of each part."""


def write_nlvr(root: Path, parts: Mapping[str, int] = NLVR) -> Path:
    """Write Cornell NLVR's layout with so many sentences in each part."""
    for part, count in parts.items():
        folder = root / part / "images" / "4"
        folder.mkdir(parents=True)
        lines = []
        for number in range(count):
            identifier = f"{number // 2}-{number % 2}"
            for permutation in range(6):
                colour = (
                    number * 20 % 256,
                    permutation * 40,
                    {"train": 0, "dev": 90}.get(part, 180),
                )
                image = Image.new("RGBA", (16, 4), (*colour, 255))
                image.save(folder / f"{part}-{identifier}-{permutation}.png")
            example = {
                "sentence": f"There is a tower with {number // 2} blocks.",
                "label": "true" if number % 2 else "false",
                "identifier": identifier,
                "directory": "4",
            }
            lines.append(json.dumps(example))
        (root / part / f"{part}.json").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


OF_TWO_TOWERS = tuple(
    word for word, kind in Kinds(FusionBlock).items() if kind.accepts == "backbone"
)
"""Words of the fusions that join two towers."""


def tiny_fusion(word: str, *inputs: str) -> FusionBlock:
    """Return two layers of a fusion of two towers, without dropout."""
    kind = Kinds(FusionBlock)[word]
    sizes = {"layers": 2, "width": 16, "heads": 2, "dropout": 0.0}
    chosen = {name: sizes[name] for name in keys_of(kind) if name in sizes}
    return kind(inputs=inputs or ("text", "vision"), **chosen)


def tiny_model(
    *,
    layers: int = 2,
    width: int = 16,
    heads: int = 2,
    dropout: float = 0.1,
    text: dict[str, Any] | None = None,
    vision: dict[str, Any] | None = None,
    freeze: tuple[Freeze, ...] = (),
    adapt: tuple[Adapt, ...] = (),
    lower: Lower = "auto",
) -> Model:
    """Two plain towers and one layer of cross-attention; `text` and `vision` change a tower."""
    size: dict[str, Any] = {"width": width, "heads": heads, "dropout": dropout}
    words = {"layers": layers, "max_tokens": 12, "vocabulary": 64, **size, **(text or {})}
    patches = {"layers": layers, "image_size": 16, "patch": 8, **size, **(vision or {})}
    return Model(
        name="tiny",
        streams={"text": PlainText(**words), "vision": PlainVision(**patches)},
        fusion_name="cross",
        fusion=CrossAttention(inputs=("text", "vision"), layers=1, **size),
        freeze=freeze,
        adapt=adapt,
        lower=lower,
    )


def tiny_experiment(
    root: Path | str,
    *,
    base: dict[str, Any] | None = None,
    vqa: dict[str, Any] | None = None,
    **model: Any,
) -> Spec:
    """Pretraining `base`, fine-tuning `vqa` and evaluation `exam`.

    Args:
        root: a folder as `write_easy_vqa` writes it.
        base: keys of the pretraining.
        vqa: keys of the fine-tuning.
        model: arguments of `tiny_model`.
    """
    common: dict[str, Any] = {"on": "tiny", "optimizer": AdamW(lr=2e-3), "batch": 12, "steps": 6}
    pretrain = {
        "data": ("pairs",),
        "objectives": (Mlm(), Itm()),
        "validation": Share(0.2),
        **common,
    }
    finetune = {
        "source": "base",
        "task": EasyVqa(root=str(root), validation=Share(0.2)),
        **common,
    }
    return Spec(
        models={"tiny": tiny_model(**model)},
        data={"pairs": EasyVqaPairs(root=str(root))},
        jobs={
            "base": Pretrain(name="base", **{**pretrain, **(base or {})}),
            "vqa": Finetune(name="vqa", **{**finetune, **(vqa or {})}),
            "exam": Evaluate(name="exam", of="vqa", batch=16),
        },
    )
