"""What makes two specs the same experiment."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from renaissance.grammar.schema.declaration import Block, Share, impact_of
from renaissance.grammar.schema.jobs import Evaluate, Pretrain
from renaissance.grammar.schema.model import Freeze

if TYPE_CHECKING:
    from renaissance.grammar.schema.spec import Spec


def identity(spec: "Spec") -> dict[str, Any]:
    """Return the part of a spec that its hash is taken of, as JSON values.

    Left out are keys that change nothing (their impact is `cosmetic`), and models and data that no
    job uses, if there are jobs. What has no order comes sorted.
    """
    used: set[str] = set()
    data: set[str] = set()
    for name, job in spec.jobs.items():
        if not isinstance(job, Evaluate) and name not in spec.job_models:
            used.add(job.on)
        if isinstance(job, Pretrain):
            data.update(job.data)
    everything = not spec.jobs
    return {
        "models": {n: _block(m) for n, m in spec.models.items() if everything or n in used},
        "data": {n: _block(d) for n, d in spec.data.items() if everything or n in data},
        "jobs": {name: _block(job) for name, job in spec.jobs.items()},
        "job_models": {name: _block(model) for name, model in spec.job_models.items()},
    }


def _block(block: Block) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, info in type(block).model_fields.items():
        value = getattr(block, name)
        if name == "freeze":
            found[name] = _directives(value)
        elif not info.json_schema_extra:
            # The word that tells blocks of a union apart.
            found[name] = value
        elif impact_of(info) != "cosmetic":
            found[name] = _value(value)
        if name == "objectives":
            found[name].sort(key=lambda objective: str(objective["objective"]))
    return found


def _value(value: Any) -> Any:
    if isinstance(value, Block):
        return _block(value)
    if isinstance(value, Share):
        return value.spelling
    if isinstance(value, Mapping):
        return {key: _value(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return [_value(entry) for entry in value]
    return value


def _directives(directives: tuple[Freeze, ...]) -> list[Any]:
    """Directives add up: neither their order nor how they are grouped means anything."""
    single = {
        (selector, tuple(sorted(set(d.excluded))), str(d.until))
        for d in directives
        for selector in d.selectors
    }
    return [list(entry) for entry in sorted(single)]
