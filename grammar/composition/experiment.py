"""From what files declare to one resolved spec, with everything that is wrong with it."""

from renaissance.grammar.chain import source_of, with_dependents
from renaissance.grammar.checks.adapting import check_adapting
from renaissance.grammar.checks.augmenting import check_augmenting
from renaissance.grammar.checks.data import check_presence, check_remarks
from renaissance.grammar.checks.fitting import check_fit
from renaissance.grammar.checks.freezing import check_freezing
from renaissance.grammar.checks.job_freezing import check_frozen_heads, check_job_freezing
from renaissance.grammar.checks.layer_decay import check_decays
from renaissance.grammar.checks.lowering import check_attention, check_compilation
from renaissance.grammar.checks.objectives import check_objectives
from renaissance.grammar.checks.outputs import check_outputs
from renaissance.grammar.checks.partial import PartialModel
from renaissance.grammar.checks.patches import check_patches
from renaissance.grammar.checks.reading import check_meeting, check_reading
from renaissance.grammar.checks.shown import check_shown
from renaissance.grammar.checks.splits import (
    check_evaluation,
    check_exclusions,
    check_repeated_data,
    check_task,
)
from renaissance.grammar.checks.tokenizers import check_tokenizers
from renaissance.grammar.checks.topology import check_parts
from renaissance.grammar.checks.training import (
    check_length,
    check_scales,
    check_sharding,
    check_training,
)
from renaissance.grammar.checks.unlearned import check_unlearned, check_unused_keys
from renaissance.grammar.composition.data import read_data
from renaissance.grammar.composition.heirs import heir
from renaissance.grammar.composition.job_drafts import is_none
from renaissance.grammar.composition.job_inheritance import draft_jobs
from renaissance.grammar.composition.job_reading import JobReader
from renaissance.grammar.composition.model_inheritance import Composer
from renaissance.grammar.composition.model_reading import read_model
from renaissance.grammar.composition.reader import Reader
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.data import FormatBlock
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec


def resolve_scope(scope: Scope, findings: Findings, places: Places) -> Spec | None:
    """Return what a scope means; None if there are errors.

    Args:
        scope: what files declare; told which names are used.
        findings: receives what is wrong.
        places: receives where each value was said.
    """
    reader = Reader(scope=scope, findings=findings, places=places)
    composer = Composer(scope, findings)
    checks = _ModelChecks(reader)
    models = _models(composer, reader, checks)
    data = read_data(reader)
    drafts = draft_jobs(reader)
    job_reader = JobReader(drafts, composer, reader)
    jobs = job_reader.read()
    job_models = {}
    for name, parts in job_reader.parts.items():
        with findings.of(job_reader.heir_of_model(name)):
            job_models[name] = checks.model(parts)
    _check_jobs(jobs, job_reader, models, job_models, data, reader)
    if findings.has_errors():
        return None
    return _spec(scope, models, data, jobs, job_models)


def _models(composer: Composer, reader: Reader, checks: "_ModelChecks") -> dict[str, Model | None]:
    models: dict[str, Model | None] = {}
    for name in reader.scope.models:
        draft = composer.draft(name)
        models[name] = None
        if draft is not None:
            with reader.findings.of(heir("model", name, reader.scope.models)):
                models[name] = checks.model(read_model(draft, ("models", name), reader))
    return models


