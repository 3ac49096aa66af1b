"""Learning a task with a tiny model and measuring it, in several ways that must agree."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.records import JobResult
from tests.runs import train
from tests.tiny import tiny_model


def exam_spec(task: TaskBlock, *splits: str, cache: bool = False, **learn: Any) -> Spec:
    """Learn a task for three steps, then measure splits, each with batches of 3 and of 16.

    Args:
        task: what is learned.
        splits: names of splits; the evaluations are called `SPLIT` and `SPLIT_small`.
        cache: keep the features of both towers, which do not learn.
        learn: keys of the fine-tuning.
    """
    frozen = tuple(Freeze(selectors=(name,), cache=cache) for name in ("text", "vision"))
    chosen: dict[str, Any] = {"batch": 8, "steps": 3, "optimizer": AdamW(lr=2e-3), **learn}
    jobs: dict[str, Any] = {"learn": Finetune(name="learn", on="tiny", task=task, **chosen)}
    for split in splits:
        for name, batch in ((split, 16), (f"{split}_small", 3)):
            # Few colours make small images alike, whatever split they are of.
            jobs[name] = Evaluate(
                name=name,
                of="learn",
                split=split,
                batch=batch,
                write=f"{name}.txt",
                trained_on="allow",
            )
    return Spec(models={"tiny": tiny_model(dropout=0.0, freeze=frozen)}, jobs=jobs)


def examined(
    task: TaskBlock, folder: Path, *splits: str, cache: bool = False, **learn: Any
) -> dict[str, JobResult]:
    """Learn and measure; batches of another size must find the same. Returns results by split."""
    spec = exam_spec(task, *splits, cache=cache, **learn)
    results = {result.job: result for result in train(spec, folder).results}
    for split in splits:
        found, small = results[split].metrics, results[f"{split}_small"].metrics
        assert found.keys() == small.keys()
        for name, value in found.items():
            assert np.isclose(value, small[name], rtol=1e-4, atol=1e-5), (split, name)
    return {split: results[split] for split in splits}


def same_with_kept_features(task: TaskBlock, folder: Path, *splits: str, **learn: Any) -> None:
    """Learn with kept features and without: all that is measured must agree."""
    plain = examined(task, folder / "plain", *splits, **learn)
    kept = examined(task, folder / "kept", *splits, cache=True, **learn)
    for split in splits:
        assert plain[split].metrics.keys() == kept[split].metrics.keys()
        for name, value in plain[split].metrics.items():
            assert np.isclose(value, kept[split].metrics[name], rtol=1e-4, atol=1e-5)


def said(file: Path) -> list[str]:
    """What a file of predictions says, line by line."""
    return [json.loads(line)["prediction"] for line in file.read_text().splitlines()]


def draw(path: Path, colour: tuple[int, int, int]) -> Path:
    """Write an image of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 10), colour).save(path)
    return path
