"""Compose models: what a block says, over what its parents say, under what a job overrides."""

from renaissance.grammar import tree
from renaissance.grammar.composition.mistakes import unknown_name
from renaissance.grammar.composition.model_drafts import ModelDraft
from renaissance.grammar.composition.model_mistakes import empty, extends_itself, not_extending
from renaissance.grammar.composition.model_statements import laid_over
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.findings import Findings
from renaissance.grammar.record import replace


class Composer:
    """Builds the drafts of all models, each once."""

    def __init__(self, scope: Scope, findings: Findings) -> None:
        """Look names up in `scope`, report to `findings`."""
        self._scope = scope
        self._findings = findings
        self._drafts: dict[str, ModelDraft | None] = {}

    def draft(self, name: str) -> ModelDraft | None:
        """Return the draft of a declared model; None if it has no parent that it can start from."""
        chain: list[str] = []
        step: str | None = name
        while step is not None and step not in self._drafts:
            if step in chain:
                self._report_circle(chain[chain.index(step) :])
                self._drafts.update(dict.fromkeys(chain))
                break
            chain.append(step)
            parent = self._extends(self._scope.models[step])
            step = parent.target.text if parent and self._known(parent.target) else None
        for step in reversed(chain):
            if step not in self._drafts:
                self._drafts[step] = self._compose(step)
        return self._drafts[name]

    def _compose(self, name: str) -> ModelDraft | None:
        """Return a draft, with that of the parent at hand."""
        declaration = self._scope.models[name]
        assert declaration.name is not None
        draft = ModelDraft(name=declaration.name)
        parent = self._extends(declaration)
        for relation in declaration.relations:
            if relation.word.text != "extends" or relation is not parent:
                self._findings.add(not_extending(relation, parent))
        if parent is not None:
            inherited = self._drafts.get(parent.target.text)
            if inherited is None:
                return None
            draft = replace(inherited, name=declaration.name)
        if declaration.body is not None:
            draft = self._laid_over(draft, declaration.body, parent=parent is not None)
        elif parent is None:
            self._findings.add(empty(declaration.name))
            return None
        for body in self._scope.settings_of("model", name):
            draft = self._laid_over(draft, body, parent=True, job=True)
        return draft

    def _laid_over(
        self, base: ModelDraft, body: tree.Body, *, parent: bool, job: bool = False
    ) -> ModelDraft:
        return laid_over(base, body, self._scope, self._findings, parent=parent, job=job)

    def _extends(self, declaration: tree.Declaration) -> tree.Relation | None:
        relations = declaration.relations
        extending = next((r for r in relations if r.word.text == "extends"), None)
        # Another word is reported, and what it names is the parent that was meant.
        return extending or next(iter(relations), None)

    def _known(self, parent: tree.Name) -> bool:
        self._scope.used_models.add(parent.text)
        if parent.text in self._scope.models:
            return True
        if not self._scope.incomplete:
            self._findings.add(unknown_name("model", parent, self._scope.models))
        return False

    def _report_circle(self, names: list[str]) -> None:
        relations = [self._extends(self._scope.models[name]) for name in names]
        self._findings.add(extends_itself(names[0], [one for one in relations if one is not None]))
