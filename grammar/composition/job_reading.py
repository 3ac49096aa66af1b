"""Read jobs into the schema: what they relate to, their keys, their models."""

from collections.abc import Mapping
from typing import Any

from renaissance.grammar import tree
from renaissance.grammar.checks.partial import PartialModel
from renaissance.grammar.composition.drafts import Choice, plain_text
from renaissance.grammar.composition.heirs import heir
from renaissance.grammar.composition.job_drafts import RELATIONS, JobDraft
from renaissance.grammar.composition.job_mistakes import (
    named_twice,
    quoted_data,
    set_twice,
    starts_from_itself,
    starts_from_nothing,
    unknown_data,
    wrong_job,
)
from renaissance.grammar.composition.lets import follow
from renaissance.grammar.composition.mistakes import unknown_name
from renaissance.grammar.composition.model_drafts import ModelDraft
from renaissance.grammar.composition.model_inheritance import Composer
from renaissance.grammar.composition.model_reading import read_model, with_fusion_name
from renaissance.grammar.composition.model_statements import laid_over
from renaissance.grammar.composition.reader import Reader
from renaissance.grammar.findings import Heir
from renaissance.grammar.names import nearest, with_article
from renaissance.grammar.places import Path
from renaissance.grammar.record import Record
from renaissance.grammar.schema.jobs import Finetune, Job, Pretrain
from renaissance.grammar.schema.vocabulary import JOBS
from renaissance.grammar.source import Span

_FIELDS = {"from": "source", "on": "on", "of": "of"}


class JobModel(Record):
    """The model of a job: its draft, and its parts where the job overrides something."""

    draft: ModelDraft
    base: str
    overridden: bool


