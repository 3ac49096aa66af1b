"""As many threads as the operations of a model keep busy."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from renaissance.compiler import build
from renaissance.compiler.planning.models import drafted
from renaissance.files import find_spec
from renaissance.grammar import load
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import jobs
from renaissance.runtime.training import threads
from renaissance.runtime.training.threads import fit_threads, largest_product
from tests.runs import train

CORES = 16


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Sixteen cores, of which torch uses all until it is told otherwise."""
    used = [CORES]
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: range(CORES), raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: used[-1])
    monkeypatch.setattr(torch, "set_num_threads", used.append)
    yield used


def test_the_quickstart_takes_one_thread_and_large_models_all(machine: list[int]) -> None:
    small = load(find_spec("quickstart"))
    for job in ("base", "vqa"):
        fit_threads(build(small, job=job), small.training_job(job).batch)
        assert machine[-1] == 1
    machine.append(CORES)
    large = load(find_spec("freezing_small"))
    fit_threads(drafted(large.models["none"], None)[0], 512)
    assert machine[-1] == CORES


def test_the_largest_linear_map_counts(tiny_spec: Callable[..., Spec]) -> None:
    model = build(tiny_spec(), job="base")
    # 12 tokens of 16 channels and an inner layer of 64 channels, for each text.
    assert largest_product(model, 100) == 100 * 12 * 16 * 64


@pytest.mark.parametrize("texts", [1, 10**4, 10**5])
def test_no_more_threads_than_worth_it(
    machine: list[int], tiny_spec: Callable[..., Spec], texts: int
) -> None:
    model = build(tiny_spec(), job="base")
    fit_threads(model, texts)
    assert machine[-1] == max(1, min(CORES, texts * 12 * 16 * 64 // threads.SHARE))


def test_what_the_user_has_set_stays(
    machine: list[int], tiny_spec: Callable[..., Spec], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build(tiny_spec(), job="base")
    machine.append(5)
    fit_threads(model, 1)
    assert machine[-1] == 5
    machine.append(CORES)
    monkeypatch.setenv("OMP_NUM_THREADS", "16")
    fit_threads(model, 1)
    assert machine[-1] == CORES


def test_a_job_leaves_torch_as_it_was(
    machine: list[int],
    tiny_spec: Callable[..., Spec],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    during: list[int] = []
    whole = jobs.train_job

    def watching(*arguments: object, **options: object) -> object:
        result = whole(*arguments, **options)  # type: ignore[arg-type]
        during.append(machine[-1])
        return result

    monkeypatch.setattr(jobs, "train_job", watching)
    train(tiny_spec(base={"steps": 1}), tmp_path, "base")
    assert during == [1] and machine[-1] == CORES
