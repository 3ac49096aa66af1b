"""Accuracy and consistency as the authors of NLVR2 compute them."""

import gzip
import json
from pathlib import Path

import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.evaluation.scoring import score
from renaissance.runtime.tasks.nlvr2.metric import sentence_of
from renaissance.runtime.tasks.nlvr2.schema import Nlvr2
from tests.published import json_lines, published_samples, write_nlvr2


def measured(root: Path, said: dict[str, str], split: str = "dev") -> dict[str, float]:
    file = root / "said.csv"
    file.write_text("".join(f"{name},{word}\n" for name, word in said.items()))
    found = score(Nlvr2(root=str(root)), file, split)
    assert found.rows == len(said)
    return dict(found.metrics)


def rows(root: Path, labels: dict[str, str]) -> Path:
    """Write a `dev` in which one sentence is said by two groups and is two groups."""
    examples = [
        {"identifier": name, "sentence": "One dog.", "label": label}
        for name, label in labels.items()
    ]
    json_lines(root / "nlvr2/data/dev.json", examples)
    return root


LABELS = {
    "dev-1-0-0": "True",
    "dev-1-1-0": "False",
    "dev-1-2-0": "True",
    "dev-1-0-1": "True",
    "dev-2-0-0": "False",
}


def test_a_sentence_is_consistent_if_all_of_its_pairs_are_right(tmp_path: Path) -> None:
    root = rows(tmp_path, LABELS)
    assert measured(root, LABELS) == {"accuracy": 1.0, "consistency": 1.0}
    # One of three pairs is wrong: four of five rows, two of three sentences.
    wrong = LABELS | {"dev-1-1-0": "True"}
    assert measured(root, wrong) == pytest.approx({"accuracy": 0.8, "consistency": 2 / 3})
    turned = {name: {"True": "FALSE", "False": "true "}[word] for name, word in LABELS.items()}
    assert measured(root, turned) == {"accuracy": 0.0, "consistency": 0.0}


def test_the_group_is_the_identifier_without_its_pair() -> None:
    assert sentence_of("test1-12-3-1") == "test1-12-1"


def test_subsets_and_phenomena_have_figures_of_their_own(tmp_path: Path) -> None:
    root = write_nlvr2(tmp_path)
    names = [
        f"dev-{place}-{pair}-{said}" for place in range(4) for pair in (0, 1) for said in (0, 1)
    ]
    found = measured(root, dict.fromkeys(names, "True"))
    assert found.keys() == {
        *(f"{what}{of}" for what in ("accuracy", "consistency") for of in ("", ".balanced")),
        "accuracy.unbalanced",
        "consistency.unbalanced",
        "accuracy.comparison",
        "accuracy.universal quantifier",
    }
    whole = measured(root, dict.fromkeys(names[:6], "True"), "balanced_dev")
    assert found["accuracy.balanced"] == whole["accuracy"]
    assert found["consistency.balanced"] == whole["consistency"]


def test_the_published_figures_of_constant_answers(tmp_path: Path) -> None:
    samples = published_samples("nlvr2")
    for name in ("data/dev", "data/balanced/balanced_dev"):
        path = tmp_path / f"nlvr2/{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.decompress((samples / f"{path.stem}.json.gz").read_bytes()))
    text = (tmp_path / "nlvr2/data/dev.json").read_text()
    names = [json.loads(line)["identifier"] for line in text.splitlines()]
    true = measured(tmp_path, dict.fromkeys(names, "True"))
    assert true["accuracy"] == pytest.approx(3551 / 6982)
    assert true["consistency"] == pytest.approx(0.03865, abs=5e-6)
    assert true["accuracy.balanced"] == 0.5
    false = measured(tmp_path, dict.fromkeys(names, "False"))
    assert false["consistency"] == pytest.approx(0.03617, abs=5e-6)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("dev-1-0-0\n", "line 1 is not `identifier,True`"),
        ("dev-1-0-0,yes\n", "line 1 is not `identifier,True`"),
        ("dev-1-0-0,True\n\ndev-1-0-0,True\n", "line 3 is about `dev-1-0-0` again, after line 1"),
        ("dev-3-0-0,True\n", "line 1 is about `dev-3-0-0`, no row of `dev`"),
        ("dev-1-0-0,True\n", r"nothing about 4 of the 5 rows of `dev`: `dev-1-1-0`, .* and 1 more"),
        ("", "nothing about 5 of the 5 rows"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path: Path, text: str, problem: str) -> None:
    root = rows(tmp_path, LABELS)
    file = root / "said.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=problem) as error:
        score(Nlvr2(root=str(root)), file, "dev")
    assert str(file) in str(error.value) and "\n" not in str(error.value)
