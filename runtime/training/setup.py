"""What every job begins with: its data and its model, which fit each other and this machine."""

from dataclasses import dataclass

from renaissance.compiler import build
from renaissance.compiler.lowering.dispatch import PRODUCTS, check_device
from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.schema.jobs import Finetune
from renaissance.runtime.data import JobData, job_data
from renaissance.runtime.errors import JobError
from renaissance.runtime.training.session import Session
from renaissance.runtime.training.threads import fit_threads
from renaissance.runtime.vocabulary import check_vocabulary, kept_vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Data and model of a job.

    Attributes:
        data: of the job.
        model: as built, on the CPU.
        notices: sentences on what had to be mended in the folder.
    """

    data: JobData
    model: VisionLanguageModel
    notices: tuple[str, ...]


def set_up(session: Session) -> Setup:
    """Read the data of a job and build its model.

    Raises:
        JobError: if the job cannot be done with these data, this folder or this device.
        DataError: if the data do not allow it.
        CompileError: if the model cannot be built.
    """
    spec, training, processes = session.spec, session.training, session.processes
    check_device(session.declared.attention_taken, processes.device, PRODUCTS[training.precision])
    if processes.first:
        session.home.mkdir(parents=True, exist_ok=True)
    vocabulary = kept_vocabulary(spec, training.name, session.folder)
    data = job_data(spec, session.name, vocabulary.tokenizer)
    mended = vocabulary.settle(data.tokenizer, write=processes.first)
    _check_answers(session, data)
    model = build(spec, job=session.name)
    check_vocabulary(model, data.tokenizer)
    data.use_grid(max(tower.facts.grid or 0 for tower in model.towers.values()))
    if processes.device.type == "cpu":
        fit_threads(model, training.micro_batch or -(-training.batch // processes.ranks))
    return Setup(data=data, model=model, notices=mended)


def _check_answers(session: Session, data: JobData) -> None:
    job = session.spec.jobs[session.name]
    if isinstance(job, Finetune) and len(data.answers) > job.task.outputs:
        raise JobError(
            f"the data of job `{job.name}` have {len(data.answers)} answers, "
            f"the task `{job.task.word()}` has {job.task.outputs}"
        )
