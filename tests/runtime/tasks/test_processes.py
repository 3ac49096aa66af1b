"""What is measured and written is the same in two processes, in other batches, with kept features.

Tasks without a test of their own of it stand in one spec: two processes measure all in one start.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from renaissance.grammar.declaration import Share
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.runtime.tasks.cifar10.schema import Cifar10
from renaissance.runtime.tasks.classify.schema import Classify
from renaissance.runtime.tasks.entail.schema import Entail
from renaissance.runtime.tasks.glue.schema import Glue
from renaissance.runtime.tasks.nlvr.schema import Nlvr
from renaissance.runtime.tasks.refcoco.schema import RefCoco
from renaissance.runtime.tasks.regress.schema import Regress
from renaissance.runtime.tasks.snli_ve.schema import SnliVe
from tests.exams import check_same, draw, many_exams
from tests.published import write_snli_ve
from tests.published_glue import write_glue
from tests.published_referring import write_refcoco
from tests.runs import notices, run_in_two, train
from tests.tiny import write_nlvr

RELATIONS = ("contradiction", "neutral", "entailment")
TASKS = ("snli_ve", "glue", "glue_numbers", "cifar", "classify", "regress", "entail", "nlvr")


def asked(home: Path) -> dict[str, tuple[TaskBlock, str]]:
    """Write a folder for each task; return what is learned from it and measured."""
    glue, table = str(write_glue(home / "glue")), write_table(home / "own")
    own: dict[str, Any] = {"train": table, "test": table, "validation": Share(0.2)}
    return {
        "snli_ve": (SnliVe(root=str(write_snli_ve(home / "snli"))), "test"),
        "glue": (Glue(root=glue, subtask="rte"), "dev"),
        "glue_numbers": (Glue(root=glue, subtask="stsb"), "dev"),
        "cifar": (Cifar10(root=str(write_cifar(home / "cifar"))), "test"),
        "classify": (Classify(classes=3, text="hypothesis", **own), "test"),
        "regress": (Regress(**own), "test"),
        "entail": (Entail(**own), "test"),
        "nlvr": (Nlvr(root=str(write_nlvr(home / "nlvr"))), "test"),
        "refcoco": (RefCoco(root=str(write_refcoco(home / "refcoco"))), "testA"),
    }


def write_table(home: Path) -> str:
    """Write a table with something for each task of data of one's own."""
    lines = []
    for number in range(11):
        draw(home / f"{number}.png", (number * 20, 30, 60))
        row = {
            "image": f"{number}.png",
            "text": f"thing {number}",
            "premise": f"a thing {number}",
            "hypothesis": f"no thing {number}",
            "label": RELATIONS[number % 3],
            "target": number / 4,
        }
        lines.append(json.dumps(row) + "\n")
    (home / "rows.jsonl").write_text("".join(lines))
    return str(home / "rows.jsonl")


def write_cifar(root: Path) -> Path:
    """Write a folder of images for each class, three to learn from."""
    for number in range(37):
        split = "train" if number < 30 else "test"
        draw(root / split / f"class {number % 10}" / f"{number}.png", (6 * number, 40, 90))
    return root


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """Folders of the run of one process, and of one whose small evaluations two processes ran."""
    home = tmp_path_factory.mktemp("tasks")
    spec = many_exams(asked(home / "data"))
    few = [f"{name}_few" for name in TASKS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        train(spec, home / "one")
        shutil.copytree(home / "one", home / "two")
        for name in few:
            shutil.rmtree(home / "two" / name)
            (home / "two" / f"{name}.txt").unlink()
        run_in_two(spec, home / "two", *few)
    yield home / "one", home / "two"


@pytest.mark.parametrize("name", TASKS)
def test_batches_and_processes_change_nothing(runs: tuple[Path, Path], name: str) -> None:
    one, two = runs
    check_same(one / f"{name}_exam", one / f"{name}_few")
    check_same(one / f"{name}_exam", two / f"{name}_few")


@pytest.mark.parametrize("name", ["refcoco", "entail", "nlvr", "glue", "regress"])
def test_kept_features_change_nothing(runs: tuple[Path, Path], name: str) -> None:
    one, _ = runs
    check_same(one / f"{name}_exam", one / f"{name}_kept_exam")
    assert any("features of" in text for text in notices(one, f"{name}_kept_exam"))
    assert not any("features of" in text for text in notices(one, f"{name}_exam"))
