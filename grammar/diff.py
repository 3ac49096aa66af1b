"""Compare what two specs mean: by name, never by position, each change with what it does."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from renaissance.grammar.changes import (
    IMPACTS,
    Change,
    Key,
    Known,
    changes_between,
    keys_by_address,
    strongest,
)
from renaissance.grammar.declaration import Block, Impact
from renaissance.grammar.record import Record, replace
from renaissance.grammar.schema.identity import reduced
from renaissance.grammar.schema.jobs import Evaluate, Job, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec

Status = Literal["changed", "added", "removed", "renamed"]


class BlockDiff(Record):
    """A block of which something differs.

    Attributes:
        word: `model`, `data`, `pretrain`, `finetune` or `evaluate`.
        name: of the block, in the new spec where it has one there.
        status: what happened to it.
        impact: strongest impact of its changes.
        changes: keys that differ, of a block in both specs.
        unchanged: how many keys are equal.
        old_name: earlier name of a renamed block.
    """

    word: str
    name: str
    status: Status
    impact: Impact
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    old_name: str | None = None


class SpecDiff(Record):
    """Everything that differs between two specs."""

    blocks: tuple[BlockDiff, ...]

    @property
    def impact(self) -> Impact | None:
        """Strongest impact of all changes; None if nothing differs."""
        return strongest(block.impact for block in self.blocks)

    @property
    def counts(self) -> dict[Impact, int]:
        """Changes by impact class, strongest first; classes without changes are left out."""
        found = [
            impact
            for block in self.blocks
            for impact in [change.impact for change in block.changes] or [block.impact]
        ]
        return {impact: found.count(impact) for impact in IMPACTS if impact in found}

    def reaches(self, impact: Impact) -> bool:
        """Tell whether a change has this impact or a stronger one."""
        return self.impact is not None and IMPACTS.index(self.impact) <= IMPACTS.index(impact)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {
            "impact": self.impact,
            "counts": dict(self.counts),
            "blocks": [
                {
                    "word": block.word,
                    "name": block.name,
                    "old_name": block.old_name,
                    "status": block.status,
                    "impact": block.impact,
                    "unchanged": block.unchanged,
                    "changes": [
                        {
                            "address": change.address,
                            "old": change.old,
                            "new": change.new,
                            "impact": change.impact,
                        }
                        for change in block.changes
                    ],
                }
                for block in self.blocks
            ],
        }


def diff_specs(old: Spec, new: Spec) -> SpecDiff:
    """Compare two specs.

    Where the hash of both is the same, nothing is more than cosmetic.

    Args:
        old: what a trained checkpoint may belong to.
        new: what it is asked to become.
    """
    return SpecDiff(blocks=tuple(_Comparison(old, new).blocks()))


class _Comparison:
    """Two specs, and which of their blocks are the same under another name."""

    def __init__(self, old: Spec, new: Spec) -> None:
        self._old = old
        self._new = new
        self._known: Known = {}
        self._contents = {
            "model": (_contents(old.models), _contents(new.models)),
            "data": (_contents(old.data), _contents(new.data)),
        }
        self._models = _renamed(*self._contents["model"])
        self._data = _renamed(*self._contents["data"])
        self._jobs = _renamed_jobs(old, new)

    def blocks(self) -> Iterator[BlockDiff]:
        """Yield everything that differs."""
        yield from self._declared("model", self._old.models, self._new.models, self._models)
        yield from self._declared("data", self._old.data, self._new.data, self._data)
        yield from self._all_jobs()

    def _declared(
        self,
        word: str,
        old: Mapping[str, Block],
        new: Mapping[str, Block],
        renamed: Mapping[str, str],
    ) -> Iterator[BlockDiff]:
        """Compare blocks that jobs use: models or data."""
        strong: Impact = "weights" if word == "model" else "training"
        before, after = self._contents[word]
        for name, block in new.items():
            earlier = renamed.get(name, name)
            if earlier != name:
                yield BlockDiff(
                    word=word, name=name, old_name=earlier, status="renamed", impact="cosmetic"
                )
            elif name not in old:
                impact = strong if self._matters(word, None, name) else "cosmetic"
                yield BlockDiff(word=word, name=name, status="added", impact=impact)
            else:
                same = before[name] == after[name] or not self._matters(word, name, name)
                keys = self._keys(old[name]), self._keys(block)
                yield from _changed(word, name, *keys, changes_between(*keys), cosmetic=same)
        for name in old:
            if name not in new and name not in renamed.values():
                impact = strong if self._matters(word, name, None) else "cosmetic"
                yield BlockDiff(word=word, name=name, status="removed", impact=impact)

    def _matters(self, word: str, old: str | None, new: str | None) -> bool:
        """Tell whether a model, or data, is another one in some job, or there are no jobs."""
        if not (self._old.jobs or self._new.jobs):
            return True
        before = {} if old is None else _users(self._old, word, old)
        after = {} if new is None else _users(self._new, word, new)
        there = {self._jobs.get(name, name): content for name, content in after.items()}
        return any(
            before.get(name, _used(self._old, word, name))
            != there.get(name, _used(self._new, word, self._new_name(name)))
            for name in {*before, *there}
        )

    def _keys(self, block: Block) -> dict[str, Key]:
        return keys_by_address(block, self._known)

    def _new_name(self, job: str) -> str:
        return next((new for new, earlier in self._jobs.items() if earlier == job), job)

    def _all_jobs(self) -> Iterator[BlockDiff]:
        old, new = self._old.jobs, self._new.jobs
        for name, job in new.items():
            earlier = self._jobs.get(name, name)
            if earlier != name:
                # Checkpoints and results lie under the name of their job.
                yield BlockDiff(
                    word=job.job,
                    name=name,
                    old_name=earlier,
                    status="renamed",
                    impact=_job_impact(job),
                )
            elif name not in old:
                yield BlockDiff(word=job.job, name=name, status="added", impact=_job_impact(job))
            else:
                yield from self._job(name, old[name], job)
        for name, job in old.items():
            if name not in new and name not in self._jobs.values():
                yield BlockDiff(word=job.job, name=name, status="removed", impact=_job_impact(job))

    def _job(self, name: str, earlier: Job, job: Job) -> Iterator[BlockDiff]:
        """Compare two jobs of one name, what they relate to by what it is now called."""
        before, after = self._keys(earlier), self._keys(job)
        models = {old: new for new, old in self._models.items()}
        data = {old: new for new, old in self._data.items()}
        if "on" in before:
            text = models.get(before["on"].text, before["on"].text)
            before["on"] = Key(text, self._model_impact(name) or before["on"].impact)
            if "on" in after:
                after["on"] = Key(after["on"].text, before["on"].impact)
        for word in ("source", "of"):
            if word in before:
                before[word] = before[word]._replace(text=self._new_name(before[word].text))
        if isinstance(earlier, Pretrain):
            entries = [data.get(entry, entry) for entry in earlier.data]
            before["data"] = Key(f"[{', '.join(entries)}]", before["data"].impact)
        changes = (*changes_between(before, after), *self._override_changes(name))
        same = self._old.job_identity(name) == self._new.job_identity(name)
        keys = self._keys(earlier), self._keys(job)
        yield from _changed(job.job, name, *keys, changes, cosmetic=same)

    def _model_impact(self, name: str) -> Impact | None:
        """Return what the change of a job's model does to its weights; None for nothing."""
        models = (self._old.model_of(name), self._new.model_of(name))
        if reduced(models[0]) == reduced(models[1]):
            return "cosmetic"
        return strongest(change.impact for change in changes_between(*map(self._keys, models)))

    def _override_changes(self, name: str) -> tuple[Change, ...]:
        """Return how the model of a job differs beyond how the one that it overrides differs."""
        old, new = self._old, self._new
        if name not in old.job_models and name not in new.job_models:
            return ()
        (old_base, old_model), (new_base, new_model) = (_job_models(s, name) for s in (old, new))
        shared = set(changes_between(self._keys(old_base), self._keys(new_base)))
        return tuple(
            replace(change, address=f"model.{change.address}")
            for change in changes_between(self._keys(old_model), self._keys(new_model))
            if change not in shared
        )


