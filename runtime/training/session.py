"""One job as this process runs it: what is asked for, where, and with whom."""

from dataclasses import dataclass
from pathlib import Path

from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.observer import Observer
from renaissance.runtime.processes import Processes
from renaissance.runtime.records import Notice
from renaissance.runtime.signals import StopRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a run asks of this process for one job.

    Attributes:
        spec: the whole experiment.
        name: of the job.
        folder: of the run; the job has a folder of its name in it.
        hashes: that name the spec in this folder, those of earlier versions too.
        processes: that share the job.
        request: to stop.
        observer: is told what happens.
    """

    spec: Spec
    name: str
    folder: Path
    hashes: frozenset[str]
    processes: Processes
    request: StopRequest
    observer: Observer

    @property
    def home(self) -> Path:
        """The folder of the job."""
        return self.folder / self.name

    @property
    def evaluates(self) -> bool:
        """Whether the job measures another one."""
        return isinstance(self.spec.jobs[self.name], Evaluate)

    @property
    def training(self) -> Pretrain | Finetune:
        """Declaration of the job itself, or of the one that an evaluation measures."""
        return self.spec.training_job(self.name)

    @property
    def declared(self) -> Model:
        """Declaration of the model, with the overrides of the job."""
        return self.spec.model_of(self.name)

    def notify(self, text: str) -> None:
        """Tell the observer a sentence that a person should read; no log has it."""
        self.observer.event(Notice(text=text))
