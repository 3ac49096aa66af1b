"""How the official evaluation spells answers, and what it makes of ten of them."""

import json
from collections.abc import Sequence

import pytest

from renaissance.runtime.tasks.vqav2.metric import accuracy
from renaissance.runtime.tasks.vqav2.normalisation import normalised
from tests.published import published_samples


@pytest.mark.parametrize(
    ("answer", "spelled"),
    [
        ("  Two\tDogs\n", "2 dogs"),
        ("ten to three", "10 to 3"),
        ("eleven", "eleven"),
        ("none", "0"),
        ("The end of an era", "end of era"),
        ("a", ""),
        # A mark beside a space vanishes everywhere, one inside a word is a space.
        ("red-green", "red green"),
        ("red - green-ish", "red greenish"),
        ("yes/no", "yes no"),
        # A comma inside a number makes every mark vanish.
        ("1,000-2,000", "10002000"),
        ("U.S.A.", "usa"),
        ("2.50.", "2.50"),
        (".5", ".5"),
        ("3:45 & $7", "3:45 & $7"),
        ("dont", "don't"),
        ("shouldnt've", "shouldn't've"),
        ("lets", "lets"),
        ("Im", "im"),
        ("somebody'd", "somebodyd"),
        ("." * 40, "." * 8),
    ],
)
def test_spelling(answer: str, spelled: str) -> None:
    assert normalised(answer) == spelled


@pytest.mark.parametrize(
    ("said", "prediction", "right"),
    [
        # The mean over ten people of the nine others, of whom three are enough.
        (["a dog"] + ["cat"] * 9, "dog", 0.3),
        (["dog"] * 2 + ["cat"] * 8, "dog", 0.6),
        (["dog"] * 3 + ["cat"] * 7, "dog", 0.9),
        (["dog"] * 4 + ["cat"] * 6, "dog", 1.0),
        (["dog"] * 4 + ["cat"] * 6, "bird", 0.0),
        (["2"] * 5 + ["two"] * 5, "Two.", 1.0),
        # Where all agree to the letter, the letter counts.
        (["STOP"] * 10, "stop", 0.0),
        (["STOP"] * 10, " STOP\n", 1.0),
        ([" STOP"] * 5 + ["STOP\n"] * 5, "STOP", 1.0),
        (["stop"] * 9 + ["Stop"], "STOP!", 1.0),
        # Articles are nothing, and nothing is like nothing.
        (["a"] * 2 + ["b"] * 8, "the", 0.6),
    ],
)
def test_accuracy(said: Sequence[str], prediction: str, right: float) -> None:
    assert accuracy(prediction, said) == pytest.approx(right)


def test_what_the_official_code_says() -> None:
    vectors = json.loads((published_samples("vqav2") / "official_metric_vectors.json").read_text())
    assert (len(vectors["normalisation"]), len(vectors["accuracy"])) == (25, 12)
    for case in vectors["normalisation"]:
        assert normalised(case["raw"]) == case["processed"]
    for case in vectors["accuracy"]:
        found = accuracy(case["prediction"], case["answers"])
        assert 100 * found == pytest.approx(case["accuracy"])


def test_published_lists_of_answers_are_spelled_like_that() -> None:
    folder = published_samples("vqav2")
    one = json.loads((folder / "lxmert_trainval_label2ans.json").read_text())
    other = json.loads((folder / "uniter_ans2label.json").read_text())
    assert set(one) == set(other) and len(one) == 3129
    assert [answer for answer in one if normalised(answer) != answer] == []
