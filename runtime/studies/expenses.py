"""What costs of variants are called, and what is to be known of them, in sentences."""

from collections.abc import Iterator

from renaissance.compiler.amounts import amount, in_bytes, in_flops
from renaissance.runtime.studies.answer import Answer, Spent
from renaissance.runtime.studies.records import Costs

COUNTED = {
    "operations": "operations",
    "seconds": "time",
    "memory": "memory",
    "bytes_read": "bytes read",
    "energy": "energy",
}
"""What a stage may have counted, by its name among costs."""


ALIKE = 0.02
"""Share by which operations of a budget differ without a word."""


def unlike(variant: str, operations: float, baseline: str, allowed: float) -> str | None:
    """Say by how much a variant's operations differ from a budget; None if hardly at all."""
    apart = operations / allowed - 1 if allowed else 0.0
    if abs(apart) <= ALIKE:
        return None
    than = f"{abs(apart):.0%} {'more' if apart > 0 else 'fewer'} operations than {baseline}"
    return f"{variant}: {than} ({in_flops(operations)} to {in_flops(allowed)})"


def memory_of(costs: Costs) -> int | None:
    """Return the most memory: that of tensors on a GPU, else that of the process."""
    return costs.peak_device_memory or costs.peak_memory


def on_gpu(answer: Answer) -> bool:
    """Tell whether the memory of variants is that of tensors on a GPU."""
    return any(spent.costs.peak_device_memory is not None for spent in answer.spent)


def learning(spent: Spent) -> str:
    """Spell the parameters that learn in each training job; once where all are alike."""
    told = [amount(count) for count in spent.trainable.values()]
    return told[0] if len(set(told)) == 1 else " / ".join(told)


def not_counted(answer: Answer) -> tuple[str, ...]:
    """Return names of costs that no variant has; nothing of runs that are compared by themselves.

    Those count time alone.
    """
    known = [
        spent.costs.model_dump() | {"memory": memory_of(spent.costs)}
        for spent in answer.spent
        if spent.costs.operations is not None
    ]
    return tuple(name for name in COUNTED if known and all(of[name] is None for of in known))


def _beside_budget(answer: Answer) -> Iterator[str]:
    """Yield which variants did not spend what the baseline did, though the budget says so."""
    spent = {each.variant: each.costs.operations for each in answer.spent}
    allowed = spent.get(answer.baseline)
    if answer.budget != "flops" or allowed is None:
        return
    for variant, operations in spent.items():
        said = None if operations is None else unlike(variant, operations, answer.baseline, allowed)
        if said is not None:
            yield f"{said}; a budget gives whole steps, and validation is beside it"


def explained(
    answer: Answer, *, learns: str = "learning: parameters that learn", process: str = "process"
) -> Iterator[str]:
    """Yield what memory and parameters are meant, and what was not counted.

    Args:
        answer: whose costs are shown.
        learns: what the parameters that learn are called.
        process: heading of the memory of the process.
    """
    # What is not done of a variant has no number yet.
    jobs = max((tuple(spent.trainable) for spent in answer.spent), key=len, default=())
    if jobs:
        of = f", of {' / '.join(jobs)}" if len(jobs) > 1 else f" of {jobs[0]}"
        yield f"{learns} in the first step{of}"
    if on_gpu(answer):
        yield "memory: the most that tensors took at one time on the GPU"
    elif any(memory_of(spent.costs) is not None for spent in answer.spent):
        before = max((spent.costs.memory_before or 0 for spent in answer.spent), default=0)
        held = f", up to {in_bytes(before)} of it before a job began" if before else ""
        yield (
            f"{process}: the most memory that the process held, libraries and data in it{held}; "
            "what was planned is that of the tensors of a step alone, which is far less"
        )
    yield from _beside_budget(answer)
    missing = not_counted(answer)
    if missing:
        energy = " (no counter of this device can be read)" if "energy" in missing[-1:] else ""
        yield f"not counted: {', '.join(COUNTED[name] for name in missing)}{energy}"
