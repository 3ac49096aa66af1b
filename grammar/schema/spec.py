"""A whole experiment, resolved: nothing is imported, inherited or left to a default any more."""

import hashlib
import json

from renaissance.grammar.declaration import Block, key
from renaissance.grammar.kinds.data import FormatBlock
from renaissance.grammar.schema.identity import identity
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain
from renaissance.grammar.schema.model import Model


class Spec(Block):
    """Models, data and jobs by name, in the order of the file.

    A training job that overrides parts of its model has a model of its own in `job_models`.
    """

    models: dict[str, Model] = key({}, doc="models by name", impact="weights")
    data: dict[str, FormatBlock] = key({}, doc="image-text pairs by name", impact="training")
    jobs: dict[str, Job] = key({}, doc="jobs by name, in order", impact="training")
    job_models: dict[str, Model] = key(
        {}, doc="models as overridden by a job, by the job's name", impact="weights"
    )

    def model_of(self, job_name: str) -> Model:
        """Return the model of a job with the job's own overrides applied."""
        if job_name in self.job_models:
            return self.job_models[job_name]
        job = self.jobs[job_name]
        if isinstance(job, Evaluate):
            return self.model_of(job.of)
        return self.models[job.on]

    def training_job(self, job_name: str) -> Pretrain | Finetune:
        """Return the job itself, or the fine-tuning that an evaluation measures."""
        job = self.jobs[job_name]
        return self.training_job(job.of) if isinstance(job, Evaluate) else job

    def to_json(self) -> str:
        """Return the one JSON text of this spec, which `Spec.model_validate_json` reads back."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """SHA-256 of what the spec means: its identity, stored in checkpoints and reports.

        Comments, layout, spelled-out defaults, named values, imports and inheritance do not change
        it, nor do keys that change nothing, such as the number of worker processes.
        """
        text = json.dumps(identity(self), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