class _ModelChecks:
    """Checks of models by themselves, once for all that consist of the same parts.

    A job that changes nothing of its model has one of the same parts, and so have variants.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        # Keeps the parts of which nothing is wrong, so that no others come to have their identity.
        self._sound: dict[tuple[object, ...], PartialModel] = {}

    def model(self, parts: PartialModel) -> Model | None:
        """Return what parts make, None if one is missing, and report what is wrong with them."""
        model = parts.model()
        content = parts.content()
        if content in self._sound:
            return model
        places, findings = self._reader.places, self._reader.findings
        before = findings.reported
        check_parts(parts, places, findings)
        check_attention(parts, places, findings)
        _check_presence(parts, model, self._reader)
        if not parts.broken:
            check_freezing(parts, places, findings)
            check_adapting(parts, places, findings)
        if findings.reported == before:
            self._sound[content] = parts
        return model


def _check_presence(parts: PartialModel, model: Model | None, reader: Reader) -> None:
    """Warn about files and folders of a model that are not there."""
    for stream, source in parts.streams.items():
        if source is not None:
            place = (*parts.path, "streams", stream)
            check_presence(source, place, reader.places, reader.findings)
    if model is not None:
        check_presence(model, parts.path, reader.places, reader.findings)


def _check_jobs(
    jobs: dict[str, Job | None],
    job_reader: JobReader,
    models: dict[str, Model | None],
    job_models: dict[str, Model | None],
    data: dict[str, FormatBlock | None],
    reader: Reader,
) -> None:
    places, findings = reader.places, reader.findings
    _check_lengths(job_reader, findings)
    training: list[tuple[Pretrain | Finetune, Model, Path]] = []
    for name, pairs in data.items():
        if pairs is not None:
            check_presence(pairs, ("data", name), places, findings)
    check_exclusions(data, jobs, places, findings)
    check_outputs(jobs, places, findings)
    for name, job in jobs.items():
        with findings.of(heir("job", name, reader.scope.jobs)):
            if isinstance(job, Evaluate):
                _check_evaluation(job, jobs, data, reader)
            if not isinstance(job, Pretrain | Finetune):
                continue
            _check_keys(job, jobs, data, reader)
            path = job_reader.model_path(name)
            if path is None or (model := _model_at(path, models, job_models)) is None:
                continue
            if job.source is not None:
                before = job_reader.model_path(job.source)
                source = _model_at(before, models, job_models)
                if before is not None and source is not None:
                    check_fit(job, (source, model), (before, path), places, findings)
            _check_with_model(job, model, places, findings)
            check_tokenizers(model, path, places, findings)
            start = _random_start(name, jobs, job_reader, models, job_models, reader)
            check_job_freezing(name, job, model, path, *start, places, findings)
        training.append((job, model, path))
    if len(training) == sum(isinstance(job, Pretrain | Finetune | None) for job in jobs.values()):
        check_frozen_heads(training, places, findings)


def _check_evaluation(
    job: Evaluate,
    jobs: dict[str, Job | None],
    data: dict[str, FormatBlock | None],
    reader: Reader,
) -> None:
    """Check an evaluation, and the task that it has of its own."""
    places, findings = reader.places, reader.findings
    if check_unlearned(job, jobs, places, findings):
        check_evaluation(job, jobs, data, places, findings)
    if job.task is not None:
        check_remarks(job.task, ("jobs", job.name, "task"), places, findings)
        check_presence(job.task, ("jobs", job.name, "task"), places, findings)


def _check_keys(
    job: Pretrain | Finetune,
    jobs: dict[str, Job | None],
    data: dict[str, FormatBlock | None],
    reader: Reader,
) -> None:
    """Check what a training job says by itself, whatever its model."""
    places, findings = reader.places, reader.findings
    check_training(job, jobs, places, findings)
    check_augmenting(job, data, places, findings)
    if isinstance(job, Finetune):
        check_task(job, places, findings)
        check_remarks(job.task, ("jobs", job.name, "task"), places, findings)
        check_unused_keys(job, places, findings)
        check_presence(job.task, ("jobs", job.name, "task"), places, findings)
    else:
        check_repeated_data(job, data, places, findings)


def _check_with_model(
    job: Pretrain | Finetune, model: Model, places: Places, findings: Findings
) -> None:
    """Check whether a job and its model go together."""
    check_reading(job, model, places, findings)
    check_shown(job, model, places, findings)
    check_meeting(job, model, places, findings)
    if isinstance(job, Pretrain):
        check_objectives(job, model, places, findings)
        check_patches(job, model, places, findings)
    check_scales(job, model, places, findings)
    check_decays(job, model, places, findings)
    check_sharding(job, model, places, findings)
    check_compilation(job, model, places, findings)


def _check_lengths(jobs: JobReader, findings: Findings) -> None:
    """Report training jobs that state their length twice or not at all; `none` states nothing."""
    for name, draft in jobs.drafts.items():
        if draft.word != "evaluate" and not draft.broken:
            stated = draft.keys.items()
            keys = {key: one.place for key, one in stated if not is_none(one.value)}
            check_length(name, keys, draft.name.span, findings)


def _random_start(
    name: str,
    jobs: dict[str, Job | None],
    job_reader: JobReader,
    models: dict[str, Model | None],
    job_models: dict[str, Model | None],
    reader: Reader,
) -> tuple[bool, list[Model]]:
    """Tell whether a job starts from no other one, and the models of those that start from it.

    One that only levels of studies start another from is judged in their cells.
    """
    paths = (job_reader.model_path(o) for o in with_dependents(jobs, [name]) if o != name)
    later = [model for path in paths if (model := _model_at(path, models, job_models)) is not None]
    judged = bool(later) or name not in reader.scope.started_by_levels
    return source_of(jobs, name) is None and judged, later


def _model_at(
    path: tuple[str, str] | None,
    models: dict[str, Model | None],
    job_models: dict[str, Model | None],
) -> Model | None:
    """Return the model at a place of the spec; None if there is none or it is wrong."""
    if path is None:
        return None
    where, name = path
    return (models if where == "models" else job_models).get(name)


def _spec(
    scope: Scope,
    models: dict[str, Model | None],
    data: dict[str, FormatBlock | None],
    jobs: dict[str, Job | None],
    job_models: dict[str, Model | None],
) -> Spec:
    """Put together what the main file declares, and what its jobs use of the imports."""
    own = [*scope.models.values(), *scope.data.values(), *scope.jobs.values()]
    library = not any(scope.own(declaration) for declaration in own)
    used_models = {job.on for job in jobs.values() if isinstance(job, Pretrain | Finetune)}
    return Spec.model_validate(
        {
            "models": {
                name: model
                for name, model in models.items()
                if library or name in used_models or scope.own(scope.models[name])
            },
            "data": {
                name: pairs
                for name, pairs in data.items()
                if library or name in scope.used_data or scope.own(scope.data[name])
            },
            "jobs": jobs,
            "job_models": {
                name: model
                for name, model in job_models.items()
                if model != models[jobs[name].on]  # type: ignore[union-attr]
            },
        }
    )
