import json
import math
from pathlib import Path

import pytest
from PIL import Image

from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from tests.tiny import tiny_experiment

HOSTILE = '<script>alert("1")</script> & <img src=x onerror=alert(1)>'
ANSWERS = ("circle", "red", "yes", "no")
CONFUSION = ((50, 0, 0, 0), (3, 40, 0, 0), (0, 0, 60, 7), (0, 0, 2, 38))


def start(job: str, spec: Spec, **more: object) -> dict:
    versions = {"renaissance": "0.1.0", "torch": "2.14.0"}
    return {
        "event": "start",
        "job": job,
        "spec_hash": spec.hash,
        "versions": versions,
        "device": "CPU, 2 cores",
        "parameters": {"total": 1000, "trainable": 600},
        "step": 0,
        "total_steps": 40,
        **more,
    }


def step(number: int, names: tuple[str, ...]) -> dict:
    losses = {name: 2.5 * math.exp(-number / 10) + 0.1 for name in names}
    return {
        "event": "step",
        "step": number,
        "loss": sum(losses.values()),
        "losses": losses,
        "metrics": {f"{name}_accuracy": 1 - math.exp(-number / 10) for name in names},
        "lr": 1e-3,
        "texts_per_second": 900.0,
        "seconds": number * 0.1,
    }


def write_log(folder: Path, lines: list[dict]) -> None:
    folder.mkdir(exist_ok=True)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "log.jsonl").write_text(text)


@pytest.fixture
def spec() -> Spec:
    """The tiny experiment with its vision tower frozen."""
    return tiny_experiment("nowhere", freeze=(Freeze(selectors=("vision",)),))


@pytest.fixture
def run_folder(tmp_path: Path, spec: Spec) -> Path:
    """A finished run: pretraining, fine-tuning with a skipped image, evaluation with samples."""
    folder = tmp_path / "quickstart"
    folder.mkdir()
    (folder / "spec.json").write_text(spec.to_json())
    (folder / "spec.vl").write_text('model two_tower {\n  pool = cls  # "first"\n}\n')
    for name, heads in (("base", ("mlm", "itm")), ("vqa", ("answer",))):
        lines = [start(name, spec), *(step(number, heads) for number in range(1, 41))]
        held = dict.fromkeys(heads, 0.2)
        lines.append({"event": "validate", "step": 40, "losses": held, "metrics": {}})
        lines.append({"event": "unreadable", "paths": ["broken.png"], "count": 1, "images": 90})
        lines.append({"event": "notice", "text": "began <anew>"})
        lines.append({"event": "end", "step": 40})
        write_log(folder / name, lines)
        result = {
            "job": name,
            "kind": "pretrain" if name == "base" else "finetune",
            "split": "validation",
            "metrics": {f"{head}_accuracy": 0.9 for head in heads},
            "seconds": 75.0,
            "steps": 40,
            "texts_per_second": 900.0,
        }
        (folder / name / "result.json").write_text(json.dumps(result))

    Image.new("RGB", (600, 300), "red").save(folder / "red.png")
    (folder / "text.png").write_text("no image")
    write_log(folder / "exam", [start("exam", spec)])
    shared = {"text": "what is the colour?", "answer": "red"}
    result = {
        "job": "exam",
        "kind": "evaluate",
        "split": "test",
        "metrics": {"accuracy": 0.94, "loss": 0.21},
        "seconds": 8.0,
        "texts_per_second": 4000.0,
        "answers": ANSWERS,
        "confusion": CONFUSION,
        "samples": [
            {**shared, "image": "red.png", "prediction": "red", "probability": 0.99},
            {**shared, "image": "text.png", "text": HOSTILE, "prediction": "<b>circle</b>"},
            {**shared, "image": "gone.png", "prediction": "red", "probability": 0.5},
        ],
    }
    (folder / "exam" / "result.json").write_text(json.dumps(result))
    return folder
