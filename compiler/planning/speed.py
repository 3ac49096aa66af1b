"""Time of a step on a machine: a roofline over its operations.

An operation takes the longer of two times: its products at the machine's peak, or what it reads and
writes at the bandwidth, each at the assumed efficiency. The host launches operations one after the
other meanwhile; a step takes the longer of both sums. Source: Williams et al. 2009, Roofline.
"""

from collections.abc import Iterable

from renaissance.compiler.planning.job_plan import Memory, Speed
from renaissance.compiler.planning.machines import Machine, Precision
from renaissance.compiler.planning.tracing import Kernel


def speed_of(
    machine: Machine,
    kernels: Iterable[Kernel],
    memory: Memory,
    *,
    precision: Precision,
    passes: int,
    texts: int,
) -> Speed:
    """Return the time of a step.

    Args:
        machine: that it runs on.
        kernels: of one pass, backward included.
        memory: that the step needs; an update reads and writes averages, gradients and weights.
        precision: of the pass.
        passes: micro-batches of a step.
        texts: of a step.

    Raises:
        CompileError: if the machine computes no products in this precision.
    """
    lowered, full = machine.peak(precision), machine.fp32
    products = copies = 0.0
    launches = 0
    for kernel in kernels:
        computing = kernel.flops / (lowered if kernel.lowered else full) / machine.efficiency
        moving = kernel.bytes / machine.bandwidth / machine.efficiency
        if computing > moving:
            products += computing
        else:
            copies += moving
        launches += 1
    # Averages and weights are read and written, gradients, which are as large as these, read; an
    # average of the weights, or a moving copy, is read and written, and they once more read.
    following = memory.average + memory.momentum
    touched = 2 * memory.optimizer + 3 * memory.gradients + 3 * following
    update = touched / machine.bandwidth / machine.efficiency
    computed, moved = products * passes, copies * passes + update
    launched = launches * passes * machine.launch
    # A CPU computes what it launches itself.
    work = computed + moved
    step = work + launched if machine.device == "cpu" else max(work, launched)
    bound = "launches" if launched > work else "products" if computed > moved else "memory"
    return Speed(step=step, texts_per_second=texts / step, bound=bound)  # type: ignore[arg-type]
