"""What makes two specs the same experiment."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from renaissance.grammar.schema.declaration import Block, Minutes, Share, impact_of
from renaissance.grammar.schema.jobs import Pretrain
from renaissance.grammar.schema.model import Freeze

if TYPE_CHECKING:
    from renaissance.grammar.schema.spec import Spec


def identity(spec: "Spec") -> dict[str, Any]:
    """Return the part of a spec that its hash is taken of, as JSON values.

    It is what each job does, with which model and data: the names of models and data are left out,
    and so are keys that change nothing (their impact is `cosmetic`) and blocks that no job uses. A
    spec without jobs is what its models and data are. What has no order comes sorted.
    """
    if not spec.jobs:
        return {
            "models": {name: reduced(model) for name, model in spec.models.items()},
            "data": {name: reduced(pairs) for name, pairs in spec.data.items()},
        }
    jobs = {}
    for name, job in spec.jobs.items():
        jobs[name] = reduced(job) | {"on": reduced(spec.model_of(name))}
        if isinstance(job, Pretrain):
            jobs[name]["data"] = [reduced(spec.data[entry]) for entry in job.data]
    return {"jobs": jobs}


def reduced(block: Block) -> dict[str, Any]:
    """Return the keys of a block that change something, as JSON values in a fixed order."""
    found: dict[str, Any] = {}
    for name, info in type(block).model_fields.items():
        value = getattr(block, name)
        if name == "freeze":
            found[name] = directives(value)
        elif not info.json_schema_extra:
            # The word that tells blocks of a union apart.
            found[name] = value
        elif impact_of(info) != "cosmetic":
            found[name] = _value(value)
        if name == "objectives":
            found[name].sort(key=lambda objective: str(objective["objective"]))
    return found


def directives(freeze: tuple[Freeze, ...]) -> list[Any]:
    """Return directives of which neither order nor grouping is left, for they only add up."""
    single = {
        (selector, tuple(sorted(set(directive.excluded))), str(directive.until))
        for directive in freeze
        for selector in directive.selectors
    }
    return [[selector, list(excluded), until] for selector, excluded, until in sorted(single)]


def _value(value: Any) -> Any:
    if isinstance(value, Block):
        return reduced(value)
    if isinstance(value, Share | Minutes):
        return value.spelling
    if isinstance(value, Mapping):
        return {key: _value(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return [_value(entry) for entry in value]
    return value
