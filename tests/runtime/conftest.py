"""Tiny images, tables and specs. Tests of the runtime compute on one thread, whatever there is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.formats.image_caption.schema import ImageCaption
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.tasks.nlvr.schema import Nlvr
from tests.tiny import tiny_model, write_nlvr

torch.set_num_threads(1)

COLOURS = ("red", "green", "blue", "black", "white", "yellow")


@pytest.fixture(scope="session")
def draw_images() -> Callable[[Path, int], list[Path]]:
    """Write images of 12 by 10 pixels, each unlike the others."""

    def draw(folder: Path, count: int) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(7).integers(0, 256, (count, 10, 12, 3), dtype=np.uint8)
        paths = [folder / f"{number}.png" for number in range(count)]
        for path, pixels in zip(paths, noise, strict=True):
            Image.fromarray(pixels).save(path)
        return paths

    return draw


@pytest.fixture
def captions(tmp_path: Path, draw_images: Callable[[Path, int], list[Path]]) -> Path:
    """A JSON Lines table: 40 images with one to three captions each."""
    draw_images(tmp_path / "images", 40)
    lines = []
    for number in range(40):
        texts = [
            f"a {COLOURS[(number + k) % 6]} thing, number {number} of many unforgettable things"
            for k in range(1 + number % 3)
        ]
        lines.append(json.dumps({"image": f"images/{number}.png", "caption": texts}))
    table = tmp_path / "pairs.jsonl"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


@pytest.fixture(scope="session")
def model() -> Model:
    """A two-tower model of no importance."""
    text = {"max_tokens": 16, "vocabulary": 120}
    vision = {"image_size": 8, "patch": 4}
    return tiny_model(layers=1, width=8, heads=1, text=text, vision=vision)


@pytest.fixture
def pretraining(captions: Path, model: Model) -> Callable[..., Spec]:
    """Make a spec with one pretraining job; keys of the job can be given."""

    def make(**keys: Any) -> Spec:
        table = keys.pop("table", captions)
        share = keys.pop("max_unreadable", None)
        block = ImageCaption(
            table=str(table), **({} if share is None else {"max_unreadable": share})
        )
        chosen: dict[str, Any] = {
            "objectives": (Mlm(), Itm()),
            "batch": 16,
            "epochs": 2,
            "seed": 3,
            **keys,
        }
        job = Pretrain(name="base", on="tiny", data=("pairs",), optimizer=AdamW(lr=1e-3), **chosen)
        return Spec(models={"tiny": model}, data={"pairs": block}, jobs={"base": job})

    return make


@pytest.fixture
def nlvr_folder(tmp_path: Path) -> Path:
    """Cornell NLVR's layout: 12 sentences to learn from, 3 each to test and select."""
    return write_nlvr(tmp_path / "nlvr")


@pytest.fixture
def finetuning(nlvr_folder: Path, model: Model) -> Callable[..., Spec]:
    """Make a spec that learns nlvr and measures it; keys of the job and task can be given."""

    def make(task: dict[str, Any] | None = None, **keys: Any) -> Spec:
        chosen: dict[str, Any] = {"batch": 12, "epochs": 2, "seed": 5, **keys}
        job = Finetune(
            name="learn",
            on="tiny",
            task=Nlvr(root=str(nlvr_folder), **(task or {})),
            optimizer=AdamW(lr=1e-3),
            **chosen,
        )
        test = Evaluate(name="measure", of="learn")
        return Spec(models={"tiny": model}, jobs={"learn": job, "measure": test})

    return make
