"""What a model says to the rows of a split: what `metric.py` measures and `result.py` writes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from renaissance.runtime.data.table import Table
from renaissance.runtime.data.targets import Targets
from renaissance.runtime.tasks.means import Mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What a search among all images and texts of a split found.

    Attributes:
        metrics: by name.
        means: what those of them that are means are the means of.
        chance: what the same metrics are where all pairs score the same.
        scores: `[images, texts]` float32, on the disk; None in other processes than the first one.
        images: names of the images.
        texts: numbers of the texts.
        sentence: what was computed.
    """

    metrics: Mapping[str, float]
    means: Mapping[str, Mean]
    chance: Mapping[str, float]
    scores: np.ndarray | None
    images: tuple[str, ...]
    texts: tuple[int, ...]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Rows of a split with what is predicted for each of them.

    Attributes:
        table: that the rows are of.
        asked: `[asked]` int64, ascending: the rows of the split.
        rows: `[n]` int64, ascending: those whose images could be read, each once.
        predictions: `[n]` int64 classes, or places among the candidates of a row; float32 numbers
            where these are predicted; `[n, 4]` float64 boxes where a file gives them.
        probabilities: `[n]` float32, of the predictions; NaN where there are none.
        answers: names of the classes; empty where they have none.
        targets: what is right for each row of the table; None where nobody knows.
        more: `[n, …]`, what else `predict` of the task says of each row; None where it says no
            more, or predictions come from a file.
        searched: where answers were found among all images and texts of the split.
    """

    table: Table
    asked: np.ndarray
    rows: np.ndarray
    predictions: np.ndarray
    probabilities: np.ndarray
    answers: tuple[str, ...]
    targets: Targets | None
    more: np.ndarray | None = None
    searched: Searched | None = None

    def __len__(self) -> int:
        """Return how many rows were answered."""
        return len(self.rows)

    def column(self, name: str) -> list[Any]:
        """Return what the reader said of each answered row, such as its `id`; also `text`."""
        found: list[Any] = self.table.column(name).take(pa.array(self.rows)).to_pylist()
        return found

    def column_of_asked(self, name: str) -> list[Any]:
        """Return the same of each row of the split, those without an answer too."""
        found: list[Any] = self.table.column(name).take(pa.array(self.asked)).to_pylist()
        return found

    def of_asked(self, values: np.ndarray, absent: float = 0) -> np.ndarray:
        """Return values `[n]` of the answered rows for all rows `[asked]`; `absent` for others."""
        found = np.full(len(self.asked), absent, values.dtype)
        found[np.searchsorted(self.asked, self.rows)] = values
        return found

    def in_words(self, place: int) -> str:
        """Return one prediction in words."""
        prediction = self.predictions[place].item()
        return self.answers[prediction] if self.answers else str(prediction)

    @property
    def said(self) -> list[str]:
        """The predictions in words."""
        return [self.in_words(place) for place in range(len(self))]

    @property
    def credit(self) -> np.ndarray | None:
        """`[n]` float32: 1 for a right prediction, 0 for a wrong one, or a share; None if unknown.

        Rows of which nobody knows what is right have none either; see `measured`.
        """
        return None if self.targets is None else self.targets.credit(self.rows, self.predictions)

    @property
    def measured(self) -> "Answered":
        """The rows of which it is known what is right."""
        return self.within(self.table.labelled)

    def within(self, chosen: np.ndarray) -> "Answered":
        """Return those of the rows that are chosen: `[rows of the table]` bool."""
        kept = chosen[self.rows]
        return replace(
            self,
            asked=self.asked[chosen[self.asked]],
            rows=self.rows[kept],
            predictions=self.predictions[kept],
            probabilities=self.probabilities[kept],
            more=None if self.more is None else self.more[kept],
        )

    def saying(self, predictions: np.ndarray) -> "Answered":
        """Return the same rows with other predictions, of which nothing else is known."""
        unknown = np.full(len(self), np.nan, np.float32)
        return replace(self, predictions=predictions, probabilities=unknown, more=None)

    @property
    def scenes(self) -> np.ndarray:
        """`[asked]` int64: the scene of the image of each row of the split, or of the first one."""
        found: np.ndarray = self.table.scene_of_row[self.asked, 0]
        return found

    @property
    def missing(self) -> np.ndarray:
        """`[missing]` int64: rows of the split that have no answer, for want of an image."""
        return np.setdiff1d(self.asked, self.rows)
