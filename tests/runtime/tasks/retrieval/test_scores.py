"""Files of scores: anybody's, in any order, and what is wrong with them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.evaluation.scoring import score
from renaissance.runtime.tasks.retrieval.schema import Retrieval
from tests.published import write_karpathy

COCO = np.arange(1014, 1020)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_karpathy(tmp_path / "data")


def captions(root: Path) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the captions of `test`, and the place of the image of each."""
    images = json.loads((root / "dataset_coco.json").read_text())["images"][14:]
    ids = [number for image in images for number in image["sentids"]]
    place = [place for place, image in enumerate(images) for _ in image["sentids"]]
    return np.array(ids), np.array(place)


def written(root: Path, **changes: Any) -> Path:
    texts, image = captions(root)
    draw = np.random.default_rng(1)
    scores = draw.random((6, len(texts)), np.float32) + (np.arange(6)[:, None] == image)
    parts = {"scores": scores, "image_ids": COCO, "text_ids": texts} | changes
    file = root / "said.npz"
    np.savez(file, **{name: part for name, part in parts.items() if part is not None})
    return file


def metrics(root: Path, file: Path) -> dict[str, float]:
    return dict(score(Retrieval(root=str(root)), file, "test").metrics)


def test_own_pairs_first(root: Path) -> None:
    found = metrics(root, written(root))
    assert found["text_r@1"] == found["image_r@1"] == found["image_mean_rank"] == 1.0


def test_intervals_are_over_images(root: Path) -> None:
    draw = np.random.default_rng(5)
    file = written(root, scores=draw.random((6, len(captions(root)[0]))))
    found = score(Retrieval(root=str(root)), file, "test")
    assert {"text_r@1", "image_r@10", "image_mean_rank"} <= set(found.intervals)
    for name, (low, high) in found.intervals.items():
        assert low <= found.metrics[name] <= high


def test_order_names_and_types_of_others(root: Path) -> None:
    texts, _ = captions(root)
    draw = np.random.default_rng(2)
    scores = draw.integers(0, 9, (6, len(texts)))
    plain = metrics(root, written(root, scores=scores))
    rows, columns = draw.permutation(6), draw.permutation(len(texts))
    mixed = scores[rows][:, columns]
    others: list[dict[str, Any]] = [
        {"scores": mixed.astype(np.float64), "image_ids": COCO[rows], "text_ids": texts[columns]},
        {"scores": np.asfortranarray(mixed), "image_ids": COCO[rows], "text_ids": texts[columns]},
        {
            "scores": mixed.T,
            "image_ids": (COCO - 1000)[rows],
            "text_ids": texts[columns].astype(str),
        },
        {
            "scores": None,
            "similarity": scores,
            "image_ids": None,
            "images": [f"COCO_val2014_{number:012d}.jpg" for number in COCO],
        },
    ]
    for changes in others:
        assert metrics(root, written(root, **changes)) == pytest.approx(plain)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"scores": None}, "has no `scores`; it holds"),
        ({"image_ids": None}, "has no `image_ids`"),
        ({"scores": np.zeros((2, 3))}, "has 2 × 3 scores for 6 images and 31 captions"),
        ({"scores": np.full((6, 31), np.nan)}, "scores that are no numbers"),
        ({"scores": np.full((6, 31), "x")}, "no table of numbers"),
        ({"image_ids": COCO - 2}, "is about `1012`, `1013`, which are no images of `test`"),
        ({"image_ids": [1014, 1014, 1016, 1017, 1018, 1019]}, "about `1014` more than once"),
        (
            {"image_ids": COCO[:5], "scores": np.zeros((5, 31))},
            "says nothing about 1 of the 6 images of `test`: `1019`",
        ),
    ],
)
def test_a_wrong_file_is_one_sentence(root: Path, changes: dict[str, Any], problem: str) -> None:
    file = written(root, **changes)
    with pytest.raises(DataError, match=problem) as error:
        metrics(root, file)
    assert str(file) in str(error.value) and "\n" not in str(error.value)


def test_what_is_no_file_of_numpy(root: Path) -> None:
    file = root / "said.npz"
    file.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"is no `\.npz` of numpy"):
        metrics(root, file)
    with pytest.raises(DataError, match="cannot be read: No such file"):
        metrics(root, root / "absent.npz")


def test_a_file_is_measured_without_torch(root: Path) -> None:
    file = written(root)
    program = (
        "import sys; from renaissance.cli import main\n"
        f"code = main(['score', 'retrieval', {str(file)!r}, '--root', {str(root)!r}, '--split', "
        "'test', '--format', 'json'])\n"
        "assert not {'torch', 'transformers', 'datasets'} & set(sys.modules), 'heavy'\n"
        "sys.exit(code)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["task"] == "retrieval" and found["rows"] == 31
    assert found["metrics"]["text_r@1"] == 1.0
