"""Where the operators run, and the sentence for everywhere else."""

import pytest
import torch

from renaissance.compiler.kernels import availability, supported


@pytest.fixture
def machine(monkeypatch):
    """Pretend to be a machine with a given GPU, or none."""

    def pretend(architecture):
        monkeypatch.setattr(availability, "interpreting", lambda: False)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: architecture is not None)
        monkeypatch.setattr(availability, "architecture", lambda _: architecture)

    return pretend


@pytest.mark.parametrize(
    ("architecture", "device", "dtype", "head_dim", "reason"),
    [
        ("sm_90", "cuda", torch.bfloat16, 64, None),
        ("sm_80", "cuda", torch.float32, 24, None),
        ("sm_120", "cuda", torch.float16, 128, None),
        ("gfx942", "cuda", torch.bfloat16, 80, None),
        ("sm_90", "cpu", torch.float32, 64, "runs on a GPU, not on `cpu`"),
        (None, "cuda", torch.float32, 64, "PyTorch finds none here"),
        ("sm_75", "cuda", torch.float16, 64, "compute capability 8.0 or newer, not sm_75"),
        ("gfx1100", "cuda", torch.float16, 64, "no configuration for the AMD GPU gfx1100"),
        ("sm_90", "cuda", torch.float64, 64, "bfloat16, float16 or float32, not float64"),
        ("sm_90", "cuda", torch.float16, 8, "heads 16 to 128 wide in steps of 8, not 8"),
        ("sm_90", "cuda", torch.float16, 256, "heads 16 to 128 wide in steps of 8, not 256"),
        ("sm_90", "cuda", torch.float16, 36, "heads 16 to 128 wide in steps of 8, not 36"),
        ("sm_90", "mps", torch.float16, 64, "not on `mps`"),
    ],
)
def test_reasons(machine, architecture, device, dtype, head_dim, reason):
    machine(architecture)
    given = supported(device, dtype, head_dim)
    if reason is None:
        assert given is None
    else:
        assert reason in given
        assert not given.endswith(".")


def test_interpreter(monkeypatch):
    monkeypatch.setattr(availability, "interpreting", lambda: True)
    assert supported("cpu", torch.float32, 64) is None
    assert "bfloat16" in supported("cpu", torch.bfloat16, 64)


def test_architecture_without_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(availability.AttentionUnavailable, match="no GPU"):
        availability.architecture("cuda")
