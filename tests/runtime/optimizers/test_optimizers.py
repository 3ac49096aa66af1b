"""Every optimizer: the numbers of a plain loop in torch, its memory in plans, exact resumes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from renaissance.compiler import plan
from renaissance.grammar.check import check
from renaissance.grammar.kinds.optimizer import OptimizerBlock
from renaissance.grammar.kinds.registry import facet, words
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source
from renaissance.runtime import InterruptionError
from renaissance.runtime.checkpoint import read_checkpoint
from renaissance.runtime.optimizers.adam.schema import Adam
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.optimizers.sgd.schema import Sgd
from tests.runs import StopAt, last_bytes, run_in_two, train

STEPS = 7
BLOCKS: dict[str, OptimizerBlock] = {
    "adam": Adam(lr=2e-3),
    "adam with decay": Adam(lr=2e-3, weight_decay=0.1, betas=(0.8, 0.9), eps=1e-6),
    "adamw": AdamW(lr=2e-3, weight_decay=0.1),
    "sgd": Sgd(lr=0.1),
    "sgd without momentum": Sgd(lr=0.1, momentum=0.0, weight_decay=0.1),
    "sgd looking ahead": Sgd(lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.1),
}


def plain(block: OptimizerBlock, parameters: Sequence[Tensor]) -> torch.optim.Optimizer:
    """Return torch's own optimizer, one parameter after the other."""
    if isinstance(block, Sgd):
        return torch.optim.SGD(
            parameters,
            lr=block.lr,
            momentum=block.momentum,
            nesterov=block.nesterov,
            weight_decay=block.weight_decay,
            foreach=False,
        )
    assert isinstance(block, Adam | AdamW)
    kind = torch.optim.Adam if isinstance(block, Adam) else torch.optim.AdamW
    return kind(
        parameters,
        lr=block.lr,
        betas=block.betas,
        eps=block.eps,
        weight_decay=block.weight_decay,
        foreach=False,
    )


def test_every_optimizer_is_tested() -> None:
    assert {block.word() for block in BLOCKS.values()} == set(words("optimizer"))


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_moves_weights_as_torch_does_one_by_one(block: OptimizerBlock) -> None:
    draw = torch.Generator().manual_seed(0)
    ours = [nn.Parameter(torch.randn(shape, generator=draw)) for shape in ((40, 30), (30,), ())]
    theirs = [nn.Parameter(weight.detach().clone()) for weight in ours]
    kind = facet(block, "optimizer")
    optimizer = kind.build(block, [{**kind.group(block, ours, decays=True), "lr": block.lr}])
    reference = plain(block, theirs)
    for step in range(STEPS):
        for mine, other in zip(ours, theirs, strict=True):
            gradient = torch.randn(mine.shape, generator=draw)
            # One of them has its first gradient later, and then misses one.
            missing = mine.dim() == 1 and step in (0, 4)
            mine.grad, other.grad = (None, None) if missing else (gradient, gradient.clone())
        optimizer.step()
        reference.step()
        for mine, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-7)
    kept = sum(value.numel() for mine in ours for value in optimizer.state[mine].values())
    counts = sum(1 for mine in ours if "step" in optimizer.state[mine])
    assert kept - counts == block.averages * sum(weight.numel() for weight in ours)


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_spares_what_does_not_decay(block: OptimizerBlock) -> None:
    weight = nn.Parameter(torch.ones(3))
    decaying = block.model_copy(update={"weight_decay": 0.5})
    assert facet(block, "optimizer").group(decaying, [weight], decays=False)["weight_decay"] == 0
    assert facet(block, "optimizer").group(decaying, [weight], decays=True)["weight_decay"] == 0.5


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_goes_on_bit_for_bit(
    block: OptimizerBlock, tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    freeze = (Freeze(selectors=("text",), until=5),)
    spec = tiny_spec(
        freeze=freeze,
        layers=1,
        base={"optimizer": block, "steps": 8, "checkpoint_every": 8, "validate_every": 8},
    )
    train(spec, tmp_path / "whole", "base")
    for stop in (3, 6):
        with pytest.raises(InterruptionError):
            train(spec, tmp_path / "parts", "base", observer=StopAt(stop))
    train(spec, tmp_path / "parts", "base")
    assert last_bytes(tmp_path / "parts", "base", 8) == last_bytes(tmp_path / "whole", "base", 8)


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_plan_counts_what_it_keeps(
    block: OptimizerBlock, tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    spec = tiny_spec(layers=1, base={"optimizer": block, "steps": 1})
    [planned] = [job for job in plan(spec, device="cpu").jobs if job.name == "base"]
    train(spec, tmp_path, "base")
    checkpoint = read_checkpoint(tmp_path / "base/checkpoints/step-00000001")
    kept = [value for name, value in checkpoint.optimizer.items() if not name.endswith("/step")]
    assert planned.stages[0].memory.optimizer == sum(value.nbytes for value in kept)
    weights = sum(value.nbytes for value in checkpoint.model.values())
    assert planned.checkpoint is not None
    assert planned.checkpoint.bytes == weights + planned.stages[0].memory.optimizer


def test_split_over_two_processes_the_momentum_is_that_of_one(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    block = Sgd(lr=0.05, nesterov=True, weight_decay=0.01)
    changes: dict[str, Any] = {"optimizer": block, "shard": "full", "steps": 4}
    spec = tiny_spec(dropout=0.0, layers=1, base=changes)
    train(spec, tmp_path / "one", "base")
    run_in_two(spec, tmp_path / "two", "base")
    one, two = (
        read_checkpoint(tmp_path / name / "base/checkpoints/step-00000004")
        for name in ("one", "two")
    )
    assert one.optimizer.keys() == two.optimizer.keys() and one.optimizer
    for part in ("model", "optimizer"):
        for name, tensor in getattr(one, part).items():
            assert torch.allclose(tensor, getattr(two, part)[name], atol=1e-4), name


MODEL = """
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4 }
  fusion cross = cross_attention(text, vision)
}
finetune vqa on tiny {
  task = easy_vqa
  optimizer OPTIMIZER
  schedule constant { warmup = 10 }
  batch = 64
  epochs = 2
}
"""


@pytest.mark.parametrize(
    ("optimizer", "message", "label", "help"),
    [
        ("sgd { lr = 0.1, momentum = 0.9, nesterov = true }", None, None, None),
        ("adam { lr = 1e-3, weight_decay = 0.1 }", None, None, None),
        (
            "sgd { lr = 0.1, momentum = 0, nesterov = true }",
            "`nesterov` has no effect here",
            "there is no momentum",
            (),
        ),
        (
            "sgd { lr = 101 }",
            "a learning rate of 101 is far too high",
            "with Sgd nothing is learned beyond 100",
            ("usual are rates between `1e-3` and `1`",),
        ),
        (
            "adam { lr = 1 }",
            "a learning rate of 1 is far too high",
            "with Adam nothing is learned beyond 0.1",
            ("usual are rates between `1e-5` and `1e-3`",),
        ),
    ],
)
def test_what_a_check_says(
    optimizer: str, message: str | None, label: str | None, help: tuple[str, ...] | None
) -> None:
    found = check(Source(name="main.vl", text=MODEL.replace("OPTIMIZER", optimizer)))
    if message is None:
        assert found == ()
        return
    [finding] = found
    assert (finding.message, finding.label, finding.help) == (message, label, help)
    assert finding.severity == "warning"
