"""What a job takes from disks and gives to them: images for its steps, and checkpoints."""

from math import ceil

from torch import nn

from renaissance.compiler.expected import images_read
from renaissance.compiler.freeze import FreezePlan
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.planning.job_plan import Reading, Stage, Stored
from renaissance.compiler.planning.machines import AUTO_WORKERS, WRITE_RATE, Machine
from renaissance.grammar.schema.jobs import Finetune, Job, Pretrain
from renaissance.grammar.schema.model import Model


def reading(
    job: Job, training: Pretrain | Finetune, stages: list[Stage], machine: Machine
) -> Reading:
    """Predict whether the data of a job come as fast as its fastest stage takes them.

    Args:
        job: what is done.
        training: the job whose heads the model has.
        stages: of the job, with their speeds.
        machine: whose cores decode.
    """
    step = min(stage.speed.step for stage in stages if stage.speed is not None)
    needed = images_read(job, training) / step
    auto = AUTO_WORKERS[machine.device]
    workers = auto if training.workers == "auto" else training.workers
    # Without workers the process that trains reads as well, between its steps.
    each = 1 / machine.decode
    decoded = max(workers, 1) * each
    return Reading(
        images_per_second=needed,
        workers=workers,
        decoded_per_second=decoded,
        wanted=ceil(needed / each),
    )


def stored(
    model: VisionLanguageModel,
    declared: Model,
    resolved: FreezePlan,
    length: int,
    averages: int,
    momentum: int,
    machine: Machine | None,
) -> Stored:
    """Predict the size of a checkpoint at the end of a job, when most learns.

    Args:
        model: with the heads of the job.
        declared: its declaration.
        resolved: what is frozen when.
        length: steps of the job.
        averages: that the optimizer keeps of each number that learns.
        momentum: bytes of moving copies and queues.
        machine: whose disk keeps it; an assumed one if None.
    """
    never = frozenset(resolved.frozen(length - 1, length))
    given = _pretrained(declared, model)
    seen: set[int] = set()
    size = momentum
    for name, part in model.state_dict(keep_vars=True).items():
        if id(part) in seen:
            continue
        seen.add(id(part))
        learns = isinstance(part, nn.Parameter) and name not in never
        # Frozen weights that are as a pretrained encoder gives them are stored as a reference.
        if learns or not name.startswith(given):
            # What is held in low precision meanwhile is stored as it was.
            width = 4 if part.is_floating_point() else part.element_size()
            size += part.numel() * width * (1 + averages * learns)
    rate = WRITE_RATE if machine is None else machine.written
    return Stored(bytes=size, seconds=size / rate, rate=rate)


def _pretrained(declared: Model, model: VisionLanguageModel) -> tuple[str, ...]:
    """Return how the names of weights that come from pretrained encoders begin."""
    found = [
        f"streams.{name}."
        for name, stream in declared.streams.items()
        if name in model.towers and stream.weights_of is not None
    ]
    stack = declared.fusion.stack
    if stack is not None and stack.weights_of is not None:
        found.append("fusion.encoder.")
    return tuple(found)
