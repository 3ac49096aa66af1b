"""Print a spec in canonical form: nothing imported or inherited, every default written out."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from renaissance.grammar.formatter import format_source
from renaissance.grammar.schema.data import Pairs
from renaissance.grammar.schema.declaration import Block, Share
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.streams import Patches, Wordpiece
from renaissance.grammar.schema.vocabulary import (
    Kind,
    default_of,
    keys_of,
    kind_of,
    positional_key,
    tag_of,
)
from renaissance.grammar.source import Source
from renaissance.grammar.tokens import tables

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class UnprintableError(ValueError):
    """A spec that was made in Python and that no file can say."""


def print_spec(spec: Spec) -> str:
    """Return the canonical text of a spec; it resolves to an equal spec.

    Raises:
        UnprintableError: if a job's model is none that overrides can make.
    """
    blocks = [_model(name, model) for name, model in spec.models.items()]
    blocks += [_data(name, pairs) for name, pairs in spec.data.items()]
    blocks += [_job(spec, name, job) for name, job in spec.jobs.items()]
    return format_source(Source(name="<canonical>", text="\n\n".join(blocks) + "\n"))


def _model(name: str, model: Model) -> str:
    lines = []
    for stream, block in model.streams.items():
        word = "embed" if isinstance(block, Wordpiece | Patches) else "backbone"
        lines.append(f"{word} {stream} = {_call(block)}")
    lines.append(f"fusion {model.fusion_name} = {_call(model.fusion)}")
    lines += _assignments(model)
    lines += _directives(model.freeze)
    return f"model {name} {{\n" + "\n".join(lines) + "\n}"


def _data(name: str, pairs: Pairs) -> str:
    lines = [f"format = {pairs.format}", *_assignments(pairs)]
    return f"data {name} {{\n" + "\n".join(lines) + "\n}"


def _job(spec: Spec, name: str, job: Job) -> str:
    lines = []
    if isinstance(job, Evaluate):
        head = f"evaluate {name} of {job.of}"
    else:
        if isinstance(job, Finetune) and job.source is not None:
            head = f"finetune {name} from {job.source}"
            base = spec.model_of(job.source)
        else:
            head = f"{job.job} {name} on {job.on}"
            base = spec.models[job.on]
        lines += _overrides(name, base, spec.model_of(name))
    if isinstance(job, Pretrain):
        lines += [
            f"objective {objective.objective} {_braces(objective)}" for objective in job.objectives
        ]
    if isinstance(job, Pretrain | Finetune):
        lines.append(f"optimizer {job.optimizer.optimizer} {_braces(job.optimizer)}")
        lines.append(f"schedule {job.schedule.schedule} {_braces(job.schedule)}")
        if job.scale_lr:
            factors = "\n".join(f"{a} = {_number(f)}" for a, f in job.scale_lr.items())
            lines.append(f"scale_lr {{\n{factors}\n}}")
    stated = ("objectives", "optimizer", "schedule", "scale_lr")
    lines += _assignments(job, leave_out=stated)
    return f"{head} {{\n" + "\n".join(lines) + "\n}"


def _overrides(job: str, base: Model, model: Model) -> list[str]:
    if base == model:
        return []
    same = base.streams.keys() == model.streams.keys() and base.fusion_name == model.fusion_name
    if not same:
        raise UnprintableError(f"the model of job `{job}` has other parts than `{base.name}`")
    lines = []
    for name, stream in model.streams.items():
        lines += _changes(job, name, base.streams[name], stream)
    lines += _changes(job, model.fusion_name, base.fusion, model.fusion)
    for name, info in keys_of(Model).items():
        if getattr(base, name) != getattr(model, name):
            lines.append(f"{name} = {_value(getattr(model, name), kind_of(info))}")
    if base.freeze != model.freeze:
        lines += _directives(model.freeze) or ["freeze nothing"]
    return ["model {\n" + "\n".join(lines) + "\n}"]


def _changes(job: str, root: str, base: Block, block: Block) -> Iterator[str]:
    argument = positional_key(type(block))
    if type(base) is not type(block) or (
        argument and getattr(base, argument) != getattr(block, argument)
    ):
        raise UnprintableError(f"job `{job}` replaces `{root}` of its model")
    for name, info in keys_of(type(block)).items():
        value = getattr(block, name)
        if getattr(base, name) == value:
            continue
        if value is None and default_of(info) is None:
            raise UnprintableError(f"job `{job}` takes back `{root}.{name}` of its model")
        yield f"{root}.{name} = {_value(value, kind_of(info))}"


def _directives(directives: Iterable[Freeze]) -> list[str]:
    lines = []
    for directive in directives:
        line = "freeze " + ", ".join(directive.selectors)
        if directive.excluded:
            line += " except " + ", ".join(directive.excluded)
        if directive.until is not None:
            line += f" until {directive.until}"
        lines.append(line)
    return lines


def _call(block: Block) -> str:
    word = tag_of(type(block))[1]
    word = "random" if word == "plain" else word
    name = positional_key(type(block))
    argument = getattr(block, name) if name else None
    if isinstance(argument, tuple):
        word += f"({', '.join(argument)})"
    elif argument is not None:
        word += f"({_text(argument)})"
    return f"{word} {_braces(block)}".rstrip()


def _braces(block: Block) -> str:
    lines = _assignments(block)
    return "{\n" + "\n".join(lines) + "\n}" if lines else ""


def _assignments(block: Block, leave_out: Iterable[str] = ()) -> list[str]:
    lines = []
    for name, info in keys_of(type(block)).items():
        value = getattr(block, name)
        absent = value is None and default_of(info) is None
        if name in leave_out or absent or not _applies(block, name):
            continue
        lines.append(f"{name} = {_value(value, kind_of(info))}")
    return lines


def _applies(block: Block, name: str) -> bool:
    """Tell whether a key means anything: `resize` needs images."""
    return name != "resize" or getattr(block, "image_size", None) is not None


def _value(value: Any, kind: Kind) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case Share():
            return value.spelling
        case int() | float():
            return _number(value)
        case str() if value in kind.words or (kind.name and _is_name(value)):
            return value
        case str():
            return _text(value)
        case tuple():
            inner = kind.item or Kind()
            return "[" + ", ".join(_value(item, inner) for item in value) + "]"
        case Block():
            return _call(value)
        case Mapping():
            raise TypeError("a table is a statement, not a value")
    raise TypeError(f"the language has no spelling for {value!r}")


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    text = repr(value).removesuffix(".0")
    return re.sub(r"e([+-])0?(\d)", lambda m: f"e{m[1].strip('+')}{m[2]}", text)


def _is_name(text: str) -> bool:
    keyword = tables().keywords.get(text)
    return bool(_NAME.fullmatch(text)) and (keyword is None or keyword in tables().blocks)


def _text(text: str) -> str:
    return '"' + "".join(_character(character) for character in text) + '"'


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable() or ord(character) > 0xFFFF:
        return character
    return f"\\u{ord(character):04x}"
