"""No pair that the shipped quickstart calls false is known to be true."""

import json

import numpy as np

from renaissance.files import find_spec
from renaissance.grammar import load
from renaissance.runtime.data import job_data
from renaissance.runtime.data.truths import Truths
from renaissance.runtime.objectives.itm.matching import negatives_of_batch
from renaissance.runtime.tasks.easy_vqa.reader import installed_data

COLORS = {"red", "green", "blue", "black", "gray", "teal", "brown", "yellow"}


def test_the_quickstart_calls_no_true_pair_false() -> None:
    data = job_data(load(find_spec("quickstart")), "base")
    table = data.part("train").table
    truths = Truths.of(table)
    questions = json.loads((installed_data() / "train/questions.json").read_text())
    captions = [entry for entry in questions if entry[1] not in ("yes", "no")]
    said = {(image, question): answer for question, answer, image in questions}
    color: dict[int, str] = {
        image: answer for question, answer, image in questions if answer in COLORS
    }
    pairs = contradicted = 0
    for step in range(60):
        rows = np.array(data.rows(step))
        images = table.image_of_row[rows]
        drawn = negatives_of_batch(
            rows, images, 1, truths=truths, seed=0, purpose="match train", number=step
        )
        for row, image in zip(rows.tolist(), drawn[:, 0].tolist(), strict=True):
            if image < 0:
                continue
            question, answer, _ = captions[row]
            number = int(table.path(image).rsplit("/", 1)[1].removesuffix(".png"))
            pairs += 1
            assert said.get((number, question)) != answer
            if question == "what color is the shape?" and number in color:
                assert color[number] != answer
                contradicted += 1
    assert pairs > 3700 and contradicted > 150
