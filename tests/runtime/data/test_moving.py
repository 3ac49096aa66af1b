"""Batches on their way to the device."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from renaissance.compiler.batch import PartlyEncoded
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import job_data
from renaissance.runtime.data.loader import Reading, Waiting
from renaissance.runtime.data.moving import Mover, moved, moved_with_following, with_following
from renaissance.runtime.data.workers import workers_of

MakeSpec = Callable[..., Spec]
CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
Log = list[tuple[str, Any]]


class Recorded(Mover):
    """A mover of anything, as one on a GPU: `begin` does something."""

    def __init__(self, log: Log) -> None:
        super().__init__(CPU)
        self.log = log

    def begin(self, batch: Any) -> None:
        self.log.append(("begin", batch))

    def __call__(self, batch: Any) -> Any:
        self.log.append(("take", batch))
        return batch


def test_the_next_batch_is_on_its_way_while_one_is_used() -> None:
    log: Log = []
    steps: Any = iter([("a", "b"), ("c",), ("d", "e")])
    mover: Any = Recorded(log)
    for batches, following in with_following(steps, ahead=True):
        for one in moved_with_following(mover, batches, following):
            log.append(("use", one))
    wanted: Log = []
    for one, other in zip("abcde", [*"bcde", None], strict=True):
        wanted += [("take", one), ("begin", other), ("use", one)]
    assert log == wanted


def test_nothing_is_read_ahead_on_a_cpu() -> None:
    taken: list[str] = []

    def steps() -> Iterator[Any]:
        for name in "ab":
            taken.append(name)
            yield (name,)

    for number, (_, following) in enumerate(with_following(steps(), Mover(CPU).ahead)):
        assert len(taken) == number + 1 and following is None


def test_a_batch_comes_with_what_it_becomes(pretraining: MakeSpec) -> None:
    data = job_data(pretraining(), "base")
    pairs = list(moved(data.validation(0, 1), CPU))
    assert pairs
    for batch, on_device in pairs:
        assert torch.equal(batch.images, on_device.images)  # type: ignore[arg-type]


def test_pixels_travel_as_bytes(pretraining: MakeSpec) -> None:
    [batch] = next(job_data(pretraining(), "base").train(0, 0, 1))
    assert not isinstance(batch.images, PartlyEncoded) and batch.images.dtype == torch.uint8


@pytest.mark.parametrize(
    ("wanted", "device", "processes", "step_bytes", "found"),
    [
        (3, CPU, 1, 1, 3),
        (0, GPU, 1, 1, 0),
        ("auto", CPU, 1, 1, 0),
        ("auto", GPU, 1, 2**20, 16),
        ("auto", GPU, 4, 2**20, 15),
        ("auto", GPU, 8, 2**20, 7),
        ("auto", GPU, 64, 2**20, 0),
        ("auto", GPU, 1, 2**30, 4),
        ("auto", GPU, 2, 2**30, 2),
        ("auto", GPU, 1, 2**34, 0),
    ],
)
def test_how_many_processes_read(
    monkeypatch: pytest.MonkeyPatch,
    wanted: Any,
    device: torch.device,
    processes: int,
    step_bytes: int,
    found: int,
) -> None:
    monkeypatch.setattr("renaissance.runtime.data.workers.cores", lambda: 64)
    monkeypatch.setattr(
        "renaissance.runtime.data.workers._free_shared_memory", lambda: 10 * 2.0**30
    )
    assert workers_of(wanted, device, processes, step_bytes) == found


@pytest.mark.parametrize(
    ("pinned", "each", "said"), [(True, 0.5, "33% of the time"), (True, 0.1, ""), (False, 9, "")]
)
def test_a_gpu_that_waits_for_data_is_told_of_once(pinned: bool, each: float, said: str) -> None:
    told: list[str] = []
    now = [0.0]
    waiting = Waiting(Reading(workers=3, pinned=pinned, tell=told.append), lambda: now[0])
    for _ in range(300):
        now[0] += 1 + each
        waiting.add(each)
    assert len(told) == bool(said) and all(text.startswith(said) for text in told)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_batches_arrive_whole_on_a_gpu(pretraining: MakeSpec) -> None:
    plain = [b for (b,) in job_data(pretraining(micro_batch=None), "base").train(0, 0, 1)]
    data = job_data(pretraining(workers=1), "base")
    data.read_for(GPU, print)
    mover, place = Mover(GPU), 0
    for batches, following in with_following(data.train(0, 0, 1), mover.ahead):
        assert all(batch.images.is_pinned() for batch in batches)  # type: ignore[union-attr]
        for one in moved_with_following(mover, batches, following):
            assert one.images.device == GPU  # type: ignore[union-attr]
            busy = torch.randn(2048, 2048, device=GPU)
            for _ in range(8):
                busy = busy @ busy
            assert torch.equal(one.images.cpu(), plain[place].images)  # type: ignore[union-attr]
            assert torch.equal(one.text.input_ids.cpu(), plain[place].text.input_ids)
            place += 1
    assert place == len(plain)
