"""Lay the statements of a body over a model: its streams, its fusion, its keys, its directives."""

from renaissance.grammar import tree
from renaissance.grammar.composition.drafts import Choice, Setting, assignments, choice_of, put
from renaissance.grammar.composition.lets import follow
from renaissance.grammar.composition.mistakes import (
    encoder_in,
    no_key_of_a_model,
    states_a_stream,
)
from renaissance.grammar.composition.model_drafts import ModelDraft, StreamDraft
from renaissance.grammar.composition.model_mistakes import (
    RESERVED,
    beside_nothing,
    defined_twice,
    no_block,
    no_name,
    no_part,
    nothing_to_override,
    only_keys,
    relates_to_nothing,
    reserved,
    second_fusion,
)
from renaissance.grammar.composition.model_overrides import overridden
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.findings import Findings
from renaissance.grammar.record import replace
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.vocabulary import keys_of
from renaissance.grammar.source import Span


def laid_over(
    base: ModelDraft,
    body: tree.Body,
    scope: Scope,
    findings: Findings,
    *,
    parent: bool,
    job: bool = False,
) -> ModelDraft:
    """Return `base` with the statements of a body laid over it.

    Args:
        base: what there is: nothing yet, a parent, or the model of a job.
        body: statements of the model, or of `model { … }` in a job.
        scope: where names of values are looked up.
        findings: receives what is wrong.
        parent: there is something to override.
        job: the body is an override in a job, which changes keys and freezing only.
    """
    laid = _Statements(base, scope, findings, parent=parent, job=job, broken=body.broken)
    for statement in body.statements:
        laid.take(statement)
    return overridden(laid.draft(), body, scope, findings, parent=parent)


class _Statements:
    """What a body says so far, over what there is."""

    def __init__(
        self,
        base: ModelDraft,
        scope: Scope,
        findings: Findings,
        *,
        parent: bool,
        job: bool,
        broken: bool,
    ) -> None:
        self._base = base
        self._scope = scope
        self._findings = findings
        self._parent = parent
        self._job = job
        self._broken = base.broken or broken
        # All of what there is could be read, so that what is not there is not there.
        self._complete = not self._broken
        self._streams = dict(base.streams)
        self._fusion_name, self._fusion = base.fusion_name, base.fusion
        self._keys: dict[str, Setting] = {}
        self._directives: dict[str, list[tree.Freeze]] = {"freeze": [], "adapt": []}
        self._declared: dict[str, Span] = {}
        self._fused: Span | None = None

    def take(self, statement: tree.Statement) -> None:
        """Take the next statement; overrides by address are left for later."""
        match statement:
            case tree.Adapt():
                self._directives["adapt"].append(statement)
            case tree.Freeze():
                self._directives["freeze"].append(statement)
            case tree.Assignment(address=tree.Address(parts=(tree.Name(text=key),))):
                put(self._keys, statement.address.span, key, statement.value, self._findings)
            case tree.Assignment():
                pass
            case tree.Declaration(keyword=tree.Name(text="backbone" | "embed")):
                self._broken |= not self._take_stream(statement)
            case tree.Declaration(keyword=tree.Name(text="fusion")):
                self._broken |= not self._take_fusion(statement)
            case _:
                self._findings.add(no_part(statement))

    def draft(self) -> ModelDraft:
        """Return the model with all that was taken."""
        known = keys_of(Model)
        for name, setting in self._keys.items():
            if name not in known:
                self._findings.add(no_key_of_a_model(name, setting))
        kept = {name: setting for name, setting in self._keys.items() if name in known}
        streams = any(states_a_stream(key, one.value) for key, one in self._keys.items())
        return replace(
            self._base,
            streams=self._streams,
            fusion_name=self._fusion_name,
            fusion=self._fusion,
            keys={**self._base.keys, **kept},
            freeze=self._selecting("freeze", self._base.freeze),
            adapt=self._selecting("adapt", self._base.adapt),
            broken=self._broken or streams,
        )

    def _selecting(self, word: str, inherited: tuple[tree.Freeze, ...]) -> tuple[tree.Freeze, ...]:
        """Return the directives of a word: its own, which may select nothing, or inherited ones."""
        said = self._directives[word]
        nothing = [one for one in said if not one.selectors]
        if nothing and len(said) > 1:
            other = next(one for one in said if one.selectors or one is not nothing[0])
            self._findings.add(beside_nothing(word, nothing[0], other))
        return tuple(one for one in said if one.selectors) if said else inherited

    def _take_stream(self, statement: tree.Declaration) -> bool:
        """Declare a stream or override one; False where it cannot be read."""
        word = statement.keyword
        name = self._new_name(statement)
        if name is None:
            return False
        if statement.value is None:
            inherited = self._streams.get(name.text)
            keys, broken = assignments(statement.body, self._findings)
            if inherited is None or not self._parent:
                self._nothing_to_override(name, word.text, self._streams)
                return False
            if inherited.choice is None:
                return False
            changed = inherited.choice.merged(keys, broken)
            self._streams[name.text] = replace(inherited, choice=changed)
            return True
        if self._job:
            self._findings.add(only_keys(statement))
            return False
        choice = self._choice(statement.value, word.text, name.text)
        self._streams[name.text] = StreamDraft(keyword=word, name=name, choice=choice)
        return True

    def _take_fusion(self, statement: tree.Declaration) -> bool:
        """Declare the fusion or override it; False where it cannot be read."""
        name, known = self._new_name(statement), self._fusion_name
        if name is None:
            return False
        if statement.value is None:
            keys, broken = assignments(statement.body, self._findings)
            if known is None or known.text != name.text or not self._parent:
                self._nothing_to_override(name, "fusion", (known.text,) if known else ())
                return False
            if self._fusion is not None:
                self._fusion = self._fusion.merged(keys, broken)
            return True
        if self._job:
            self._findings.add(only_keys(statement))
            return False
        if self._fused is not None:
            self._findings.add(second_fusion(name, self._fused))
            return False
        self._fused = name.span
        self._fusion_name, self._fusion = name, self._choice(statement.value, "fusion", name.text)
        return True

    def _new_name(self, statement: tree.Declaration) -> tree.Name | None:
        """Return what a stream or a fusion is called; None where it has no name of its own."""
        word, name = statement.keyword, statement.name
        if name is None:
            self._findings.add(no_name(word))
            return None
        self._findings.extend(relates_to_nothing(one, word.text) for one in statement.relations)
        if name.text in self._declared:
            self._findings.add(defined_twice(name, self._declared[name.text]))
            return None
        self._declared[name.text] = name.span
        if name.text in RESERVED and not name.text == word.text == "fusion":
            self._findings.add(reserved(name))
        return name

    def _choice(self, value: tree.Value, word: str, name: str) -> Choice | None:
        meant = follow(value, self._scope, self._findings)
        if meant is None:
            return None
        choice = choice_of(meant, self._findings)
        if choice is None:
            encoder = None if word == "fusion" else encoder_in(meant, name)
            self._findings.add(no_block(value.span, word, encoder, sure=meant is value))
        return choice

    def _nothing_to_override(
        self, name: tree.Name, word: str, known: "dict[str, StreamDraft] | tuple[str, ...]"
    ) -> None:
        if self._complete or not self._parent:
            self._findings.add(nothing_to_override(name, word, known, parent=self._parent))
