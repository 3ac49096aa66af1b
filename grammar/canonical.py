"""Print a spec in canonical form: nothing imported or inherited, every default written out."""

from collections.abc import Callable, Iterable, Iterator

from renaissance.grammar.checks.caching import cached_streams
from renaissance.grammar.declaration import Block
from renaissance.grammar.formatter import format_source
from renaissance.grammar.kinds.source import is_embedding
from renaissance.grammar.places import Path
from renaissance.grammar.schema.jobs import Evaluate, Job, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import (
    default_of,
    keys_of,
    kind_of,
    positional_key,
    spelling_of,
)
from renaissance.grammar.source import Source
from renaissance.grammar.spelling import (
    directive_text,
    head_text,
    number_text,
    states,
    value_text,
)

Note = Callable[[Path], str]
"""Gives the comment that stands beside a value, by its path in the spec; empty for none."""


class UnprintableError(ValueError):
    """A spec that was made in Python and that no file can say."""


def print_spec(spec: Spec, note: Note = lambda path: "") -> str:
    """Return the canonical text of a spec; it resolves to an equal spec.

    Args:
        spec: as resolved.
        note: gives a comment for each value.

    Raises:
        UnprintableError: if a job's model is none that overrides can make.
    """
    printer = _Printer(spec, note)
    blocks = [printer.model(name) for name in spec.models]
    blocks += [printer.data(name) for name in spec.data]
    blocks += [printer.job(name, job) for name, job in spec.jobs.items()]
    return format_source(Source(name="<canonical>", text="\n\n".join(blocks) + "\n"))


class _Printer:
    def __init__(self, spec: Spec, note: Note) -> None:
        self._spec = spec
        self._note = note

    def model(self, name: str) -> str:
        model, path = self._spec.models[name], ("models", name)
        lines = []
        for stream, block in model.streams.items():
            word = "embed" if is_embedding(block) else "backbone"
            lines.append(self._said(f"{word} {stream}", block, (*path, "streams", stream)))
        lines.append(self._said(f"fusion {model.fusion_name}", model.fusion, (*path, "fusion")))
        lines += self._keys(model, path)
        lines += [*self._frozen(model, path), *self._adapted(model, path)]
        return _braces(f"model {name}", lines)

    def data(self, name: str) -> str:
        pairs, path = self._spec.data[name], ("data", name)
        first = self._noted(f"format = {pairs.word()}", (*path, "format"))
        return _braces(f"data {name}", [first, *self._keys(pairs, path)])

    def job(self, name: str, job: Job) -> str:
        path = ("jobs", name)
        if isinstance(job, Evaluate):
            return _braces(f"evaluate {name} of {job.of}", self._keys(job, path))
        lines = []
        first = "data" if isinstance(job, Pretrain) else "task"
        if job.source is not None:
            head = f"{job.job} {name} from {job.source}"
            base = self._spec.model_of(job.source)
        else:
            head = f"{job.job} {name} on {job.on}"
            base = self._spec.models[job.on]
        lines += self._keys(job, path, only=(first,))
        lines += self._overrides(name, base)
        if isinstance(job, Pretrain):
            for index, objective in enumerate(job.objectives):
                lines.append(
                    self._block(
                        f"objective {objective.word()}", objective, (*path, "objectives", index)
                    )
                )
        for word, block in (("optimizer", job.optimizer), ("schedule", job.schedule)):
            lines.append(self._block(f"{word} {head_text(block)}", block, (*path, word)))
        for index, change in enumerate(job.augment):
            where = (*path, "augment", index)
            lines.append(self._block(f"augment {head_text(change)}", change, where))
        for word, by_address in (("scale_lr", job.scale_lr), ("decay_lr", job.decay_lr)):
            if by_address:
                factors = [
                    self._noted(f"{address} = {number_text(factor)}", (*path, word, address))
                    for address, factor in by_address.items()
                ]
                lines.append(_braces(word, factors))
        stated = [first, "objectives", "optimizer", "schedule", "scale_lr", "decay_lr"]
        if job.augment:
            stated.append("augment")
        lines += self._keys(job, path, leave_out=stated)
        return _braces(head, lines)

    def _overrides(self, job: str, base: Model) -> list[str]:
        """Return `model { … }` with what a job changes in the model that it starts from."""
        model, path = self._spec.model_of(job), ("job_models", job)
        if base == model:
            return []
        if (base.streams.keys(), base.fusion_name) != (model.streams.keys(), model.fusion_name):
            raise UnprintableError(f"the model of job `{job}` has other parts than `{base.name}`")
        lines: list[str] = []
        for name, stream in model.streams.items():
            where = (*path, "streams", name)
            lines += self._changes(job, name, base.streams[name], stream, where)
        lines += self._changes(job, model.fusion_name, base.fusion, model.fusion, (*path, "fusion"))
        for name, info in keys_of(Model).items():
            value = getattr(model, name)
            if getattr(base, name) != value:
                text = f"{name} = {value_text(value, kind_of(info))}"
                lines.append(self._noted(text, (*path, name)))
        if base.freeze != model.freeze:
            lines += self._frozen(model, path) or ["freeze nothing"]
        if base.adapt != model.adapt:
            lines += self._adapted(model, path) or ["adapt nothing"]
        return [_braces("model", lines)]

    def _changes(self, job: str, root: str, base: Block, block: Block, path: Path) -> Iterator[str]:
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
            text = f"{root}.{name} = {value_text(value, kind_of(info))}"
            yield self._noted(text, (*path, name))

    def _adapted(self, model: Model, path: Path) -> list[str]:
        return [
            self._noted(directive_text(one, every=True), (*path, "adapt", index))
            for index, one in enumerate(model.adapt)
        ]

    def _frozen(self, model: Model, path: Path) -> list[str]:
        lines = []
        for index, directive in enumerate(model.freeze):
            # Elsewhere the keys of a cache mean nothing.
            every = bool(cached_streams(directive, model.streams))
            lines.append(
                self._noted(directive_text(directive, every=every), (*path, "freeze", index))
            )
        return lines

    def _said(self, head: str, block: Block, path: Path) -> str:
        return self._block(f"{head} = {head_text(block)}", block, path)

    def _block(self, head: str, block: Block, path: Path) -> str:
        lines = self._keys(block, path)
        return _braces(head, lines, self._note(path)) if lines else self._noted(head, path)

    def _keys(
        self, block: Block, path: Path, *, only: Iterable[str] = (), leave_out: Iterable[str] = ()
    ) -> list[str]:
        lines = []
        for name, info in keys_of(type(block)).items():
            if name in leave_out or (only and name not in only) or not states(block, name):
                continue
            value, where = getattr(block, name), (*path, name)
            if isinstance(value, Block):
                lines.append(self._said(name, value, where))
            else:
                text = f"{spelling_of(name, info)} = {value_text(value, kind_of(info))}"
                lines.append(self._noted(text, where))
        return lines

    def _noted(self, text: str, path: Path) -> str:
        note = self._note(path)
        return f"{text}  # {note}" if note else text


def _braces(head: str, lines: Iterable[str], note: str = "") -> str:
    comment = f"  # {note}" if note else ""
    return f"{head} {{{comment}\n" + "\n".join(lines) + "\n}"
