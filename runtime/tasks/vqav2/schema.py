"""Keys of the task `vqav2`, and where its published files lie."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.data import PublishedPart, ResultFile, Split, TaskBlock
from renaissance.runtime.tasks.splits import with_validation

SUBSETS: Mapping[str, str] = {
    "train": "train2014",
    "val": "val2014",
    "test": "test2015",
    "test_dev": "test-dev2015",
}
"""Splits, and what the files call them."""

LABELLED = ("train", "val")
"""Splits whose annotations are published."""

TRAIN_VAL = "train_val"


class Vqav2(TaskBlock):
    """Open questions about photographs. Source: Goyal et al. 2017, VQA v2."""

    called: ClassVar[tuple[str, ...]] = ("vqa", "vqa2", "vqa_v2")
    metric: ClassVar[str] = "soft_accuracy"
    says_sides: ClassVar[bool] = True
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)
    result_file: ClassVar[ResultFile] = ResultFile(
        form="the official JSON list, one entry for each question (EvalAI)",
        line='[{"question_id": 262148000, "answer": "down"}]',
        ids="its `question_id`",
    )

    task: Literal["vqav2"] = "vqav2"
    root: str = key(
        doc="folder that holds the files of questions and annotations, and the images in "
        "`train2014`, `val2014` and `test2015`",
        impact="training",
        path="folder",
    )
    train: Literal["train", "train_val"] = key(
        "train", doc="what is learned from; `train_val`: both annotated splits", impact="training"
    )
    validation: Share | Literal["val"] = key(
        "val",
        doc="split that selects the best checkpoint, or a share of the images that are learned "
        "from",
        impact="training",
    )
    answers: int = key(
        3129,
        doc="most answers that can be given; of more that occur often enough the most frequent "
        "ones",
        impact="weights",
        unit="answers",
        ge=1,
        le=1_000_000,
    )
    min_count: int = key(
        9,
        doc="questions of both annotated splits that an answer is the main one of, at least, to be "
        "one that can be given",
        impact="training",
        unit="questions",
        ge=1,
        le=1_000_000,
    )
    credit: Literal["raw", "normalised"] = key(
        "raw",
        doc="what an annotator's answer is compared with the answers that can be given as: `raw`: "
        "as it is spelled, `normalised`: as the official evaluation spells it",
        impact="training",
    )

    @property
    def outputs(self) -> int:  # type: ignore[override]
        """Answers that can be given."""
        return self.answers

    def splits(self) -> Mapping[str, Split]:
        """Return the published splits and `validation`: `val`, or a share of what is learned."""
        published = {
            "val": Split(file="val", use="report"),
            "test": Split(file="test", use="report", labelled=False),
            "test_dev": Split(file="test_dev", use="report", labelled=False),
        }
        return with_validation(self.validation, published, train=self.train)

    def part(self, file: str) -> PublishedPart:
        """Return a part of the data; both annotated splits hold what `val` does."""
        split = "val" if file == TRAIN_VAL else file
        return PublishedPart(
            dataset="vqav2",
            folder=images_of(self.root, split),
            split=split,
            texts=questions_of(self.root, split),
        )


def questions_of(root: str, split: str) -> Path:
    """Return the file with the questions of a split."""
    return Path(root) / f"v2_OpenEnded_mscoco_{SUBSETS[split]}_questions.json"


def annotations_of(root: str, split: str) -> Path:
    """Return the file with the answers to the questions of a split."""
    return Path(root) / f"v2_mscoco_{SUBSETS[split]}_annotations.json"


def images_of(root: str, split: str) -> Path:
    """Return the folder of the images of a split."""
    return Path(root) / SUBSETS[split].replace("-dev", "")
