"""What does not learn, and until when: a checked contract.

Directives are resolved to lists of parameters when a model is built. What is frozen takes no
gradient and stays in evaluation mode, so that it is a constant function of its input.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from torch import nn

from renaissance.compiler.adapters import is_of_adapter, parts_of_adapter
from renaissance.compiler.addresses import ParameterAddress, parameter_addresses
from renaissance.compiler.demand import unread_parts
from renaissance.compiler.errors import FreezeError
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.constancy import keep_constant
from renaissance.compiler.selectors import select
from renaissance.grammar.anatomy.model import every_head, head_parts
from renaissance.grammar.declaration import Share
from renaissance.grammar.kinds.head import Head
from renaissance.grammar.schema.model import Adapt, Freeze


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenSelection:
    """One directive, resolved.

    Attributes:
        directive: as written.
        names: of the parameters it freezes, in the order of the model.
        parameters: how many numbers they hold.
        adapters: how many numbers learn beside them, in the adapters that it asks for.
    """

    directive: Freeze | Adapt
    names: tuple[str, ...]
    parameters: int
    adapters: int = 0

    def thaws_at(self, total_steps: int) -> int | None:
        """Return the first step in which its parameters learn; None for never."""
        until = self.directive.until
        return round(until * total_steps) if isinstance(until, Share) else until


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezePlan:
    """All directives of a model, resolved.

    Attributes:
        selections: one for each directive.
        fixed: names of parameters that their library never trains, such as sine positions.
        unread: names of parameters that no head of the job reads.
    """

    selections: tuple[FrozenSelection, ...]
    fixed: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def frozen(self, step: int, total_steps: int) -> tuple[str, ...]:
        """Return the names of the parameters that do not learn in a step, counted from 0."""
        names = [*self.fixed, *self.unread]
        for selection in self.selections:
            thaw = selection.thaws_at(total_steps)
            if thaw is None or step < thaw:
                names += selection.names
        return tuple(dict.fromkeys(names))

    def next_change(self, step: int, total_steps: int) -> int | None:
        """Return the next step after `step` at which something starts to learn; None for never."""
        thaws = (selection.thaws_at(total_steps) for selection in self.selections)
        later = [thaw for thaw in thaws if thaw is not None and step < thaw < total_steps]
        return min(later, default=None)

    def apply(self, model: nn.Module, step: int, total_steps: int) -> None:
        """Let exactly the parameters learn that do so in a step, and hold the rest constant.

        Args:
            model: the model that the plan was resolved for.
            step: of the job, counted from 0.
            total_steps: length of the job.
        """
        frozen = frozenset(self.frozen(step, total_steps))
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name not in frozen)
            if name in frozen:
                parameter.grad = None
        model.train(model.training)
        keep_constant(model)


def resolve(model: VisionLanguageModel, directives: Iterable[Freeze | Adapt]) -> FreezePlan:
    """Resolve directives to the parameters of a model.

    Args:
        model: as built.
        directives: `frozen` of the model in the spec. Adapters learn whatever they say.

    Raises:
        FreezeError: if a selector means nothing, or an exception leaves nothing to freeze.
    """
    built = parameter_addresses(model)
    sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
    selections = []
    for directive in directives:
        chosen = _chosen(model, built, directive)
        names = tuple(name for name in built if name in chosen and not is_of_adapter(name))
        selections.append(
            FrozenSelection(
                directive=directive,
                names=names,
                parameters=sum(sizes[name] for name in names),
                adapters=_beside(names, sizes) if isinstance(directive, Adapt) else 0,
            )
        )
    unread = tuple(name for names in unread_parts(model).values() for name in names)
    return FreezePlan(selections=tuple(selections), fixed=model.fixed, unread=unread)


def _chosen(
    model: VisionLanguageModel, built: Mapping[str, ParameterAddress], directive: Freeze | Adapt
) -> frozenset[str]:
    """Return the names of what a directive means, exceptions left out; raises FreezeError."""
    # A model serves several jobs: what it says about heads holds for those that a job has.
    absent = tuple(head for head in every_head() if head.name not in model.heads)
    parameters = {**built, **_places(absent)}
    elsewhere = replace(model.anatomy, heads=absent)
    word = "adapt" if isinstance(directive, Adapt) else "freeze"

    def meant(selector: str) -> tuple[str, ...]:
        try:
            return select(selector, parameters, model.name, word=word)
        except FreezeError:
            # Nobody states the parts of some heads: those of another job may have this one.
            if selector.partition(".")[0] == "heads" and elsewhere.select(selector).leaves:
                return ()
            raise

    chosen = _union(map(meant, directive.selectors))
    kept = _union(map(meant, directive.excluded))
    if chosen and chosen <= kept:
        raise FreezeError(
            f"`{word} {', '.join(directive.selectors)} except {', '.join(directive.excluded)}` "
            f"freezes nothing in model `{model.name}`: the exception covers all of it"
        )
    return chosen - kept


def _places(heads: tuple[Head, ...]) -> dict[str, ParameterAddress]:
    """Return places of heads that other jobs add to a model."""
    return {
        f"{leaf.address}/{'.'.join(sorted(leaf.kinds))}": ParameterAddress(
            address=leaf.address, component="head", kind="weight", kinds=leaf.kinds
        )
        for leaf in head_parts(heads).leaves
    }


def _beside(names: Iterable[str], sizes: Mapping[str, int]) -> int:
    """Return how many numbers the adapters beside some parameters hold."""
    maps = {name.removesuffix(".weight") for name in names}
    found = (parts_of_adapter(base)[:2] for base in maps)
    return sum(sizes[part] for parts in found for part in parts if part in sizes)


def _union(selections: Iterable[tuple[str, ...]]) -> frozenset[str]:
    return frozenset(name for names in selections for name in names)
