"""A pretraining that starts from the weights of another one."""

from pathlib import Path

import pytest
import torch

from renaissance.compiler import plan
from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source
from renaissance.runtime import InterruptionError
from renaissance.runtime.checkpoint import read_checkpoint
from renaissance.runtime.checkpoints import best_checkpoint
from tests.runs import StopAt, events, last_bytes, notices, run_in_two, train
from tests.tiny import write_easy_vqa

TEXT = """model m {
  backbone text = plain_text { layers = 1, width = 16, heads = 1, max_tokens = 8 }
  backbone vision = plain_vision { layers = 1, width = 16, heads = 1, image_size = 32 }
  fusion cross = cross_attention(text, vision) { layers = 1, width = 16, heads = 1 }
}
data pairs { format = easy_vqa, root = "FOLDER" }
pretrain base on m {
  data = [pairs], objective mlm, objective itm, optimizer adamw { lr = 1e-2 }
  batch = 8, steps = 3, validation = 20%
}
pretrain more extends base from base {
  objective itm = none, seed = 5, model { freeze text, vision, cross }
}
"""


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return TEXT.replace("FOLDER", str(write_easy_vqa(tmp_path_factory.mktemp("data"))))


@pytest.fixture(scope="module")
def spec(text: str) -> Spec:
    return resolved(text)


def resolved(text: str) -> Spec:
    resolution = resolve(Source(name="m.vl", text=text))
    assert resolution.spec is not None, resolution.diagnostics
    return resolution.spec


@pytest.fixture(scope="module")
def whole(spec: Spec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of both jobs, run without a stop; not to be written to."""
    folder = tmp_path_factory.mktemp("whole")
    train(spec, folder)
    return folder


def test_it_begins_with_the_weights_of_its_source(whole: Path) -> None:
    assert "tensors start from job `base`" in " ".join(notices(whole, "more"))
    before, after = (best_checkpoint(whole / job).model for job in ("base", "more"))
    kept = [name for name in after if not name.startswith("heads.")]
    assert kept
    assert all(torch.equal(before[name], after[name]) for name in kept)


def test_the_plan_says_where_heads_begin(spec: Spec) -> None:
    jobs = {job.name: job for job in plan(spec).jobs}
    assert jobs["more"].begins == (
        "`text`, `vision`, `cross` start from the weights of job `base`",
        "the head `mlm` starts from that of job `base`",
    )
    assert jobs["base"].begins == ()


def test_it_goes_on_bit_for_bit_and_keeps_what_it_freezes(
    spec: Spec, whole: Path, tmp_path: Path
) -> None:
    with pytest.raises(InterruptionError):
        train(spec, tmp_path, "base", "more", observer=StopAt(2))
    with pytest.raises(InterruptionError):
        train(spec, tmp_path, "base", "more", observer=StopAt(1))
    train(spec, tmp_path)
    assert last_bytes(tmp_path, "more", 3) == last_bytes(whole, "more", 3)
    last = read_checkpoint(whole / "more/checkpoints/step-00000003")
    source = best_checkpoint(whole / "base")
    frozen = [name for name in last.state.frozen if name.startswith(("streams.", "fusion."))]
    assert frozen and all(torch.equal(last.model[n], source.model[n]) for n in frozen)


def test_two_processes_go_on_as_one_does(text: str, tmp_path: Path) -> None:
    spec = resolved(text.replace("heads = 1", "heads = 1, dropout = 0.0"))
    train(spec, tmp_path / "one")
    run_in_two(spec, tmp_path / "two", *spec.jobs)
    assert "tensors start from job `base`" in " ".join(notices(tmp_path / "two", "more"))
    for job in spec.jobs:
        one, two = (events(tmp_path / name, job, "step") for name in ("one", "two"))
        assert len(one) == len(two) > 0
        for ours, theirs in zip(one, two, strict=True):
            assert theirs["losses"] == pytest.approx(ours["losses"], rel=2e-4)