def _changed(
    word: str,
    name: str,
    before: Mapping[str, Key],
    after: Mapping[str, Key],
    changes: tuple[Change, ...],
    *,
    cosmetic: bool,
) -> Iterator[BlockDiff]:
    """Yield the difference of a block that is in both specs, if there is any."""
    if cosmetic:
        changes = tuple(replace(change, impact="cosmetic") for change in changes)
    impact = strongest(change.impact for change in changes)
    if impact is not None:
        unchanged = sum(
            before[address] == key for address, key in after.items() if address in before
        )
        yield BlockDiff(
            word=word,
            name=name,
            status="changed",
            impact=impact,
            changes=changes,
            unchanged=unchanged,
        )


def _contents(blocks: Mapping[str, Block]) -> dict[str, Any]:
    return {name: reduced(block) for name, block in blocks.items()}


def _renamed(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """Return old names by new name of blocks that are the same and are called differently.

    Several of the same content could be any of the others: nothing is said of them.
    """
    gone, come = _by_content(old, new), _by_content(new, old)
    return {
        names[0]: gone[content][0]
        for content, names in come.items()
        if len(names) == 1 and len(gone.get(content, ())) == 1
    }


def _by_content(blocks: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names that are not among others' by the canonical text of what they stand for."""
    found: dict[str, list[str]] = {}
    for name, content in blocks.items():
        if name not in others:
            found.setdefault(json.dumps(content, sort_keys=True), []).append(name)
    return found


def _renamed_jobs(old: Spec, new: Spec) -> dict[str, str]:
    """Return old names by new name of renamed jobs; one may start from another renamed one."""
    renamed: dict[str, str] = {}
    while True:
        before = {name: old.job_identity(name) for name in old.jobs}
        after = {name: new.job_identity(name) for name in new.jobs}
        for content in after.values():
            for word in {"source", "of"} & content.keys():
                content[word] = renamed.get(content[word], content[word])
        found = _renamed(before, after)
        if found == renamed:
            return renamed
        renamed = found


def _users(spec: Spec, word: str, name: str) -> dict[str, Any]:
    """Return what the jobs that use a block make of blocks of its kind, by job."""
    return {
        job: _used(spec, word, job)
        for job, declared in spec.jobs.items()
        if (word == "model" and spec.training_job(job).on == name)
        or (word == "data" and isinstance(declared, Pretrain) and name in declared.data)
    }


def _used(spec: Spec, word: str, job: str) -> Any:
    """Return the model, or the data, that a job uses; None where there is no such job."""
    declared = spec.jobs.get(job)
    if declared is None:
        return None
    if word == "model":
        return reduced(spec.model_of(job))
    if not isinstance(declared, Pretrain):
        return None
    return [reduced(spec.data[entry]) for entry in declared.data]


def _job_impact(job: Job) -> Impact:
    return "eval" if isinstance(job, Evaluate) else "training"


def _job_models(spec: Spec, name: str) -> tuple[Model, Model]:
    """Return the model that a job names, and what the job makes of it."""
    return spec.models[spec.training_job(name).on], spec.model_of(name)
