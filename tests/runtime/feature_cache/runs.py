"""What a run says about its features, and everything that its numbers can differ in."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from renaissance.compiler import build
from renaissance.compiler.batch import Batch
from renaissance.compiler.losses import Scored
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.step import Objectives
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import job_data
from renaissance.runtime.precision import Precision
from renaissance.runtime.processes import Processes
from renaissance.runtime.training.kept_features import Kept, kept_features
from tests.runs import events, notices

CPU = Processes(rank=0, ranks=1, device=torch.device("cpu"))


@dataclass(frozen=True, kw_only=True)
class FirstStep:
    """A model at the first batch of its job."""

    model: VisionLanguageModel
    kept: tuple[Kept, ...]
    objectives: Objectives
    batch: Batch

    def backward(self) -> tuple[dict[str, Scored], dict[str, Tensor]]:
        """What the heads say, and the gradients by name of the parameter."""
        scored = self.objectives(self.batch)
        sum((part.loss for part in scored.values()), torch.zeros(())).backward()
        named = self.model.named_parameters()
        return scored, {name: p.grad for name, p in named if p.grad is not None}


@contextmanager
def first_step(spec: Spec) -> Iterator[FirstStep]:
    """Begin job `base` of a spec as training does."""
    model = build(spec, job="base").train()
    data = job_data(spec, "base")
    precision = Precision("fp32", CPU.device)
    kept = kept_features(spec, "base", model, data, precision=precision, processes=CPU, tell=print)
    objectives = Objectives(model, spec.models["tiny"], spec.training_job("base"))
    objectives.cached = {one.stream: one.tower for one in kept}
    [batch] = next(data.train(0, 0, 1))
    yield FirstStep(model=model, kept=kept, objectives=objectives, batch=batch)
    for one in kept:
        one.keeper.close()


def counts(folder: Path, job: str, stream: str = "vision") -> tuple[int, int, int]:
    """How many images or texts were read, computed and newly kept."""
    [told] = [
        text for text in notices(folder, job) if text.startswith(f"features of `{stream}`: read")
    ]
    words = told.replace(",", "").split()
    places = [words.index("read") + 1, words.index("computed") + 1, words.index("newly") - 1]
    return tuple(int(words[place]) for place in places)  # type: ignore[return-value]


def outcome(folder: Path, spec: Spec) -> dict[str, Any]:
    """Everything that numbers can differ in: losses, weights, running means of gradients."""
    found: dict[str, Any] = {}
    for name in spec.jobs:
        if not (folder / name).is_dir():
            continue
        for event in events(folder, name):
            if event["event"] in ("step", "validate"):
                key = (name, event["event"], event["step"])
                found[key] = (event["losses"], event["metrics"])
        result = json.loads((folder / name / "result.json").read_text())
        found[name] = (result["metrics"], result["confusion"], result["samples"])
        for path in sorted((folder / name).glob("checkpoints/step-*/*.safetensors")):
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found
