"""What a run leaves behind as JSON: the lines of `log.jsonl` and the result of a job.

Training writes these records, reports read them. Readers ignore keys they do not know, so that a
report can be made of a folder that a later version has written.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

JobKind = Literal["pretrain", "finetune", "evaluate"]


class Record(BaseModel):
    """A JSON object; numbers that are not finite are written as strings, which JSON allows."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings")


class ParameterCounts(Record):
    """Parameters of a model, shared ones counted once."""

    total: int
    trainable: int


class Start(Record):
    """A process begins or resumes a job.

    Attributes:
        job: name of the job.
        spec_hash: identity of the resolved spec.
        versions: version by package name.
        device: what it runs on, in words.
        parameters: of the model with the job's heads.
        step: steps that were done before; 0 unless resumed.
        total_steps: length of the job, in steps.
        compiled: addresses of the layers that torch.compile runs.
    """

    event: Literal["start"] = "start"
    job: str
    spec_hash: str
    versions: dict[str, str] = {}
    device: str = ""
    parameters: ParameterCounts | None = None
    step: int = 0
    total_steps: int | None = None
    compiled: tuple[str, ...] = ()


class Step(Record):
    """Training steps since the line before.

    Attributes:
        step: steps done, this one included.
        loss: weighted sum of the losses.
        losses: loss by objective or head.
        metrics: metric by name, over the same texts.
        lr: learning rate before factors by address.
        gradient_norm: of the last step, before clipping; None where it was not measured.
        memory: most bytes that tensors have held on a GPU of the first process.
        texts_per_second: over all ranks.
        seconds: since the job began, time of resumed parts included.
    """

    event: Literal["step"] = "step"
    step: int
    loss: float
    losses: dict[str, float] = {}
    metrics: dict[str, float] = {}
    lr: float | None = None
    gradient_norm: float | None = None
    memory: int | None = None
    texts_per_second: float | None = None
    seconds: float | None = None


class Validate(Record):
    """Losses and metrics on held-out data after `step` steps."""

    event: Literal["validate"] = "validate"
    step: int
    losses: dict[str, float] = {}
    metrics: dict[str, float] = {}


class Checkpoint(Record):
    """A checkpoint was written; `path` starts from the job's folder."""

    event: Literal["checkpoint"] = "checkpoint"
    step: int
    path: str = ""


class Thaw(Record):
    """Parts of the model that were frozen learn from here on, by component address."""

    event: Literal["thaw"] = "thaw"
    step: int
    addresses: tuple[str, ...] = ()


class Unreadable(Record):
    """Images that were skipped because they are missing or damaged.

    Attributes:
        paths: the images, or the first of them.
        count: how many there are.
        images: images looked at, readable ones included.
    """

    event: Literal["unreadable"] = "unreadable"
    paths: tuple[str, ...] = ()
    count: int
    images: int | None = None


class Notice(Record):
    """Something that a person should know: what was taken over, passed over or started anew."""

    event: Literal["notice"] = "notice"
    text: str


class End(Record):
    """The job has done all its steps."""

    event: Literal["end"] = "end"
    step: int
    seconds: float | None = None


Event = Annotated[
    Start | Step | Validate | Checkpoint | Thaw | Unreadable | Notice | End,
    Field(discriminator="event"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)


class Choice(Record):
    """One of several things that were said.

    Attributes:
        text: which.
        probability: of it, 0 to 1; None where there is none.
        right: whether it is right; None where it is neither right nor wrong.
    """

    text: str
    probability: float | None = None
    right: bool | None = None


class Picture(Record):
    """A small picture as a data URI, and what it shows in a few words."""

    label: str
    image: str


class Prediction(Record):
    """One answered question.

    Attributes:
        image: path of the image.
        text: the question.
        answer: the true answer.
        prediction: the answer with the highest probability.
        probability: of the prediction, 0 to 1.
        explained: share of what was hidden that was told, below 0 where less than nothing; None
            where an answer is right or wrong.
        choices: what else was said, the best first.
        pictures: of what was hidden and told.
    """

    image: str
    text: str
    answer: str
    prediction: str
    probability: float | None = None
    explained: float | None = None
    choices: tuple[Choice, ...] = ()
    pictures: tuple[Picture, ...] = ()

    @property
    def correct(self) -> bool | None:
        """Whether the prediction is the true answer; None where there is no right and wrong."""
        return None if self.explained is not None else self.prediction == self.answer


class JobResult(Record):
    """What `result.json` of a finished job holds.

    Attributes:
        format: of the file; from 2 on it carries its own digest.
        spec_hash: identity of the experiment; empty where an earlier version wrote the file.
        job: name of the job.
        kind: what was done.
        split: part of the data that `metrics` were measured on.
        metrics: losses and metrics by name.
        rows: how many of the split they were measured on.
        intervals: by name of a metric, what holds it in 95 of 100 drawings of other images.
        majority_answer: the answer that is right most often where the model learned.
        majority: what this one answer would give by the same metrics, as far as that is defined.
        chance: what answers by chance would give.
        like_majority: metrics that are not distinguishable from those of this one answer.
        selected_by: the metric on `split` that selected the best checkpoint, or `loss`.
        best_step: step of the best checkpoint.
        weights: that were measured of a job with `average`: these, or the `last`; None elsewhere.
        predictions: file in the job's folder that has a row for each row of the split.
        seconds: time the job took.
        steps: training steps; 0 for an evaluation.
        texts_per_second: over all ranks.
        answers: names of the rows and columns of `confusion`.
        confusion: counts, a row for each true answer, a column for each predicted one; empty where
            there are many answers.
        confused: where there are many answers, those pairs of them that occur: numbers of the true
            and of the predicted answer, and how often.
        samples: some answered questions, for people to look at; of a pretraining items of its
            objectives, as the last weights answer them.
    """

    format: int = 2
    spec_hash: str = ""
    job: str
    kind: JobKind
    split: str | None = None
    metrics: dict[str, float] = {}
    rows: int | None = None
    intervals: dict[str, tuple[float, float]] = {}
    majority_answer: str | None = None
    majority: dict[str, float] = {}
    chance: dict[str, float] = {}
    like_majority: tuple[str, ...] = ()
    selected_by: str | None = None
    best_step: int | None = None
    weights: Literal["average", "last"] | None = None
    predictions: str | None = None
    seconds: float | None = None
    steps: int = 0
    texts_per_second: float | None = None
    answers: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    confused: tuple[tuple[int, int, int], ...] = ()
    samples: tuple[Prediction, ...] = ()
