"""The published files of GLUE: where each task lies, and what its columns are called.

Source: gluebenchmark.com; Wang et al. 2019.
"""

from collections.abc import Mapping

from renaissance.grammar.record import Record


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
    """

    folder: str
    file: str
    texts: tuple[str, ...]
    label: str = "label"
    classes: tuple[str, ...] = ()
    numbered: bool = False
    train: Mapping[str, str]
    tests: Mapping[str, str]


PLAIN = {"train": "train.tsv", "dev": "dev.tsv"}
TEST = {"test": "test.tsv"}
PAIR = ("sentence1", "sentence2")
MNLI = {
    "train": "train.tsv",
    "dev_matched": "dev_matched.tsv",
    "dev_mismatched": "dev_mismatched.tsv",
}
INFERENCE = ("entailment", "neutral", "contradiction")
DIAGNOSTIC = "../diagnostic/diagnostic.tsv"
DIAGNOSTIC_FULL = "../diagnostic/diagnostic-full.tsv"
"""The diagnostic set with labels, as super.gluebenchmark.com and its authors hand it out."""

LAYOUTS: Mapping[str, Layout] = {
    "cola": Layout(
        folder="CoLA",
        file="CoLA",
        texts=("sentence",),
        classes=("unacceptable", "acceptable"),
        numbered=True,
        train=PLAIN,
        tests=TEST,
    ),
    "sst2": Layout(
        folder="SST-2",
        file="SST-2",
        texts=("sentence",),
        classes=("negative", "positive"),
        numbered=True,
        train=PLAIN,
        tests=TEST,
    ),
    "mrpc": Layout(
        folder="MRPC",
        file="MRPC",
        texts=("#1 String", "#2 String"),
        label="Quality",
        classes=("not_equivalent", "equivalent"),
        numbered=True,
        train=PLAIN,
        tests=TEST,
    ),
    "qqp": Layout(
        folder="QQP",
        file="QQP",
        texts=("question1", "question2"),
        label="is_duplicate",
        classes=("not_duplicate", "duplicate"),
        numbered=True,
        train=PLAIN,
        tests=TEST,
    ),
    "stsb": Layout(
        folder="STS-B", file="STS-B", texts=PAIR, label="score", train=PLAIN, tests=TEST
    ),
    "mnli": Layout(
        folder="MNLI",
        file="MNLI",
        texts=PAIR,
        label="gold_label",
        classes=INFERENCE,
        train={**MNLI, "diagnostic_full": DIAGNOSTIC_FULL},
        tests={
            "test_matched": "test_matched.tsv",
            "test_mismatched": "test_mismatched.tsv",
            "diagnostic": DIAGNOSTIC,
        },
    ),
    "qnli": Layout(
        folder="QNLI",
        file="QNLI",
        texts=("question", "sentence"),
        classes=("entailment", "not_entailment"),
        train=PLAIN,
        tests=TEST,
    ),
    "rte": Layout(
        folder="RTE",
        file="RTE",
        texts=PAIR,
        classes=("entailment", "not_entailment"),
        train=PLAIN,
        tests=TEST,
    ),
    "wnli": Layout(
        folder="WNLI",
        file="WNLI",
        texts=PAIR,
        classes=("not_entailment", "entailment"),
        numbered=True,
        train=PLAIN,
        tests=TEST,
    ),
    "ax": Layout(
        folder="MNLI",
        file="AX",
        texts=PAIR,
        label="gold_label",
        classes=INFERENCE,
        train={**MNLI, "diagnostic_full": DIAGNOSTIC_FULL},
        tests={"test": DIAGNOSTIC},
    ),
}
"""By the name of the task. `ax`, the diagnostic set, is learned from MNLI."""