class JobReader:
    """Reads jobs in the order in which they depend on each other."""

    def __init__(self, drafts: dict[str, JobDraft], composer: Composer, reader: Reader) -> None:
        """Read `drafts`, with models from `composer`."""
        self.drafts = drafts
        self._composer = composer
        self._reader = reader
        self._models: dict[str, JobModel | None] = {}
        self.parts: dict[str, PartialModel] = {}

    def read(self) -> dict[str, Job | None]:
        """Return all jobs; None for one that is wrong."""
        jobs: dict[str, Job | None] = {}
        for name, draft in self.drafts.items():
            with self._reader.findings.of(heir("job", name, self._reader.scope.jobs)):
                jobs[name] = self._job(draft)
        return jobs

    def model(self, name: str) -> JobModel | None:
        """Return the model of a training job, with what its sources override."""
        chain: list[str] = []
        step: str | None = name
        while step is not None and step not in self._models:
            if step in chain:
                self._circle(chain[chain.index(step) :])
                self._models.update(dict.fromkeys(chain))
                break
            chain.append(step)
            draft = self.drafts[step]
            step = self._target(draft, "from", ("pretrain", "finetune"))
        for step in reversed(chain):
            if step not in self._models:
                self._models[step] = self._model(self.drafts[step])
        return self._models[name]

    def model_path(self, name: str) -> tuple[str, str] | None:
        """Return where the model of a training job stands in the spec, also of a wrong job."""
        model = self._models.get(name)
        if model is None:
            return None
        return ("job_models", name) if model.overridden else ("models", model.base)

    def _model(self, draft: JobDraft) -> JobModel | None:
        """Return the model of a job, with that of its source at hand."""
        base = None
        if "on" in draft.relations:
            target = draft.relations["on"].target
            self._reader.scope.used_models.add(target.text)
            if target.text not in self._reader.scope.models:
                self._unknown("model", target, self._reader.scope.models, True)
                return None
            found = self._composer.draft(target.text)
            if found is not None:
                base = JobModel(draft=found, base=target.text, overridden=False)
        elif "from" in draft.relations:
            base = self._models.get(draft.relations["from"].target.text)
        if base is None or not draft.overrides:
            return base
        changed, scope, findings = base.draft, self._reader.scope, self._reader.findings
        for body in draft.overrides:
            changed = laid_over(changed, body, scope, findings, parent=True, job=True)
        return JobModel(draft=changed, base=base.base, overridden=True)

    def _target(self, draft: JobDraft, word: str, wanted: tuple[str, ...]) -> str | None:
        """Return the name of the job that a job relates to, if it is one that it may relate to."""
        if word not in draft.relations:
            return None
        target = draft.relations[word].target
        other = self.drafts.get(target.text)
        if other is None:
            self._unknown("job", target, self._reader.scope.jobs, word == "from")
            return None
        if other.word not in wanted:
            relation = draft.relations[word]
            self._reader.findings.add(wrong_job(draft.word, relation, other.word, other.name))
            return None
        return target.text

    def _circle(self, names: list[str]) -> None:
        *others, last = [self.drafts[name].relations["from"] for name in names]
        self._reader.findings.add(starts_from_itself(names[0], others, last))

    def _unknown(
        self, what: str, name: tree.Name, known: dict[str, tree.Declaration], either: bool
    ) -> None:
        scope = self._reader.scope
        if scope.incomplete:
            return
        word, other, others = (
            ("on", "model", scope.models) if what == "job" else ("from", "job", scope.jobs)
        )
        meant = f"`{name.text}` is {with_article(other)}: write `{word} {name.text}`"
        found = either and name.text in others
        self._reader.findings.add(unknown_name(what, name, known, meant if found else ""))
        if found and other == "model":
            scope.used_models.add(name.text)
        if what == "model":
            # What was probably meant is not unused.
            self._reader.scope.used_models.update(nearest(name.text, known)[:1] or known)

    def _job(self, draft: JobDraft) -> Job | None:
        name = draft.name.text
        reader, path = self._reader, ("jobs", name)
        reader.places.put(path, draft.name.span, draft.name.span)
        known_data = self._data(draft)
        if draft.extends is not None:
            # What stands outside of the block is inherited.
            reader.places.put((*path, "extends"), draft.extends.span, draft.declaration.span)
        for relation in draft.relations.values():
            reader.places.put(
                (*path, _FIELDS[relation.word.text]), relation.span, relation.target.span
            )
        fixed: dict[str, Any] = {"name": name}
        related = self._relations(draft, fixed)
        block = reader.block(
            JOBS[draft.word],
            draft.keys,
            path,
            where=draft.name.span,
            what=f"`{draft.word}`",
            broken=draft.broken,
            fixed=fixed,
        )
        if block is None or not related or not known_data:
            return None
        if isinstance(block, Pretrain | Finetune):
            block = self._with_fusion_name(block, name)
        return block  # type: ignore[return-value]

    def _relations(self, draft: JobDraft, fixed: dict[str, Any]) -> bool:
        """Fill in what the job relates to; False if that is wrong."""
        name = draft.name.text
        if not draft.relations:
            # Whatever it relates to is unknown; the other keys are worth reading.
            fixed |= {"of": ""} if draft.word == "evaluate" else {"on": ""}
            if draft.declaration.relations:
                # What is wrong with the one that it states was said.
                return False
            relations = RELATIONS[draft.word]
            self._reader.findings.add(
                starts_from_nothing(draft.word, draft.name, relations, self._meant(draft))
            )
            return False
        if draft.word == "evaluate":
            target = self._target(draft, "of", ("pretrain", "finetune"))
            fixed["of"] = target or ""
            return target is not None
        model = self.model(name)
        fixed["on"] = model.base if model else ""
        if "from" in draft.relations:
            fixed["source"] = draft.relations["from"].target.text
        if model is None:
            return False
        if model.overridden:
            with self._reader.findings.of(self.heir_of_model(name)):
                self.parts[name] = read_model(model.draft, ("job_models", name), self._reader)
        return True

    def heir_of_model(self, name: str) -> Heir | None:
        """Return what a job goes on from that changes its model."""
        scope, model = self._reader.scope, self._models[name]
        base = None if model is None else model.base
        return heir("job", name, scope.jobs, None if base is None else (base, scope.models))

    def _meant(self, draft: JobDraft) -> str | None:
        """Return what a job that relates to nothing may have been meant to relate to."""
        scope = self._reader.scope
        if draft.word == "pretrain":
            return next(iter(scope.models), None)
        wanted = "finetune" if draft.word == "evaluate" else "pretrain"
        jobs = [name for name, other in self.drafts.items() if other is not draft]
        fitting = [name for name in jobs if self.drafts[name].word == wanted]
        return next(iter(fitting or jobs), None)

    def _data(self, draft: JobDraft) -> bool:
        """Look data up that a job names, even where the job turns out to be wrong."""
        setting, scope = draft.keys.get("data"), self._reader.scope
        if setting is None or isinstance(setting.value, Choice | tuple | dict):
            return True
        value = follow(setting.value, scope, self._reader.findings, keep=scope.data.__contains__)
        if isinstance(value, tree.Address):
            scope.used_data.add(plain_text(value))
        if isinstance(value, tree.Text):
            scope.used_data.add(value.value)  # what is wrong is said where it is read
        named = value.items if isinstance(value, tree.Sequence) else ()
        seen: dict[str, Span] = {}
        known = True
        for item in named:
            if not isinstance(item, tree.Address | tree.Text):
                continue
            name = item.value if isinstance(item, tree.Text) else plain_text(item)
            scope.used_data.add(name)
            if isinstance(item, tree.Text) and name in scope.data:
                self._reader.findings.add(quoted_data(name, item.span))
                known = False
                continue
            if name in seen:
                self._reader.findings.add(named_twice(name, seen[name], item.span))
                known = False
            elif name not in scope.data:
                self._unknown_data(name, item.span)
                known = False
            seen.setdefault(name, item.span)
        return known

    def _unknown_data(self, name: str, span: Span) -> None:
        scope = self._reader.scope
        if scope.incomplete:
            return
        self._reader.findings.add(unknown_data(name, span, scope.data))
        # What was meant is not unused.
        scope.used_data.update(nearest(name, scope.data)[:1] or scope.data)

    def _in_one_block(self, path: Path, *addresses: str) -> bool:
        """Tell whether one block states all of some factors; of inherited ones the last counts."""
        spans = [self._reader.places.keys[*path, address] for address in addresses]
        blocks = (draft.declaration.span for draft in self.drafts.values())
        return any(
            all(
                block.source.name == span.source.name and block.start <= span.start < block.end
                for span in spans
            )
            for block in blocks
        )

    def _with_fusion_name(self, job: Pretrain | Finetune, name: str) -> Pretrain | Finetune:
        model = self.model(name)
        fusion = model.draft.fusion_name if model else None
        if fusion is None or fusion.text == "fusion":
            return job
        return job.model_copy(
            update={
                word: self._by_own_name(getattr(job, word), fusion.text, ("jobs", name, word))
                for word in ("scale_lr", "decay_lr")
            }
        )

    def _by_own_name(
        self, factors: Mapping[str, float], fusion: str, path: Path
    ) -> dict[str, float]:
        """Return factors by addresses that name the fusion as the model does."""
        scales: dict[str, float] = {}
        for address, factor in factors.items():
            own = with_fusion_name(address, fusion)
            if own != address:
                places = self._reader.places
                places.put((*path, own), places.keys[*path, address], places.values[*path, address])
            if own in scales and self._in_one_block(path, own, "fusion" + own.removeprefix(fusion)):
                alias = "fusion" + own.removeprefix(fusion)
                spans = [self._reader.places.keys[*path, said] for said in (own, alias)]
                first, second = sorted(spans, key=lambda span: span.start)
                self._reader.findings.add(set_twice(own, first, second))
            scales[own] = factor
        return scales
