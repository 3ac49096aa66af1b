"""A step reads nothing back from its device, so that a GPU never waits for the host."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from renaissance.compiler.assembly import assemble
from renaissance.compiler.fusions.single_stream.schema import SingleStream
from renaissance.compiler.sources.patches.schema import Patches
from renaissance.compiler.sources.plain.schema import PlainStack
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.compiler.sources.wordpiece.schema import Wordpiece
from renaissance.compiler.step import Objectives
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import job_data

ELECTRA = RandomArchitecture(
    id="google/electra-small-discriminator", layers=1, width=16, heads=2, max_tokens=12
)
ONE_TOWER = {
    "streams": {
        "text": Wordpiece(max_tokens=12, vocabulary=64),
        "vision": Patches(image_size=16, patch=8),
    },
    "fusion": SingleStream(
        inputs=("text", "vision"), encoder=PlainStack(layers=1, width=16, heads=2)
    ),
}


@pytest.mark.parametrize("name", ["base", "vqa"])
@pytest.mark.parametrize("architecture", ["plain", "electra", "one tower"])
def test_a_step_reads_nothing_back(
    tiny_spec: Callable[..., Spec], architecture: str, name: str
) -> None:
    spec = tiny_spec()
    model = spec.models["tiny"]
    if architecture == "electra":
        model = model.model_copy(update={"streams": model.streams | {"text": ELECTRA}})
    if architecture == "one tower":
        model = model.model_copy(update=ONE_TOWER)
    # Tensors without contents refuse whatever asks for them.
    device = torch.device("meta")
    with device:
        built = assemble(model, spec.training_job(name), weights=False)
    data: Any = job_data(spec, name)
    [batch] = next(iter(data.train(0, 0, 1)))
    scored = Objectives(built.train(), model, spec.training_job(name))(batch.to(device))
    torch.stack([head.loss for head in scored.values()]).sum().backward()
    assert any(parameter.grad is not None for parameter in built.parameters())
    with pytest.raises((RuntimeError, NotImplementedError)):
        scored[next(iter(scored))].loss.item()
