"""Formats of image-text pairs, and tasks: what data are read from and how they are split."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.head import Form, Head
from renaissance.grammar.kinds.quantity import Quantity
from renaissance.grammar.kinds.registry import KindError
from renaissance.grammar.kinds.remark import Remark
from renaissance.grammar.paths import resolved, same_content, sizes
from renaissance.grammar.record import Record

VALIDATION = "validation"
"""Name of the split that selects the best checkpoint."""


LOSS = "loss"
"""Selects the best checkpoint where a job asks for the smallest loss."""


class PublishedPart(Record):
    """A part of a published data set, as a file names it.

    Attributes:
        dataset: its name, the same in whatever format or task it is read.
        folder: that holds the part; None where it cannot be found.
        split: name of the part.
        texts: the file with its texts; None where that is not known.
        installed: whether it is part of an installed package, so that it is as it was published.
    """

    dataset: str
    folder: Path | None
    split: str
    texts: Path | None = None
    installed: bool = False


def apart(one: PublishedPart | None, other: PublishedPart | None) -> bool:
    """Tell whether two parts are known to share nothing: other parts of one installed set."""
    if one is None or other is None or not (one.installed and other.installed):
        return False
    return one.dataset == other.dataset and one.split != other.split


def same_part(one: PublishedPart | None, other: PublishedPart | None) -> bool:
    """Tell whether two parts are the same data: one folder under two names, or one a copy."""
    return likeness(one, other) is not None


def likeness(one: PublishedPart | None, other: PublishedPart | None) -> str | None:
    """Say by what two parts are found to be the same data; None where they are not.

    A copy has the same texts, and images of the same names and sizes.
    """
    if one is None or other is None or one.dataset != other.dataset:
        return None
    if one.folder is None or other.folder is None:
        same = one.folder == other.folder and one.split == other.split
        return f"both are `{one.split}` of {one.dataset}" if same else None
    if one.folder == other.folder:
        return "both are read from the same place"
    if resolved(one.folder) == resolved(other.folder):
        return f"`{one.folder}` and `{other.folder}` are one place"
    if same_content(one.texts, other.texts) and (
        sizes(one.folder / "images") == sizes(other.folder / "images")
    ):
        return (
            f"the content is the same: the texts of `{one.folder}` are those of `{other.folder}`, "
            "byte for byte, and images have the same names and sizes"
        )
    return None


class Split(Record):
    """Where the rows of a split come from.

    Attributes:
        file: the part of the published data set that it is cut from.
        use: what it may be used for.
        held_out: share of the file's images that are held out for `validation`; the split is that
            share if its use is `select`, and the rest if it is `train`. None: all of the file.
        labelled: whether what is wanted is known; if not, it can be predicted but not measured.
    """

    file: str
    use: Literal["train", "select", "report"]
    held_out: Share | None = None
    labelled: bool = True


class ResultFile(Record):
    """What an evaluation writes where it says `write`, and `renaissance score` reads.

    Attributes:
        form: what the file is, such as `JSON Lines, a line a row`.
        line: one row of it, as an example; None for a file that is no text.
        ids: what rows are called in it.
        more: what a line may say besides its prediction, without which there are fewer metrics:
            `probabilities` of all classes by their names, or the `best` classes, the best first.
    """

    form: str = "JSON Lines, a line a row"
    line: str | None = '{"id": 0, "prediction": "…"}'
    ids: str = "the number of the row in the order of the files, counted from 0"
    more: Literal["probabilities", "best"] | None = None

    @property
    def described(self) -> str:
        """The same in a sentence without its end."""
        line = "" if self.line is None else f", such as `{self.line}`"
        return f"{self.form}{line}; a row is called by {self.ids}"


class AllPairs(Record):
    """A split of which every image is scored with every text.

    Attributes:
        images: how many.
        texts: how many.
        scored: pairs that are scored in full, at most; the others by less.
        chosen: those are chosen by vectors where a model has these, and scored by a head.
    """

    images: int
    texts: int
    scored: int
    chosen: bool = True


class Readable(KindBlock):
    """What every set of images has."""

    says_sides: ClassVar[bool] = False
    """Its texts are known to say what is left and what is right in an image."""

    max_unreadable: Share = key(
        Share(0.01),
        doc="share of missing or damaged images up to which they are skipped; beyond it, stop",
        impact="training",
    )

    def remarks(self) -> Iterable[Remark]:
        """Return what is wrong with its keys."""
        return ()


class FormatBlock(Readable):
    """Image-text pairs to pretrain on. Facets: `reader.py`, and `how.py` for published sets."""

    family: ClassVar[str] = "format"

    weight: float = key(
        1.0,
        doc="how often each text comes in an epoch of the jobs that learn from it: 2 twice, 0.5 in "
        "every other epoch",
        impact="training",
        gt=0,
        le=1000,
    )
    exclude: tuple[str, ...] = key(
        (),
        doc="evaluations whose images are left out, whatever they are called here; of a "
        'fine-tuning, the images that select its best checkpoint, and `"JOB.SPLIT"` is any split '
        "of its task",
        impact="training",
        name=True,
    )

    @property
    def part(self) -> PublishedPart | None:
        """The part of a published data set that it holds; None for data of one's own."""
        return None

    def same_pairs(self, other: "FormatBlock") -> bool:
        """Tell whether another block holds the same pairs."""
        return same_part(self.part, other.part)


