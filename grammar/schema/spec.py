"""A whole experiment, resolved: nothing is imported, inherited or left to a default any more."""

import hashlib
import json
from collections.abc import Iterable
from html import escape
from importlib import import_module
from typing import Any

from renaissance.grammar.declaration import Block, key
from renaissance.grammar.kinds.data import FormatBlock
from renaissance.grammar.schema.identity import job_identity, without_order
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain, Training
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

    def __str__(self) -> str:
        """Return the text in canonical form, as `renaissance show` prints it."""
        # By name: what prints a spec knows everything that it may hold.
        canonical = import_module("renaissance.grammar.canonical")
        try:
            text: str = canonical.print_spec(self)
        except canonical.UnprintableError:
            return self.model_dump_json(indent=2)
        return text

    def __repr__(self) -> str:
        """Return names of what there is, and the hash."""
        parts: dict[str, Iterable[str]]
        parts = {"models": self.models, "data": self.data, "jobs": self.jobs}
        named = [f"{what}: {', '.join(names)}" for what, names in parts.items() if names]
        return f"<Spec {'; '.join([*named, f'hash {self.hash[:12]}'])}>"

    def _repr_html_(self) -> str:
        """Return the text for a notebook."""
        return f"<pre>{escape(str(self))}</pre>"

    def model_of(self, job_name: str) -> Model:
        """Return the model of a job with the job's own overrides applied."""
        if job_name in self.job_models:
            return self.job_models[job_name]
        job = self.jobs[job_name]
        if isinstance(job, Evaluate):
            return self.model_of(job.of)
        return self.models[job.on]

    def training_job(self, job_name: str) -> Pretrain | Finetune:
        """Return the job itself, or the one that an evaluation measures."""
        job = self.jobs[job_name]
        return self.training_job(job.of) if isinstance(job, Evaluate) else job

    def data_job(self, job_name: str) -> Pretrain | Finetune:
        """Return the job whose data are read, and whose questions are asked.

        It is the training job; where an evaluation states a task of its own, a fine-tuning of what
        it measures, which nobody runs.
        """
        job, trained = self.jobs[job_name], self.training_job(job_name)
        if not isinstance(job, Evaluate) or job.task is None:
            return trained
        shared = {name: getattr(trained, name) for name in Training.model_fields}
        own = {"name": job.name, "source": trained.name, "on": trained.on, "task": job.task}
        return Finetune(**(shared | own))

    def to_json(self) -> str:
        """Return the one JSON text of this spec, which `Spec.model_validate_json` reads back."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))

    def identity(self, *, stated: bool = False) -> dict[str, Any]:
        """Return the part of the spec that its hash is taken of, as JSON values.

        It is what each job does, with which model and data: the names of models and data are left
        out, and so are keys that change nothing (their impact is `cosmetic`) and blocks that no job
        uses. A spec without jobs is what its models and data are. What has no order comes sorted.

        Args:
            stated: leave out keys that only defaults give.
        """
        if not self.jobs:
            models, data = self.models.values(), self.data.values()
            return {
                "models": without_order(models, stated=stated),
                "data": without_order(data, stated=stated),
            }
        return {"jobs": {name: self.job_identity(name, stated=stated) for name in self.jobs}}

    def job_identity(self, name: str, *, stated: bool = False) -> dict[str, Any]:
        """Return what a job does, with which model and data, as JSON values."""
        job = self.jobs[name]
        data = [self.data[entry] for entry in job.data] if isinstance(job, Pretrain) else []
        return job_identity(job, self.model_of(name), data, stated=stated)

    @property
    def hash(self) -> str:
        """SHA-256 of what the spec means: its identity, stored in checkpoints and reports.

        Comments, layout, spelled-out defaults, named values, imports and inheritance do not change
        it, nor do keys that change nothing, such as the number of worker processes.
        """
        return _digest(self.identity())

    @property
    def stated_hash(self) -> str:
        """The hash of the keys that were stated when this was read.

        Of what an earlier version wrote, which states every key that there was then, it is the hash
        that this version took.
        """
        return _digest(self.identity(stated=True))


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
