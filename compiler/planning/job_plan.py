"""What is known of a job before it runs: memory, time, data, checkpoints, as data."""

from dataclasses import dataclass
from typing import Literal

from renaissance.compiler.planning.machines import Precision
from renaissance.compiler.planning.model_plan import Flops, ModelPlan
from renaissance.grammar.kinds.source import Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes on the device that trains, one process.

    Attributes:
        parameters: weights and buffers.
        optimizer: running averages of what learns.
        average: of the weights that learn, where the job has one.
        momentum: moving copies that are compared with, and queues of their vectors.
        gradients: of what learns, when all of them are there.
        inputs: images as bytes: of this pass and the next one, on a CPU those of the whole step.
        activations: what the forward pass of a micro-batch leaves for the backward pass.
        temporary: what comes on top of them at the peak, gradients that are there by then included.
        peak: most that lives at one time: all of these but `gradients`. What the C library or a
            caching allocator keeps of freed memory is not in it, nor are the scratch buffers of a
            library of products.
    """

    parameters: int
    optimizer: int
    average: int
    momentum: int
    gradients: int
    inputs: int
    activations: int
    temporary: int
    peak: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TowerRuns:
    """How often one tower runs in a pass.

    Attributes:
        stream: its name.
        rows: texts or images that it encodes.
        unshared: rows that it would encode if it ran once for each text and objective.
        modality: of what it encodes.
    """

    stream: str
    rows: int
    unshared: int
    modality: Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """What is computed once for several uses.

    Attributes:
        texts: texts of the pass that was counted.
        towers: how often each runs.
        forward: FLOPs per sample that running towers once saves in the forward pass.
        training: the same for forward and backward pass.
    """

    texts: int
    towers: tuple[TowerRuns, ...]
    forward: int
    training: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Time on a machine, a prediction.

    Attributes:
        step: seconds of one step; of an evaluation, of one batch.
        texts_per_second: texts of a step over its seconds.
        bound: what most of the time is spent on.
    """

    step: float
    texts_per_second: float
    bound: Literal["products", "memory", "launches"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Steps of a job in which the same parameters learn.

    Attributes:
        start: the first step, or the share of the run before it, as written; 0 at the start.
        steps: how many; None where the length of the run is unknown.
        trainable: numbers that learn.
        flops_per_sample: as `JobPlan` counts them.
        memory: of the device.
        speed: on a machine; None where none is named.
    """

    start: str | int
    steps: int | None
    trainable: int
    flops_per_sample: Flops
    memory: Memory
    speed: Speed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How long a job lasts.

    Attributes:
        steps: of the whole; None where the spec says epochs and the texts are not counted.
        seconds: None without steps or machine.
        missing: what to state so that both are known; empty where they are.
    """

    steps: int | None
    seconds: float | None
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Whether the data of a job come as fast as its fastest stage learns from them.

    Attributes:
        images_per_second: that the steps take.
        workers: processes that read.
        decoded_per_second: images that they are predicted to decode.
        wanted: workers that would decode as many as the steps take.
    """

    images_per_second: float
    workers: int
    decoded_per_second: float
    wanted: int

    @property
    def holds_back(self) -> bool:
        """Whether steps wait for data."""
        return self.decoded_per_second < self.images_per_second


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A checkpoint of a job.

    Attributes:
        bytes: of its tensors.
        seconds: that writing it takes; steps wait meanwhile.
        rate: bytes a second that the disk is supposed to write.
    """

    bytes: int
    seconds: float
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A change of a job after which its steps fit a machine.

    Attributes:
        change: as a spec says it.
        peak: bytes that the largest step needs with it.
        slowdown: time of the step over what it would be without the change.
    """

    change: str
    peak: int
    slowdown: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What freezing a tower of a job would save.

    Attributes:
        tower: its name.
        share: of the time, 0 to 1.
        seconds: of the whole run; None where its length is unknown.
        bytes: of the largest step.
    """

    tower: str
    share: float
    seconds: float | None
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Whether the largest step of a job fits a machine.

    Attributes:
        fits: whether it does.
        needed: bytes of its peak.
        room: bytes that are counted on.
        remedies: what would let it fit, best first; empty where it fits.
    """

    fits: bool
    needed: int
    room: int
    remedies: tuple[Remedy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """What an evaluation of all pairs of a split computes.

    Attributes:
        images: each is encoded once.
        texts: likewise.
        pairs: that go through the fusion.
        encoding: FLOPs of the towers.
        joining: FLOPs of the fusion and the head.
        products: FLOPs of the products of vectors of images and texts; 0 where none are compared.
        plain: FLOPs if every pair of all images and texts went through the whole model.
    """

    images: int
    texts: int
    pairs: int
    encoding: int
    joining: int
    products: int
    plain: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """A job and its model with heads.

    `model.flops_per_sample` counts what a step really does for one text: images that texts share
    are encoded once, texts once for each objective that changes them and once as they are, and
    heads are given the tokens that they ask for.

    Attributes:
        name: of the job.
        kind: what is done.
        model: with the heads and the freeze directives of the job, as the first step has them.
        batch: texts of a step.
        micro_batch: texts of a pass.
        texts_per_image: most texts about one image that come together.
        tokens: of each text.
        has_text: whether rows have a text; where they have none, its tokens are special ones.
        precision: of the passes.
        sharing: what is computed once for several uses.
        reads: what each head reads of the last fusion layer, a sentence each.
        unread: parts that no head reads; they are neither computed nor trained.
        stages: in order; more than one where something starts to learn later.
        run: how long it lasts.
        recomputes: whether repeated layers are computed again in the backward pass.
        fit: whether the peak of every stage fits the machine; None without one.
        reading: whether data come fast enough; None without a machine.
        checkpoint: what is written of it; None of an evaluation.
        begins: what its parts start from, a sentence each; of a job that starts from another one.
        search: what all pairs of a published split cost; None where rows are measured.
        rates: how learning rates fall with the depth of layers, a sentence each.
        average: which weights are measured, of a job that averages them; None elsewhere.
        compares: what it takes to compare all rows of a step, a sentence each.
        savings: what freezing each tower that learns would save; empty without a machine.
    """

    name: str
    kind: Literal["pretrain", "finetune", "evaluate"]
    model: ModelPlan
    batch: int
    micro_batch: int
    texts_per_image: int
    tokens: int
    precision: Precision
    sharing: Sharing
    reads: tuple[str, ...]
    unread: tuple[str, ...]
    stages: tuple[Stage, ...]
    run: Run
    recomputes: bool
    fit: Fit | None
    reading: Reading | None
    checkpoint: Stored | None
    begins: tuple[str, ...] = ()
    search: SearchPlan | None = None
    rates: tuple[str, ...] = ()
    average: str | None = None
    has_text: bool = True
    compares: tuple[str, ...] = ()
    savings: tuple[Saving, ...] = ()

    @property
    def peak(self) -> Stage:
        """The stage that needs most memory."""
        return max(self.stages, key=lambda stage: stage.memory.peak)