class TaskBlock(Readable):
    """What is learned and measured, with its data.

    Facets: `reader.py`; `loss.py`, `metric.py`, `head.py` and `result.py` where it needs other ones
    than those of a classification; `how.py` for published sets.
    """

    family: ClassVar[str] = "task"
    metric: ClassVar[str] = "accuracy"
    """The mean credit of rows, which selects the best checkpoint where a job says nothing else."""
    metrics: ClassVar[tuple[str, ...]] = ()
    """What else of `metric.py` a checkpoint can be selected by, larger is better."""
    reported: ClassVar[tuple[str, ...]] = ()
    """What else an evaluation measures."""
    quantities: ClassVar[Mapping[str, Quantity]] = {}
    """What its metrics are, by name: which way is better, their unit, where they can lie. Others
    are shares where their name says so, as that of an accuracy does, and more of them is better."""
    asks: ClassVar[tuple[str, ...]] = ()
    """Keys that say what is asked where it is measured: metrics under other values of them answer
    another question."""
    searches: ClassVar[bool] = False
    """An evaluation scores every image with every text, and measures `reported` alone."""
    head_form: ClassVar[Form] = "mlp"
    head_reads: ClassVar[Literal["pooled", "text"]] = "pooled"
    views: ClassVar[int] = 1
    """Images that are looked at for one answer."""
    crops: ClassVar[bool] = False
    """Images are parts of photographs, cut out of their pixels."""
    numbers: ClassVar[int] = 0
    """Numbers of each pair, such as where a box lies, that its head reads beside a vector."""
    outputs: ClassVar[int]
    """Answers."""
    inherits: ClassVar[tuple[str, int] | None] = None
    """The output of another head that its head starts from; see `Head`."""
    has_text: ClassVar[bool] = True
    """Rows have a text; where they have none, the model gets special tokens alone."""
    result_file: ClassVar[ResultFile] = ResultFile()
    """What is predicted, in a file."""
    zero_shot: ClassVar[bool] = False
    """It can be measured by how well texts go with images, by a model that never learned it."""
    zero_shot_keys: ClassVar[tuple[str, ...]] = ()
    """Keys that only count where it is measured so."""
    open_splits: ClassVar[bool] = False
    """Splits are named by what lies in a folder, so that only the data know them all."""
    split_keys: ClassVar[tuple[str, ...]] = ()
    """Keys that say where the split of their name lies, which exists where they are said."""
    learning_keys: ClassVar[Mapping[str, str]] = {}
    """Keys without a default that only count where it is learned, and what a file could say in
    their place where nothing but predictions of another split is measured."""

    needed_to_learn: ClassVar[tuple[str, ...]] = ()
    """Keys that have to be set where it is learned, and may be left out where it is measured."""

    @classmethod
    def head_name(cls) -> str:
        """Return the name of its head."""
        return "answer"

    def known_from(self, split: str) -> str:
        """Return the split from which its answers are known where one is measured, none learned."""
        return split

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Names of the texts of a row that a trained model is asked about: none, one or two."""
        return ("text",) if self.has_text else ()

    @property
    def image_columns(self) -> tuple[str, ...]:
        """Names of its images: as many as are looked at for one answer, or none."""
        if self.views == 1:
            return ("image",)
        return tuple(f"image_{number}" for number in range(1, self.views + 1))

    def selectable(self) -> tuple[str, ...]:
        """Return what can select the best checkpoint."""
        return (self.metric, *self.metrics, LOSS)

    def evaluated(self) -> tuple[str, ...]:
        """Return what an evaluation measures, as far as this is known without the data."""
        return self.reported if self.searches else (*self.selectable(), *self.reported)

    def head(self) -> Head:
        """Return the head that it reads."""
        return Head(
            name=self.head_name(),
            reads=self.head_reads,
            form=self.head_form,
            outputs=self.outputs,
            views=self.views,
            numbers=self.numbers,
            inherits=self.inherits,
        )

    def pairs(self, split: str) -> AllPairs | None:
        """Return what is scored of a published split where that is every image with every text."""
        return None

    def every_pair(self, images: int, texts: int) -> AllPairs | None:
        """Return what is scored of so many images and texts where that is each with each."""
        return None

    def unlearned_pairs(self, split: str) -> AllPairs | None:
        """Return what is scored of a published split where the task was not learned."""
        return self.pairs(split)

    def splits(self) -> Mapping[str, Split]:
        """Return the splits that are known without the data, by name.

        Where the task is learned, `train` is one of them.
        """
        raise NotImplementedError

    @property
    def learned(self) -> Split:
        """Return where the rows that are learned from come from.

        Raises:
            KindError: if the task names no split `train`.
        """
        found = self.splits().get("train")
        if found is None:
            raise KindError(
                f"the task `{self.word()}` has no split `train`", "`splits` has to name it"
            )
        return found

    def split(self, name: str) -> Split | None:
        """Return where a split comes from; None if there is no such split."""
        found = self.splits().get(name)
        if found is None and self.open_splits:
            return Split(file=name, use="report")
        return found

    def part(self, file: str) -> PublishedPart | None:
        """Return a part of the published data set; None for data of one's own."""
        return None
