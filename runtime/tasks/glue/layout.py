"""The published files of GLUE: where each task lies, and what its columns are called.

Source: gluebenchmark.com; Wang et al. 2019.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from renaissance.grammar.record import Record

PLAIN = MappingProxyType({"train": "train.tsv", "dev": "dev.tsv"})
TEST = MappingProxyType({"test": "test.tsv"})


class Layout(Record):
    """One task.

    Attributes:
        folder: that holds its files.
        file: what its file of predictions is called.
        texts: columns of one text, or of two.
        label: column of what is right.
        classes: by number; none where a number is wanted.
        numbered: whether files say classes by number.
        train: splits and files, first what is learned from, then what selects.
        tests: splits of which nobody knows what is right, and their files.
        header: columns of labelled files that do not name them.
        called: what a labelled file calls some columns instead, by split.
    """

    folder: str
    file: str
    texts: tuple[str, ...]
    label: str = "label"
    classes: tuple[str, ...] = ()
    numbered: bool = False
    train: Mapping[str, str] = PLAIN
    tests: Mapping[str, str] = TEST
    header: tuple[str, ...] | None = None
    called: Mapping[str, Mapping[str, str]] = MappingProxyType({})


PAIR = ("sentence1", "sentence2")
INFERENCE = ("entailment", "neutral", "contradiction")
DIAGNOSTIC = "../diagnostic/diagnostic.tsv"
DIAGNOSTIC_FULL = "../diagnostic/diagnostic-full.tsv"
"""The diagnostic set with labels, as super.gluebenchmark.com and its authors hand it out."""


def _plain(
    folder: str, texts: tuple[str, ...], classes: tuple[str, ...] = (), **rest: Any
) -> Layout:
    """Return a task whose predictions are called like its folder."""
    return Layout(folder=folder, file=folder, texts=texts, classes=classes, **rest)


def _inference(file: str, tests: Mapping[str, str]) -> Layout:
    """Return a task that is learned from MNLI."""
    return Layout(
        folder="MNLI",
        file=file,
        texts=PAIR,
        label="gold_label",
        classes=INFERENCE,
        train={
            "train": "train.tsv",
            "dev_matched": "dev_matched.tsv",
            "dev_mismatched": "dev_mismatched.tsv",
            "diagnostic_full": DIAGNOSTIC_FULL,
        },
        tests=tests,
        called={
            "diagnostic_full": {
                "sentence1": "Premise",
                "sentence2": "Hypothesis",
                "gold_label": "Label",
            }
        },
    )


LAYOUTS: Mapping[str, Layout] = {
    "cola": _plain(
        "CoLA",
        ("sentence",),
        ("unacceptable", "acceptable"),
        numbered=True,
        header=("source", "label", "mark", "sentence"),
    ),
    "sst2": _plain("SST-2", ("sentence",), ("negative", "positive"), numbered=True),
    "mrpc": _plain(
        "MRPC",
        ("#1 String", "#2 String"),
        ("not_equivalent", "equivalent"),
        label="Quality",
        numbered=True,
    ),
    "qqp": _plain(
        "QQP",
        ("question1", "question2"),
        ("not_duplicate", "duplicate"),
        label="is_duplicate",
        numbered=True,
    ),
    "stsb": _plain("STS-B", PAIR, label="score"),
    "mnli": _inference(
        "MNLI",
        {
            "test_matched": "test_matched.tsv",
            "test_mismatched": "test_mismatched.tsv",
            "diagnostic": DIAGNOSTIC,
        },
    ),
    "qnli": _plain("QNLI", ("question", "sentence"), ("entailment", "not_entailment")),
    "rte": _plain("RTE", PAIR, ("entailment", "not_entailment")),
    "wnli": _plain("WNLI", PAIR, ("not_entailment", "entailment"), numbered=True),
    "ax": _inference("AX", {"test": DIAGNOSTIC}),
}
"""By the name of the task. `ax`, the diagnostic set, is learned from MNLI."""
