"""float32 on a GPU is exact while a job runs, and a user's own settings come back."""

from collections.abc import Iterator

import pytest
import torch

from renaissance.runtime.evaluation.selecting import by_protocol
from renaissance.runtime.precision import Precision, exact_float32, slow_on
from renaissance.runtime.training.train import train_job

MATMUL, CUDNN = torch.backends.cuda.matmul, torch.backends.cudnn
NEWER = (MATMUL, CUDNN.conv, CUDNN.rnn)


def older() -> tuple[bool, bool]:
    return MATMUL.allow_tf32, CUDNN.allow_tf32


@pytest.fixture(autouse=True)
def as_torch_begins() -> Iterator[None]:
    yield
    MATMUL.allow_tf32, CUDNN.allow_tf32 = False, True


@pytest.mark.parametrize("chosen", [(False, True), (True, True), (False, False)])
def test_settings_come_back_even_after_an_error(chosen: tuple[bool, bool]) -> None:
    MATMUL.allow_tf32, CUDNN.allow_tf32 = chosen
    with pytest.raises(ZeroDivisionError), exact_float32():
        assert older() == (False, False)
        assert torch.get_float32_matmul_precision() == "highest"
        raise ZeroDivisionError
    assert older() == chosen


def test_settings_by_newer_names_come_back_too() -> None:
    for part in NEWER:
        part.fp32_precision = "tf32"  # type: ignore[attr-defined]
    with exact_float32():
        assert [part.fp32_precision for part in NEWER] == ["ieee"] * 3  # type: ignore[attr-defined]
    assert [part.fp32_precision for part in NEWER] == ["tf32"] * 3  # type: ignore[attr-defined]


def test_a_training_job_runs_within() -> None:
    before, seen = older(), []

    class Broken:
        @property
        def processes(self) -> None:
            seen.append(older())
            raise LookupError

    with pytest.raises(LookupError):
        train_job(Broken(), by_protocol)  # type: ignore[arg-type]
    assert seen == [(False, False)] and older() == before


def test_exact_products_on_a_gpu_are_spoken_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    said = slow_on("fp32", torch.device("cuda"))
    assert said is not None and "`precision = bf16`" in said
    assert slow_on("bf16", torch.device("cuda")) is None
    assert slow_on("fp32", torch.device("cpu")) is None


@pytest.mark.parametrize(
    ("clip", "measure", "norm"), [(None, False, None), (None, True, 5.0), (1.0, False, 5.0)]
)
def test_the_norm_of_a_gradient_is_measured_where_it_is_asked_for(
    clip: float | None, measure: bool, norm: float | None
) -> None:
    weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(3)]
    weights[0].grad, weights[2].grad = torch.tensor([3.0]), torch.tensor([4.0])
    optimizer = torch.optim.SGD(weights, lr=1.0)
    found = Precision("fp32", torch.device("cpu")).step(optimizer, weights, clip, measure=measure)
    assert found is None if norm is None else found == pytest.approx(norm)
    assert weights[0].item() == pytest.approx(-3.0 / (1 if clip is None else 5), rel=1e-4)
