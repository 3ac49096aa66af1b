"""The fusion layers on the kernels, against the same layers on plain tensor operations."""

import pytest
import torch

from renaissance.compiler.fusions.cross_attention.module import CoAttention
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.packing import Packing
from renaissance.compiler.model.readings import RowGroup
from renaissance.compiler.model.tower import TowerFacts
from tests.compiler.lowered import lowered

LENGTHS = (3, 1, 5)
FACTS = {
    "text": TowerFacts(modality="text", width=10),
    "vision": TowerFacts(modality="vision", width=12),
}


def fusion(attention: str, device: str, dropout: float = 0.0) -> CoAttention:
    spec = CrossAttention(inputs=("text", "vision"), layers=2, width=32, heads=2, dropout=dropout)
    torch.manual_seed(0)
    return lowered(CoAttention(spec, FACTS, "cross"), attention).to(device)


def streams(device: str) -> dict[str, Features]:
    generator = torch.Generator().manual_seed(1)
    ends = torch.tensor((0, *LENGTHS)).cumsum(0).to(device, torch.int32)
    text = torch.randn(sum(LENGTHS), 10, generator=generator).to(device)
    vision = torch.randn(len(LENGTHS), 7, 12, generator=generator).to(device)
    return {
        "text": Features(
            tokens=text.requires_grad_(), packing=Packing(cumulative=ends, longest=max(LENGTHS))
        ),
        "vision": Features(tokens=vision.requires_grad_()),
    }


def results(fused: CoAttention, device: str) -> dict[str, torch.Tensor]:
    """What the layers give, read as heads read it, and every gradient."""
    inputs = streams(device)
    parts = [
        RowGroup(rows=2, queries={"text": torch.tensor([1, 3], device=device)}, tokens=4),
        RowGroup(rows=1, queries={"text": "first", "vision": "first"}, tokens=5),
    ]
    read = fused.read(inputs, parts)
    found = {
        f"{name} {number}": stream.tokens
        for number, part in enumerate(read)
        for name, stream in part.items()
    }
    sum(tokens.sin().sum() for tokens in found.values()).backward()
    gradients = {name: p.grad for name, p in fused.named_parameters() if p.grad is not None}
    return found | gradients | {name: stream.tokens.grad for name, stream in inputs.items()}


def test_packed_streams_equal_plain_operations(device: str) -> None:
    plain, kernels = (results(fusion(word, device), device) for word in ("eager", "triton"))
    assert plain.keys() == kernels.keys()
    for name, wanted in plain.items():
        torch.testing.assert_close(kernels[name], wanted, rtol=1e-4, atol=1e-5)


def test_whole_streams_come_back_in_rows(device: str) -> None:
    wanted = fusion("eager", device)(streams(device))
    found = fusion("triton", device)(streams(device))
    for name, stream in wanted.items():
        torch.testing.assert_close(
            found[name].padded().tokens, stream.padded().tokens, rtol=1e-4, atol=1e-5
        )


def test_the_generator_decides_what_is_dropped(device: str) -> None:
    fused = fusion("triton", device, dropout=0.3)

    def run(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return fused(streams(device))["text"].tokens

    assert torch.equal(run(1), run(1))
    assert not torch.allclose(run(1), run(2))


@pytest.mark.parametrize("attention", ["triton", "auto"])
def test_no_break_in_a_compiled_graph(attention: str, device: str) -> None:
    fused = fusion(attention, device).eval()
    compiled = torch.compile(fused, backend="eager", fullgraph=True)
    torch.testing.assert_close(
        compiled(streams(device))["text"].tokens, fused(streams(device))["text"].tokens
    )
