"""What is done with a model: pretraining, fine-tuning, evaluation."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, WrapSerializer

from renaissance.grammar.declaration import Block, Minutes, Share, key
from renaissance.grammar.kinds.augmentation import AugmentationBlock
from renaissance.grammar.kinds.block import kind_key
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.head import Head
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.optimizer import MOST_STEPS, OptimizerBlock, ScheduleBlock

MOST_TEXTS = 1_000_000

Interval = Annotated[Share, Field(gt=0)] | Annotated[int, Field(ge=1, le=MOST_STEPS)]
"""Steps between two events, or their share of the run."""


def _augmentations(value: Any) -> Any:
    """Read a word, which stands for one augmentation with its defaults, or for none."""
    if isinstance(value, str):
        return () if value == "none" else ({"augment": value},)
    return tuple(value) if isinstance(value, list) else value


def augmentation_word(augment: tuple[AugmentationBlock, ...]) -> str | None:
    """Return the word that stands for one augmentation with its defaults, or none; or None."""
    if not augment:
        return "none"
    alone = len(augment) == 1 and augment[0] == type(augment[0])()
    return augment[0].word() if alone else None


def _dumped(augment: tuple[AugmentationBlock, ...], dump: SerializerFunctionWrapHandler) -> Any:
    word = augmentation_word(augment)
    return dump(augment) if word is None else word


Augment = Annotated[
    tuple[AugmentationBlock, ...], BeforeValidator(_augmentations), WrapSerializer(_dumped)
]


class Training(Block):
    """What pretraining and fine-tuning have in common."""

    name: str = key(doc="what later jobs call it", impact="cosmetic")
    source: str | None = key(
        None, doc="the job whose best weights it starts from", impact="training", name=True
    )
    on: str = key(doc="the model; the source's where there is one", impact="weights", name=True)
    optimizer: OptimizerBlock = key(doc="how weights follow gradients", impact="training")
    scale_lr: dict[str, Annotated[float, Field(ge=0, le=10_000)]] = key(
        {},
        doc="factor on the learning rate by component address, slices of layers and kinds of "
        "parameters included; where two overlap, the one with more parts counts",
        impact="training",
    )
    decay_lr: dict[str, Annotated[float, Field(gt=0, le=1)]] = key(
        {},
        doc="factor on the learning rate from each layer to the one below it, by stream or fusion: "
        "1 behind the last layer, the factor in the last, its square in the one before, the least "
        "in what stands in front of them, as embeddings do; multiplied with that of `scale_lr`",
        impact="training",
    )
    schedule: ScheduleBlock = kind_key(
        "schedule", "linear", doc="learning rate over the run", impact="training"
    )
    batch: int = key(
        doc="texts a step, over all ranks and micro-batches",
        impact="training",
        unit="texts",
        ge=1,
        le=MOST_TEXTS,
    )
    micro_batch: int | None = key(
        None,
        doc="texts a forward pass on one rank; the whole share of the rank if absent",
        impact="cosmetic",
        unit="texts",
        ge=1,
        le=MOST_TEXTS,
    )
    texts_per_image: int = key(
        1,
        doc="texts about the same image that a batch takes together, up to this many; the image is "
        "encoded once for all of them",
        impact="training",
        unit="texts",
        ge=1,
        le=MOST_TEXTS,
    )
    steps: int | None = key(
        None,
        doc="length of the run; this or `epochs`",
        impact="training",
        unit="steps",
        ge=1,
        le=MOST_STEPS,
    )
    epochs: int | None = key(
        None,
        doc="passes over the data; this or `steps`",
        impact="training",
        unit="epochs",
        ge=1,
        le=1_000_000,
    )
    precision: Literal["fp32", "bf16", "fp16"] = key(
        "fp32", doc="of the forward and backward pass; weights stay float32", impact="training"
    )
    shard: Literal["none", "full"] = key(
        "none",
        doc="under several processes: each holds all weights, or a part of those that learn, of "
        "their gradients and averages",
        impact="cosmetic",
    )
    compile: Literal["none", "layers"] = key(
        "none",
        doc="`layers`: each repeated layer of towers and fusion through torch.compile; the same "
        "mathematics with other last digits",
        impact="cosmetic",
    )
    recompute: Literal["none", "layers", "auto"] = key(
        "none",
        doc="`layers`: each repeated layer of towers and fusion is computed again in the backward "
        "pass, so that only what goes into it is kept: the same gradients with less memory and "
        "more time; `auto`: where a step would not fit the machine otherwise",
        impact="cosmetic",
    )
    clip: float | None = key(
        1.0,
        doc="largest norm of the gradient; `none`: no clipping",
        impact="training",
        gt=0,
        le=1_000_000_000,
    )
    average: float | None = key(
        None,
        doc="share that each step leaves of a running average of the weights, such as 0.999, less "
        "in the first steps; validations, evaluations and jobs that start from this one take the "
        "average; without one, they take the weights",
        impact="training",
        gt=0,
        lt=1,
    )
    augment: Augment = key(
        (), doc="random changes of training images, one after the other", impact="training"
    )
    seed: int = key(
        0, doc="of initialisation, order and dropout", impact="training", ge=0, le=2**32 - 1
    )
    validate_every: Interval = key(
        Share(0.1), doc="steps between validations, or their share of the run", impact="eval"
    )
    checkpoint_every: Interval | Minutes = key(
        Share(0.1),
        doc="steps between checkpoints, their share of the run, or a time by the clock",
        impact="cosmetic",
    )
    keep: int = key(2, doc="checkpoints kept besides the best", impact="cosmetic", ge=1, le=1000)
    workers: Annotated[int, Field(ge=0, le=1024)] | Literal["auto"] = key(
        "auto",
        doc="processes that read data for each training process; `auto`: on a GPU one a core but "
        "one, 16 at most and no more than `/dev/shm` has room for, on a CPU none",
        impact="cosmetic",
    )


class Pretrain(Training):
    """Learn from image-text pairs, with a model as it is initialised or from another job."""

    job: Literal["pretrain"] = "pretrain"
    data: tuple[str, ...] = key(
        doc="names of the data blocks", impact="training", name=True, min_length=1
    )
    objectives: tuple[ObjectiveBlock, ...] = key(
        doc="what is learned, one of each kind", impact="weights", min_length=1
    )
    validation: Share = key(
        Share(0.02), doc="share of the images held out to measure the losses on", impact="training"
    )

    def heads(self) -> tuple[Head, ...]:
        """Return the heads that the job trains."""
        found = (objective.head() for objective in self.objectives)
        return tuple(head for head in found if head is not None)


class Finetune(Training):
    """Learn a task, from a job or from a model as it is initialised."""

    job: Literal["finetune"] = "finetune"
    task: TaskBlock = key(doc="what is learned", impact="weights")
    select: str | None = key(
        None,
        doc="metric on the held-out data that selects the best checkpoint, or `loss`; the mean "
        "credit of a row, mostly called `accuracy`, if absent",
        impact="training",
        name=True,
    )

    @property
    def selects_by(self) -> str:
        """What selects the best checkpoint."""
        return self.task.metric if self.select is None else self.select

    def heads(self) -> tuple[Head, ...]:
        """Return the heads that the job trains."""
        return (self.task.head(),)


class Evaluate(Block):
    """Measure a trained model."""

    job: Literal["evaluate"] = "evaluate"
    name: str = key(doc="what reports call it", impact="cosmetic")
    of: str = key(
        doc="the job whose best weights are measured: a fine-tuning by its task, a pretraining by "
        "its objectives",
        impact="eval",
        name=True,
    )
    task: TaskBlock | None = key(
        None,
        doc="a task that a pretraining is measured by as it is: without learning it, by how well "
        "texts go with images",
        impact="eval",
    )
    split: str = key(
        "test",
        doc="which part of the task's data; of a pretraining without a task `validation`, what it "
        "holds out",
        impact="eval",
        name=True,
    )
    weights: Literal["average", "last"] = key(
        "average",
        doc="which weights are measured of a job that has an `average`: the average, or those of "
        "its best checkpoint as they are; a job without one has only these",
        impact="eval",
    )
    trained_on: Literal["refuse", "allow"] = key(
        "refuse",
        doc="what to do about rows that the model was trained on: `allow` measures them, to see "
        "how well it fits them",
        impact="eval",
    )
    batch: int = key(
        256,
        doc="texts a forward pass; a pretraining that compares the rows of a batch is measured in "
        "the batches of its own validations",
        impact="cosmetic",
        unit="texts",
        ge=1,
        le=MOST_TEXTS,
    )
    write: str | None = key(
        None,
        doc="file for the predictions, from the folder of the run on; none if absent. What it is "
        "depends on the task: its official file where there is one, else JSON Lines of `id` and "
        "`prediction`; `renaissance explain TASK` says which",
        impact="cosmetic",
    )


Job = Annotated[Pretrain | Finetune | Evaluate, Field(discriminator="job")]
