"""`renaissance score` of every task with nothing but what is right in the split that is measured.

No image lies anywhere, no other split, and nothing is loaded that no metric needs.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renaissance.grammar.kinds.registry import words
from tests import published_answers as lay

HEAVY = {"torch", "transformers", "timm", "tokenizers", "torchvision", "PIL"}
"""Libraries that no metric needs."""
RUN = """
import contextlib, io, json, sys
from renaissance.cli import main
for name, arguments in json.loads(sys.stdin.read()).items():
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
        code = main(arguments)
    print(json.dumps([name, code, out.getvalue(), sorted(sys.modules)]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A split that is measured by itself.

    Attributes:
        task: its word.
        split: its name.
        right: lays out what is right, and returns it by the names of rows.
        settings: keys of the task beside `root`, `ROOT` for the folder.
        form: of the file of predictions.
        leading: metrics that right predictions make 1.
    """

    task: str
    split: str
    right: lay.Layer
    settings: tuple[str, ...] = ()
    form: str = "lines"
    leading: tuple[str, ...] = ("accuracy",)

    @property
    def name(self) -> str:
        return " ".join([self.task, self.split, *self.settings])


def own(task: str, right: lay.Layer, *settings: str, leading: str = "accuracy") -> Case:
    """Data of one's own; nothing is said about what is learned."""
    said = ("test=ROOT/test.csv", "id=name", *settings)
    return Case(task=task, split="test", right=right, settings=said, leading=(leading,))


def subtask(name: str, right: lay.Layer, split: str = "dev", *leading: str) -> Case:
    found = leading or ("accuracy",)
    settings = (f"task={name}",)
    return Case(
        task="glue", split=split, right=right, settings=settings, form="tabs", leading=found
    )


SHARES = ("text_r@1", "image_r@1")
CASES = [
    Case(task="vqav2", split="val", right=lay.vqav2, form="answers", leading=("accuracy.other",)),
    Case(task="nlvr2", split="dev", right=lay.nlvr2, form="commas", leading=("consistency",)),
    Case(task="snli_ve", split="dev", right=lay.snli_ve),
    Case(task="refcoco", split="val", right=lay.referring("refcoco", "unc")),
    Case(task="refcoco_plus", split="val", right=lay.referring("refcoco+", "unc")),
    Case(task="refcocog", split="val", right=lay.referring("refcocog", "umd")),
    Case(task="retrieval", split="test", right=lay.retrieval("coco"), form="npz", leading=SHARES),
    Case(
        task="retrieval",
        split="test",
        right=lay.retrieval("flickr30k"),
        settings=("set=flickr30k",),
        form="npz",
        leading=SHARES,
    ),
    subtask("cola", lay.glue("CoLA"), "dev", "accuracy", "matthews"),
    subtask("sst2", lay.glue("SST-2")),
    subtask("mrpc", lay.mrpc, "dev", "accuracy", "f1"),
    subtask("qqp", lay.glue("QQP"), "dev", "accuracy", "f1"),
    subtask("stsb", lay.glue("STS-B"), "dev", "pearson", "spearman"),
    subtask("mnli", lay.glue("MNLI", "dev_matched.tsv"), "dev_matched"),
    subtask("mnli", lay.glue("MNLI", "dev_mismatched.tsv"), "dev_mismatched"),
    subtask("qnli", lay.glue("QNLI")),
    subtask("rte", lay.glue("RTE")),
    subtask("wnli", lay.glue("WNLI")),
    subtask("ax", lay.diagnostic, "diagnostic_full", "matthews"),
    Case(task="cifar10", split="test", right=lay.cifar(10)),
    Case(task="cifar100", split="test", right=lay.cifar(100)),
    own("classify", lay.table("label", "cat", "dog", "cat")),
    own("multilabel", lay.table("labels", "cat", "dog", "cat"), leading="precision@1"),
    own("regress", lay.table("target", 1.5, 2.5, 4.0), leading="pearson"),
    own("entail", lay.table("label", "neutral", "entailment")),
    Case(task="classify", split="test", right=lay.folders, settings=("test=ROOT/test",)),
    Case(task="easy_vqa", split="test", right=lay.easy_vqa),
    Case(task="nlvr", split="dev", right=lay.nlvr),
]


def predicted(folder: Path, form: str, right: lay.Right) -> Path:
    """Write a file that predicts what is right."""
    if form == "npz":
        texts = [number for mine in right.values() for number in mine]
        own = [image for image, mine in right.items() for _ in mine]
        scores = np.array([[one == image for one in own] for image in right], np.float32)
        np.savez(folder / "said.npz", scores=scores, image_ids=list(right), text_ids=texts)
        return folder / "said.npz"
    file = folder / "said"
    if form == "answers":
        said = [{"question_id": number, "answer": answer} for number, answer in right.items()]
        file.write_text(json.dumps(said))
        return file
    line = {
        "lines": lambda row, value: json.dumps({"id": row, "prediction": value}),
        "commas": lambda row, value: f"{row},{value}",
        "tabs": lambda row, value: f"{row}\t{value}",
    }[form]
    lines = [line(row, value) for row, value in right.items()]
    file.write_text("\n".join([*(["index\tprediction"] * (form == "tabs")), *lines]) + "\n")
    return file


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, set[str]]]:
    """What each command says, in one process that runs all of them: code, text, modules."""
    commands = {}
    for case in CASES:
        home = tmp_path_factory.mktemp("alone")
        root = home / "root"
        file = predicted(home, case.form, case.right(root))
        commands[case.name] = ["score", case.task, str(file), "--split", case.split]
        for setting in case.settings:
            commands[case.name] += ["--set", setting.replace("ROOT", str(root))]
        if not any("ROOT" in setting for setting in case.settings):
            commands[case.name] += ["--root", str(root)]
        commands[case.name] += ["--format", "json"]
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        check=True,
    )
    lines = map(json.loads, done.stdout.splitlines())
    return {name: (code, text, set(modules)) for name, code, text, modules in lines}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_only_what_is_right_is_needed(
    told: dict[str, tuple[int, str, set[str]]], case: Case
) -> None:
    code, text, modules = told[case.name]
    assert code == 0, text
    found: dict[str, Any] = json.loads(text)
    assert (found["task"], found["split"], found["remarks"]) == (case.task, case.split, [])
    for name in case.leading:
        assert found["metrics"][name] == pytest.approx(1)
    assert modules & HEAVY == set() and "pyarrow" in modules


def test_every_task_is_measured_by_itself() -> None:
    assert {case.task for case in CASES} == set(words("task"))
