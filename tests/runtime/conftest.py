"""A tiny experiment: a few images of one colour, questions about them, a model of width 16."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from renaissance.grammar.schema.data import EasyVqa, EasyVqaPairs
from renaissance.grammar.schema.declaration import Share
from renaissance.grammar.schema.jobs import AdamW, Evaluate, Finetune, Itm, Mlm, Pretrain
from renaissance.grammar.schema.model import CrossAttention, Freeze, Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.streams import PlainText, PlainVision

COLORS = {"red": (220, 30, 30), "green": (30, 200, 60), "blue": (40, 60, 220), "gray": (128,) * 3}

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def vqa_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the layout of easy-VQA: 16 images to learn from and 8 to test on."""
    root = tmp_path_factory.mktemp("vqa")
    draw = np.random.default_rng(0)
    for split, count in (("train", 16), ("test", 8)):
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
        (root / split / "questions.json").write_text(json.dumps(questions))
    return root


@pytest.fixture
def tiny_spec(vqa_root: Path) -> Callable[..., Spec]:
    """A function that makes the experiment, with changes to its parts."""

    def make(
        *,
        dropout: float = 0.1,
        text: dict[str, Any] | None = None,
        freeze: tuple[Freeze, ...] = (),
        base: dict[str, Any] | None = None,
        vqa: dict[str, Any] | None = None,
    ) -> Spec:
        sizes: dict[str, Any] = {"layers": 2, "width": 16, "heads": 2, "dropout": dropout}
        model = Model(
            name="tiny",
            streams={
                "text": PlainText(**sizes, max_tokens=12, vocabulary=64, **(text or {})),
                "vision": PlainVision(**sizes, image_size=16, patch=8),
            },
            fusion_name="cross",
            fusion=CrossAttention(
                inputs=("text", "vision"), layers=1, width=16, heads=2, dropout=dropout
            ),
            freeze=freeze,
        )
        common: dict[str, Any] = {"on": "tiny", "optimizer": AdamW(lr=2e-3), "batch": 12}
        pretrain = {
            "data": ("pairs",),
            "objectives": (Mlm(), Itm()),
            "steps": 6,
            "validation": Share(0.2),
            **common,
        }
        finetune = {
            "source": "base",
            "task": EasyVqa(root=str(vqa_root), validation=Share(0.2)),
            "steps": 6,
            **common,
        }
        return Spec(
            models={"tiny": model},
            data={"pairs": EasyVqaPairs(root=str(vqa_root))},
            jobs={
                "base": Pretrain(name="base", **{**pretrain, **(base or {})}),
                "vqa": Finetune(name="vqa", **{**finetune, **(vqa or {})}),
                "exam": Evaluate(name="exam", of="vqa", batch=16),
            },
        )

    return make


@pytest.fixture
def run_script() -> str:
    """A program that runs jobs: path of the spec as JSON, folder, names of jobs."""
    return (
        "import sys, torch\n"
        "from pathlib import Path\n"
        "from renaissance.grammar.schema.spec import Spec\n"
        "from renaissance.runtime import InterruptionError, run_jobs\n"
        "torch.set_num_threads(1)\n"
        "spec = Spec.model_validate_json(Path(sys.argv[1]).read_text())\n"
        "try:\n"
        "    run_jobs(spec, Path(sys.argv[2]), only=tuple(sys.argv[3:]), device='cpu')\n"
        "except InterruptionError as stop:\n"
        "    sys.exit(str(stop))\n"
    )
