"""Whether a step fits the machine at hand, or layers are to be computed again in it."""

from math import ceil

from renaissance.compiler.amounts import gibibytes
from renaissance.compiler.planning.fitting import peak_of
from renaissance.compiler.planning.machines import USABLE
from renaissance.compiler.planning.measurement import memory_of_device
from renaissance.compiler.planning.stages import Conditions
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import JobData
from renaissance.runtime.processes import Processes


def recomputes(spec: Spec, name: str, data: JobData, processes: Processes) -> str | None:
    """Decide whether repeated layers are computed again in the backward pass.

    With `recompute = auto` they are where the plan of a step with texts of the mean length of the
    data needs more than there is on the device of some process.

    Args:
        spec: the whole experiment.
        name: of a pretraining or fine-tuning.
        data: of the job.
        processes: that share the job; all come here together.

    Returns:
        A sentence that says so and why; None where layers keep what the backward pass needs.
    """
    job = spec.jobs[name]
    if isinstance(job, Evaluate) or job.recompute == "none":
        return None
    if job.recompute == "layers":
        return "repeated layers are computed again in the backward pass, as `recompute` says"
    room = _room(processes)
    share = job.model_copy(
        update={
            "batch": ceil(job.batch / processes.ranks),
            "steps": data.total_steps,
            "epochs": None,
        }
    )
    conditions = Conditions(
        device="cuda" if processes.device.type == "cuda" else "cpu",
        machine=None,
        tokens=data.mean_tokens("train"),
        texts=None,
    )
    shards = processes.ranks if job.shard == "full" else 1
    peak = peak_of(share, spec.model_of(name), conditions, shards)
    if not processes.sums([float(room is not None and peak > room)])[0]:
        return None
    there = gibibytes(room or 0)
    return (
        "repeated layers are computed again in the backward pass: without that a step needs "
        f"{gibibytes(peak)} by the plan, and {there} are counted on"
    )


def _room(processes: Processes) -> int | None:
    """Return the bytes that a process may count on; on a CPU all of them share the memory."""
    memory = memory_of_device(processes.device)
    if memory is None:
        return None
    shared = 1 if processes.device.type == "cuda" else processes.ranks
    return int(memory * USABLE) // shared
