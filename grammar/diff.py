"""Compare what two specs mean: by name, never by position, each change with what it does."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from renaissance.grammar.schema.declaration import Block, Impact, impact_of
from renaissance.grammar.schema.identity import reduced
from renaissance.grammar.schema.jobs import Evaluate, Job
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import keys_of, kind_of, positional_key, tag_of
from renaissance.grammar.spelling import directive_head, head_text, states, value_text

Status = Literal["changed", "added", "removed", "renamed"]

IMPACTS: tuple[Impact, ...] = get_args(Impact)
"""Impact classes, strongest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One key that differs.

    Attributes:
        address: inside its block: `cross.layers`, `optimizer.lr`.
        old: value in the old spec, as the language spells it; None where there is none.
        new: value in the new spec.
        impact: what the change does to a trained checkpoint.
    """

    address: str
    old: str | None
    new: str | None
    impact: Impact


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockDiff:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecDiff:
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


def strongest(impacts: Iterable[Impact]) -> Impact | None:
    """Return the strongest impact, None of none."""
    return min(impacts, key=IMPACTS.index, default=None)


def diff_specs(old: Spec, new: Spec) -> SpecDiff:
    """Compare two specs.

    Args:
        old: what a trained checkpoint may belong to.
        new: what it is asked to become.
    """
    models = _Names.of(old.models, new.models)
    data = _Names.of(old.data, new.data)
    blocks = [
        *_compare("model", old.models, new.models, models, "weights"),
        *_compare("data", old.data, new.data, data, "training"),
        *_jobs(old, new, models, data),
    ]
    return SpecDiff(blocks=tuple(blocks))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """Old names by new name of blocks that are the same and are called differently."""

    renamed: Mapping[str, str]

    @classmethod
    def of(cls, old: Mapping[str, Any], new: Mapping[str, Any]) -> "_Names":
        gone = {name: reduced(block) for name, block in old.items() if name not in new}
        come = {name: reduced(block) for name, block in new.items() if name not in old}
        renamed: dict[str, str] = {}
        for name, content in come.items():
            same = [earlier for earlier, block in gone.items() if block == content]
            rivals = [other for other, block in come.items() if block == content]
            # Several of the same content could be any of the others: say nothing then.
            if len(same) == 1 and len(rivals) == 1:
                renamed[name] = same[0]
        return cls(renamed=renamed)

    def new_name(self, old: str) -> str:
        return next((new for new, earlier in self.renamed.items() if earlier == old), old)


def _compare(
    word: str, old: Mapping[str, Any], new: Mapping[str, Any], names: _Names, impact: Impact
) -> Iterator[BlockDiff]:
    for name, block in new.items():
        if name in names.renamed:
            yield BlockDiff(
                word=word,
                name=name,
                old_name=names.renamed[name],
                status="renamed",
                impact="cosmetic",
            )
        elif name not in old:
            yield BlockDiff(word=word, name=name, status="added", impact=impact)
        else:
            yield from _block(word, name, _keys(old[name]), _keys(block))
    for name in old:
        if name not in new and name not in names.renamed.values():
            yield BlockDiff(word=word, name=name, status="removed", impact=impact)


def _jobs(old: Spec, new: Spec, models: _Names, data: _Names) -> Iterator[BlockDiff]:
    for name, job in new.jobs.items():
        if name not in old.jobs:
            yield BlockDiff(word=job.job, name=name, status="added", impact=_job_impact(job))
            continue
        earlier = old.jobs[name]
        before, after = _keys(earlier), _keys(job)
        if "on" in before:
            before["on"] = _Key(models.new_name(before["on"].text), before["on"].impact)
        if "data" in before:
            entries = [data.new_name(entry) for entry in earlier.data]  # type: ignore[union-attr]
            before["data"] = _Key(f"[{', '.join(entries)}]", before["data"].impact)
        yield from _block(job.job, name, before, after, _override_changes(old, new, name))
    for name, job in old.jobs.items():
        if name not in new.jobs:
            yield BlockDiff(word=job.job, name=name, status="removed", impact=_job_impact(job))


def _job_impact(job: Job) -> Impact:
    return "eval" if isinstance(job, Evaluate) else "training"


def _override_changes(old: Spec, new: Spec, name: str) -> tuple[Change, ...]:
    """Return how the model of a job differs beyond how the model that it overrides differs."""
    if name not in old.job_models and name not in new.job_models:
        return ()
    sides = [(spec.models[spec.training_job(name).on], spec.model_of(name)) for spec in (old, new)]
    (old_base, old_model), (new_base, new_model) = sides
    shared = set(_changes(_keys(old_base), _keys(new_base)))
    return tuple(
        replace(change, address=f"model.{change.address}")
        for change in _changes(_keys(old_model), _keys(new_model))
        if change not in shared
    )


@dataclass(frozen=True, slots=True)
class _Key:
    """The value of a key as the language spells it, and the address of the block that it is in."""

    text: str
    impact: Impact
    inside: str | None = None


def _block(
    word: str,
    name: str,
    old: Mapping[str, _Key],
    new: Mapping[str, _Key],
    more: tuple[Change, ...] = (),
) -> Iterator[BlockDiff]:
    changes = (*_changes(old, new), *more)
    impact = strongest(change.impact for change in changes)
    if impact is not None:
        unchanged = sum(old[address] == key for address, key in new.items() if address in old)
        yield BlockDiff(
            word=word,
            name=name,
            status="changed",
            impact=impact,
            changes=changes,
            unchanged=unchanged,
        )


def _changes(old: Mapping[str, _Key], new: Mapping[str, _Key]) -> tuple[Change, ...]:
    """Return the keys that differ, in the order of the new block."""
    changes = []
    other_kind: set[str] = set()
    for address in dict.fromkeys((*new, *old)):
        before, after = old.get(address), new.get(address)
        if before == after:
            continue
        if before is not None and after is not None:
            stronger = min(before.impact, after.impact, key=IMPACTS.index)
            impact = _softened(before, after) or stronger
            if _word(before) != _word(after):
                other_kind.add(address)
        else:
            [key] = [key for key in (before, after) if key is not None]
            other_kind.add(address)
            if key.inside in other_kind:
                # Keys that the other kind of block does not have say nothing of their own.
                continue
            impact = key.impact
        changes.append(
            Change(
                address=address,
                old=before.text if before else None,
                new=after.text if after else None,
                impact=impact,
            )
        )
    return tuple(changes)


def _word(key: _Key) -> str:
    return key.text.partition("(")[0]


def _softened(old: _Key, new: _Key) -> Impact | None:
    """The same architecture with or without its published weights has the same tensors."""
    before, _, name = old.text.partition("(")
    after, _, other = new.text.partition("(")
    loading = {"huggingface", "timm", "random"}
    if name and name == other and {before, after} <= loading:
        return "training"
    return None


def _keys(block: Block) -> dict[str, _Key]:
    """Return all keys of a block and of the blocks inside it, by address."""
    if isinstance(block, Model):
        return _model_keys(block)
    found: dict[str, _Key] = {}
    for name, info in type(block).model_fields.items():
        value = getattr(block, name)
        if name == "name" and impact_of(info) == "cosmetic":
            continue
        if not info.json_schema_extra:
            found[name] = _Key(str(value), "weights" if name == "task" else "training")
        elif name == "objectives":
            for objective in value:
                _nest(found, f"objective.{objective.objective}", objective, impact_of(info))
        elif isinstance(value, Block):
            _nest(found, name, value, impact_of(info))
        elif isinstance(value, Mapping):
            for address, factor in value.items():
                found[f"{name}.{address}"] = _Key(
                    value_text(factor, kind_of(info)), impact_of(info)
                )
        elif states(block, name):
            found[name] = _Key(value_text(value, kind_of(info)), impact_of(info))
    return found


def _nest(found: dict[str, _Key], address: str, block: Block, impact: Impact) -> None:
    """Add a block inside another: which one it is, then its keys."""
    found[address] = _Key(head_text(block), impact)
    leave_out = {tag_of(type(block))[0], positional_key(type(block))}
    for name, key in _keys(block).items():
        if name not in leave_out:
            inside = address if key.inside is None else f"{address}.{key.inside}"
            found[f"{address}.{name}"] = replace(key, inside=inside)


def _model_keys(model: Model) -> dict[str, _Key]:
    found: dict[str, _Key] = {}
    for name, stream in model.streams.items():
        _nest(found, name, stream, "weights")
    _nest(found, model.fusion_name, model.fusion, "weights")
    for name in ("pool", "attention"):
        found[name] = _Key(getattr(model, name), impact_of(Model.model_fields[name]))
    for directive in model.freeze:
        for single in directive.selectors:
            alone = directive.model_copy(update={"selectors": (single,)})
            head = directive_head(alone)
            found[head] = _Key("", "training")
            for name, info in keys_of(Freeze).items():
                value = value_text(getattr(directive, name), kind_of(info))
                found[f"{head}.{name}"] = _Key(value, impact_of(info), inside=head)
    return found
