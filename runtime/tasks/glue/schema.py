"""Keys of the task `glue`."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.data import VALIDATION, PublishedPart, ResultFile, Split, TaskBlock
from renaissance.grammar.kinds.quantity import CORRELATION, NEGATIVE_ERROR, Quantity
from renaissance.runtime.tasks.glue.layout import LAYOUTS, Layout

METRICS = {
    "cola": ("matthews",),
    "mrpc": ("f1",),
    "qqp": ("f1",),
    "stsb": ("pearson", "spearman"),
}
"""What is measured beside the mean credit of a row, by task."""


class Glue(TaskBlock):
    """One of the tasks of GLUE, about one text or two. Source: Wang et al. 2019.

    There are no images: the spec says what stands in the place of one.
    """

    asks: ClassVar[tuple[str, ...]] = ("subtask",)
    quantities: ClassVar[Mapping[str, Quantity]] = {
        "negative_squared_error": NEGATIVE_ERROR,
        **dict.fromkeys(("matthews", "pearson", "spearman"), CORRELATION),
    }
    result_file: ClassVar[ResultFile] = ResultFile(
        form="the official TSV of the subtask, of which a zip is handed in: the header "
        "`index\tprediction`, then a line a row, classes as the published files spell them",
        line="0\t1",
        ids="its `index`, counted from 0 in the published file",
    )

    task: Literal["glue"] = "glue"
    root: str = key(
        doc="folder that holds `CoLA`, `SST-2`, `MRPC`, `QQP`, `STS-B`, `MNLI`, `QNLI`, `RTE`, "
        "`WNLI` and `diagnostic`, as published",
        impact="training",
        path="folder",
    )
    subtask: Literal["cola", "sst2", "mrpc", "qqp", "stsb", "mnli", "qnli", "rte", "wnli", "ax"] = (
        key(
            doc="which of them; `ax`: the diagnostic set, learned from MNLI",
            impact="weights",
            spelled="task",
        )
    )
    image: Literal["blank", "none"] = key(
        "blank",
        doc="what the model sees: `blank`: an image of one colour, the mean one of its encoder; "
        "`none`: nothing, and the head reads the text stream before the fusion",
        impact="weights",
    )
    validation: Share | Literal["dev"] = key(
        "dev",
        doc="`dev`, matched where there are two, selects the best checkpoint, or a share of the "
        "training rows",
        impact="training",
    )

    @property
    def layout(self) -> Layout:
        """Where its files lie."""
        return LAYOUTS[self.subtask]

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Names of the texts of a row, as the published files have them."""
        return self.layout.texts

    @property
    def image_columns(self) -> tuple[str, ...]:
        """None: rows have no image."""
        return ()

    @property
    def outputs(self) -> int:  # type: ignore[override]
        """Scores of an item."""
        return len(self.layout.classes) or 1

    @property
    def head_reads(self) -> Literal["pooled", "text"]:  # type: ignore[override]
        """What the head reads."""
        return "pooled" if self.image == "blank" else "text"

    @property
    def metric(self) -> str:  # type: ignore[override]
        """What the mean credit is called."""
        return "accuracy" if self.layout.classes else "negative_squared_error"

    @property
    def metrics(self) -> tuple[str, ...]:  # type: ignore[override]
        """The official ones beside the accuracy."""
        return METRICS.get(self.subtask, ())

    def splits(self) -> Mapping[str, Split]:
        """Return the published splits and `validation`."""
        share = self.validation if isinstance(self.validation, Share) else None
        train, dev, *others = self.layout.train
        return {
            train: Split(file=train, use="train", held_out=share),
            **{name: Split(file=name, use="report") for name in (dev, *others)},
            **{name: Split(file=name, use="report", labelled=False) for name in self.layout.tests},
            VALIDATION: Split(file=dev if share is None else train, use="select", held_out=share),
        }

    def path(self, file: str) -> Path:
        """Return where a split lies."""
        name = {**self.layout.train, **self.layout.tests}[file]
        beside = name.removeprefix("../")  # which does without the folder of the task
        return Path(self.root) / (beside if beside != name else f"{self.layout.folder}/{name}")

    def part(self, file: str) -> PublishedPart:
        """Return a part of the data."""
        path = self.path(file)
        return PublishedPart(dataset="glue", folder=path, split=file, texts=path)
