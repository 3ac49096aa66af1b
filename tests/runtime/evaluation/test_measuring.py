"""Metrics beside their intervals, the most frequent answer and chance."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from datasets import Dataset

from renaissance.runtime.data.table import Source, make_table
from renaissance.runtime.data.targets import Classes, Numbers, Shares
from renaissance.runtime.evaluation.baselines import Learned, by_chance
from renaissance.runtime.evaluation.intervals import of_mean
from renaissance.runtime.evaluation.measuring import measured
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.easy_vqa.schema import EasyVqa
from renaissance.runtime.tasks.glue.schema import Glue
from renaissance.runtime.tasks.regress.schema import Regress

WORDS = ("no", "yes")


def answered(right: np.ndarray, said: np.ndarray, images: np.ndarray, **known: Any) -> Answered:
    """Return predictions for rows of some images."""
    rows = len(right)
    names = pa.array([WORDS[number] for number in right], pa.string())
    table = make_table(
        Source(name="asked", max_unreadable=0.0),
        "/images",
        pa.array(["is it so"] * rows, pa.string()),
        pa.array([f"{image}.png" for image in images], pa.string()),
        answers=names,
    )
    return Answered(
        table=table,
        asked=np.arange(rows),
        rows=known.get("rows", np.arange(rows)),
        predictions=said,
        probabilities=np.full(len(said), 0.5, np.float32),
        answers=WORDS,
        targets=Classes(numbers=right),
    )


YES = Learned(majority=1, words="yes", choices=2, numbers=np.empty(0))


def drawn(rows: int, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what is right, what is said, which is right so often, and the images."""
    generator = np.random.default_rng(0)
    right = (generator.random(rows) < 0.6).astype(np.int64)
    said = np.where(generator.random(rows) < share, right, 1 - right)
    return right, said, np.arange(rows) // 4


def test_a_share_stands_beside_its_interval_the_majority_and_chance() -> None:
    right, said, images = drawn(400, 0.9)
    found = measured(EasyVqa(), answered(right, said, images), YES)
    share = float((right == said).mean())
    assert found.rows == 400
    # All of these answers are of one kind.
    assert found.metrics == dict.fromkeys(("accuracy", "accuracy.yes/no"), pytest.approx(share))
    assert found.intervals["accuracy"] == of_mean((right == said).astype(float), images)
    assert found.majority == dict.fromkeys(found.metrics, pytest.approx(right.mean()))
    assert found.majority_answer == "yes"
    assert found.chance == dict.fromkeys(found.metrics, pytest.approx(0.5, abs=1e-12))
    assert found.like_majority == ()


def test_what_is_no_better_than_the_majority_is_said_so() -> None:
    right, _, images = drawn(400, 0.9)
    constant = measured(EasyVqa(), answered(right, np.ones(400, np.int64), images), YES)
    assert constant.like_majority == ("accuracy", "accuracy.yes/no")
    _, said, _ = drawn(400, right.mean())
    found = measured(EasyVqa(), answered(right, said, images), YES)
    assert found.like_majority == ("accuracy", "accuracy.yes/no")
    _, said, _ = drawn(400, 0.75)
    assert measured(EasyVqa(), answered(right, said, images), YES).like_majority == ()


def test_a_row_whose_image_cannot_be_read_is_wrong_for_all() -> None:
    right, _, images = np.ones(40, np.int64), None, np.arange(40)
    said = answered(right, np.ones(30, np.int64), images, rows=np.arange(30))
    found = measured(EasyVqa(), said, YES)
    assert found.metrics == found.majority == {"accuracy": 0.75, "accuracy.yes/no": 0.75}
    assert found.chance == dict.fromkeys(found.metrics, pytest.approx(0.375))
    assert found.credit is not None and found.credit.tolist() == [1.0] * 30 + [0.0] * 10


def test_a_row_without_an_image_is_left_out_where_a_number_is_wanted() -> None:
    values = np.arange(40, dtype=np.float32)
    said = answered(np.ones(40, np.int64), values[:30] + 2, np.arange(40), rows=np.arange(30))
    found = measured(
        Regress(train="t.csv"), replace(said, targets=Numbers(values=values), answers=()), None
    )
    assert found.rows == 30 and found.metrics["rmse"] == pytest.approx(2)
    # No error at all would be worth more than any that was made.
    assert found.credit is not None and found.credit.tolist()[:30] == [-4.0] * 30
    assert np.isnan(found.credit[30:]).all()


def test_metrics_that_are_no_means_have_intervals_too() -> None:
    right, said, images = drawn(400, 0.9)
    names = ("unacceptable", "acceptable")
    block = Glue(root="/glue", subtask="cola")
    rows = answered(right, said, images)
    table = rows.table.rows.data.set_column(
        rows.table.rows.column_names.index("answer"),
        "answer",
        pa.array([names[number] for number in right], pa.string()),
    )

    rows = replace(rows, answers=names, table=replace(rows.table, rows=Dataset(table)))
    found = measured(block, rows, YES)
    low, high = found.intervals["matthews"]
    assert low < found.metrics["matthews"] < high and 0.05 < high - low < 0.2
    assert found.majority["matthews"] == 0.0 and abs(found.chance["matthews"]) < 0.02
    plain = of_mean((right == said).astype(float), images)
    assert found.intervals["accuracy"] == pytest.approx(plain, abs=0.01)
    assert found.like_majority == ()


def test_nothing_is_measured_where_nobody_knows_what_is_right() -> None:

    right, said, images = drawn(8, 0.9)
    hidden = replace(answered(right, said, images), targets=None)
    found = measured(EasyVqa(), hidden, None)
    assert (found.rows, found.metrics, found.intervals, found.credit) == (0, {}, {}, None)


def test_the_majority_is_what_training_says() -> None:
    rows = np.array([0, 2, 3, 4])
    assert Classes(numbers=np.array([1, 0, -100, 1, 0])).majority(rows) == 1
    shares = Shares.listed([[(0, 1.0)], [(2, 1.0)], [(1, 0.6)], [(1, 0.6), (0, 0.1)], []], 3)
    assert shares.majority(rows) == 1
    assert Numbers(values=np.array([1, 9, np.nan, 3, 2], np.float32)).majority(rows) == 2.0
    assert Classes(numbers=np.array([-100])).majority(np.array([0])) is None


def test_chance_gives_each_row_every_class_in_turn() -> None:
    right, said, images = drawn(10, 0.9)
    three = Learned(majority=0, words="a", choices=3, numbers=np.empty(0))
    turns = [turn.predictions for turn in by_chance(answered(right, said, images), three)]
    assert np.sort(np.stack(turns), axis=0).tolist() == [[0] * 10, [1] * 10, [2] * 10]


def test_chance_of_numbers_are_numbers_that_were_learned() -> None:
    right, said, images = drawn(50, 0.9)
    known = Learned(
        majority=2.0, words="the mean, 2", choices=0, numbers=np.array([1, 3], np.float32)
    )
    rows = answered(right, said.astype(np.float32), images)
    for turn in by_chance(rows, known):
        assert set(turn.predictions.tolist()) == {1.0, 3.0}
