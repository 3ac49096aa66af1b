"""CIFAR-10 and CIFAR-100 as published, and as folders of images."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from renaissance.compiler import plan
from renaissance.compiler.expected import SPECIAL_TOKENS
from renaissance.compiler.losses import best_first
from renaissance.runtime.data.decode import decode
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.evaluation.scoring import score
from renaissance.runtime.tasks.cifar import CifarTask
from renaissance.runtime.tasks.cifar10.schema import Cifar10
from renaissance.runtime.tasks.cifar100.schema import Cifar100
from renaissance.runtime.tasks.cifar_reader import read
from tests.exams import exam_spec, examined, same_with_kept_features

TEN = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
SOURCE = Source(name="cifar", max_unreadable=0.01)


def write(path: Path, values: dict[str, Any], *, as_bytes: bool) -> None:
    """Write a batch, with names as Python 3 reads those of Python 2: as bytes, or as texts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    named = {name.encode(): value for name, value in values.items()} if as_bytes else values
    path.write_bytes(pickle.dumps(named, protocol=2))


def pixels(count: int) -> np.ndarray:
    drawn = np.random.default_rng(count).integers(0, 128, (count, 3, 32, 32), dtype=np.uint8)
    drawn[:, 0] |= 128  # planes differ, so that another order of the axes shows
    return drawn


def write_ten(root: Path, *, as_bytes: bool = True) -> np.ndarray:
    folder = root / "cifar-10-batches-py"
    batches = [f"data_batch_{number}" for number in range(1, 6)]
    for place, name in enumerate([*batches, "test_batch"]):
        count = 4 + place
        values = {
            "data": pixels(count).reshape(count, -1),
            "labels": [(place + k) % 10 for k in range(count)],
        }
        write(folder / name, values, as_bytes=as_bytes)
    names: list[Any] = [name.encode() for name in TEN] if as_bytes else TEN
    write(folder / "batches.meta", {"label_names": names}, as_bytes=as_bytes)
    return pixels(9)


@pytest.mark.parametrize("as_bytes", [True, False])
def test_pixels_labels_and_names(tmp_path: Path, as_bytes: bool) -> None:
    published = write_ten(tmp_path, as_bytes=as_bytes)
    table = read(Cifar10(root=str(tmp_path)), SOURCE, "test")
    for image in range(9):
        assert np.array_equal(decode(table.file(image)), published[image].transpose(1, 2, 0))
    assert table.answers() == [TEN[(5 + k) % 10] for k in range(9)]
    assert table.column("id")[2].as_py() == "test_batch/2"
    assert table.path(2) == str(tmp_path / "cifar-10-batches-py/test_batch/2")
    assert len(read(Cifar10(root=str(tmp_path)), SOURCE, "train")) == 4 + 5 + 6 + 7 + 8
    # The archive's own folder will do.
    assert len(read(Cifar10(root=str(tmp_path / "cifar-10-batches-py")), SOURCE, "test")) == 9


class _Call:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("a pickle ran code",)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"labels": [1, 2]}, "has no `data`"),
        ({"data": pixels(2).reshape(2, -1)}, "has no `labels`"),
        (
            {"data": pixels(2).reshape(2, -1), "labels": [1]},
            r"`data` of `.*` is an array \[2, 3072\] of uint8, where 1 labels want \[1, 3072\]",
        ),
        ({"data": pixels(1).reshape(1, -1), "labels": [10]}, "`labels` of .* has 10 for image 0"),
        ({"data": _Call(), "labels": [1]}, "asks for `(__builtin__|builtins).print`, which is not"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], values: dict[str, Any], said: str
) -> None:
    write_ten(tmp_path)
    write(tmp_path / "cifar-10-batches-py/test_batch", values, as_bytes=True)
    with pytest.raises(DataError, match=said):
        read(Cifar10(root=str(tmp_path)), SOURCE, "test")
    assert capsys.readouterr().out == ""


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds neither the folder `cifar-10-batches-py`"):
        read(Cifar10(root=str(tmp_path)), SOURCE, "test")
    write_ten(tmp_path)
    file = tmp_path / "cifar-10-batches-py/data_batch_3"
    content = file.read_bytes()
    file.unlink()
    with pytest.raises(DataError, match="data_batch_3` cannot be read: No such file"):
        read(Cifar10(root=str(tmp_path)), SOURCE, "train")
    file.write_bytes(content[:100])
    with pytest.raises(DataError, match="data_batch_3` is no pickle of values and arrays"):
        read(Cifar10(root=str(tmp_path)), SOURCE, "train")


def test_learned_and_measured(tmp_path: Path) -> None:
    write_ten(tmp_path / "data")
    task = Cifar10(root=str(tmp_path / "data"))
    same_with_kept_features(task, tmp_path, "test", "validation")


def test_a_hundred_classes(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-100-python"
    for name, count in (("train", 20), ("test", 8)):
        values = {
            "data": pixels(count).reshape(count, -1),
            "fine_labels": [7 * k % 100 for k in range(count)],
            "coarse_labels": [k % 20 for k in range(count)],
        }
        write(folder / name, values, as_bytes=True)
    names = [f"fine_{number:02}".encode() for number in range(100)]
    write(folder / "meta", {"fine_label_names": names}, as_bytes=True)
    found = examined(Cifar100(root=str(tmp_path)), tmp_path / "run", "test")["test"]
    assert found.metrics.keys() == {"accuracy", "accuracy@5", "loss"}
    assert found.answers[3] == "fine_03"
    measured = score(Cifar100(root=str(tmp_path)), tmp_path / "run/test.txt", "test").metrics
    assert measured == {name: found.metrics[name] for name in ("accuracy", "accuracy@5")}
    assert found.chance["accuracy"] == pytest.approx(0.01)


def table_of(block: CifarTask, file: str) -> Table:
    return read(block, SOURCE, file)


def test_folders_of_images(tmp_path: Path) -> None:
    for split, numbers in (("train", (0, 1)), ("test", (2,))):
        for place, name in enumerate(TEN):
            for number in numbers:
                path = tmp_path / "data" / split / name / f"{number:04}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels(3)[number][0] + np.uint8(place)).save(path)
    task = Cifar10(root=str(tmp_path / "data"))
    assert table_of(task, "test").answers() == TEN
    found = examined(task, tmp_path / "run", "test")["test"]
    assert {"accuracy", "accuracy@5"} < found.metrics.keys() and found.answers == tuple(TEN)
    assert found.chance["accuracy"] == pytest.approx(0.1)
    (tmp_path / "data/train/zebra").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "data/train/zebra/0.png")
    with pytest.raises(DataError, match="has 11 classes where 10 are wanted"):
        examined(task, tmp_path / "other", "test")


def test_the_best_five() -> None:
    import torch

    scores = torch.tensor([[0.0, 3.0, 1.0, 2.0], [5.0, 1.0, 2.0, 9.0]])
    prediction, probability, few = best_first(scores, 3, 2)
    assert prediction.tolist() == [1, 0]
    assert few.tolist() == [[1, 2], [0, 2]]
    assert torch.equal(probability, scores.softmax(-1).gather(1, prediction[:, None])[:, 0])


def test_a_plan_counts_no_words(tmp_path: Path) -> None:
    spec = exam_spec(Cifar10(root=str(tmp_path)), "test")
    for job in plan(spec).jobs:
        assert not job.has_text and job.tokens == SPECIAL_TOKENS
    # `--tokens` is the mean of texts, and there are none.
    assert [job.tokens for job in plan(spec, tokens=7).jobs] == [SPECIAL_TOKENS] * 3
