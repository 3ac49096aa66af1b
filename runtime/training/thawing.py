"""The event of a thaw: parts that were frozen learn from here on."""

from renaissance.compiler.addresses import parameter_addresses
from renaissance.runtime.records import Thaw
from renaissance.runtime.training.progress import Progress
from renaissance.runtime.training.training import Training


def thaw_if_due(training: Training, progress: Progress) -> None:
    """Let what is frozen until this step learn in it."""
    step, total, model = progress.step, training.total_steps, training.setup.model
    if step == 0 or training.freezing.next_change(step - 1, total) != step:
        return
    training.freezing.apply(model, step, total)
    training.beginning.contract.release()
    added = training.prepared.optimization.extend()
    if training.prepared.average is not None:
        training.prepared.average.extend(training.prepared.optimization.names)
    if training.prepared.momentum is not None:
        training.prepared.momentum.extend(training.prepared.optimization.names)
    training.step.regroup()
    places = parameter_addresses(model)
    addresses = dict.fromkeys(places[name].address for name in added)
    training.log.write(Thaw(step=step, addresses=tuple(addresses)))
