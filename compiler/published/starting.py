"""A model starts from the weights of a published one."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from renaissance.compiler.backbones.content import content_hash
from renaissance.compiler.errors import CompileError
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.attention import MultiHeadAttention
from renaissance.compiler.model.tower import BackboneReference, Stacked, Tower
from renaissance.compiler.published.families import FAMILIES
from renaissance.compiler.published.folder import PublishedModel, read_published
from renaissance.compiler.published.naming import Family, Match, Roles
from renaissance.compiler.published.soundness import NAMED, check_numbers, check_whole
from renaissance.grammar.names import listing

_POSITIONS = ("embeddings.position", "position_embeddings.weight", "position_embedding.weight")
"""How names of tables of positions end."""
_ROWS = re.compile(r"(.+)\[(\d+)(?::(\d+))?\]$")


class _OtherShapeError(ValueError):
    """Tensors that have another shape than is wanted; says both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What a model has of a published one.

    Attributes:
        path: of its folder.
        family: its `model_type`.
        taken: names of tensors of the folder, by the name that their sum has in the model.
        left: tensors of the folder that the model does not have.
        fresh: tensors of the model that the folder does not have: they start at random.
        cut: sentences on what is there in part, or computed otherwise.
    """

    path: str
    family: str
    taken: Mapping[str, tuple[str, ...]]
    left: tuple[str, ...]
    fresh: tuple[str, ...]
    cut: tuple[str, ...]

    @property
    def table(self) -> tuple[tuple[str, str], ...]:
        """What becomes of each tensor: name in the folder, name here; `-` where one has none."""
        rows = [(" + ".join(names), ours) for ours, names in self.taken.items()]
        return (*rows, *((name, "-") for name in self.left), *(("-", name) for name in self.fresh))

    @property
    def sentences(self) -> tuple[str, ...]:
        """Say it."""
        summed = [ours for ours, names in self.taken.items() if len(names) > 1]
        said = (
            f"{_tensors(tuple(self.taken), 'starts', 'start')} from `{self.path}` ({self.family})"
        )
        if summed:
            said += f", {len(summed)} of them sums: {_some(summed)}"
        found = [said, *self.cut]
        if self.left:
            found.append(f"{_tensors(self.left, 'of it is', 'of it are')} left: {_some(self.left)}")
        if self.fresh:
            start = _tensors(self.fresh, "starts", "start")
            found.append(f"{start} at random: {_some(self.fresh)}")
        return tuple(found)


def start_from_published(
    model: VisionLanguageModel, path: str, roles: Roles, *, weights: bool
) -> Started:
    """Give a model the weights of a published one, in place.

    Args:
        model: as it is initialised.
        path: local folder in transformers' format.
        roles: of its streams.
        weights: with values; without them, only names and shapes are compared.

    Raises:
        CompileError: if the folder holds no model that is known here, or not one like this.
    """
    published = read_published(path, weights=weights)
    family = FAMILIES.get(published.family)
    if family is None:
        raise CompileError(
            f"`{path}` holds a model of type `{published.family}`; known are {listing(FAMILIES)}"
        )
    _check_heads(model, published, roles)
    given = _without_prefix(published)
    own = dict(model.state_dict(keep_vars=True))
    taken: dict[str, tuple[str, ...]] = {}
    cut = list(_otherwise(model, published, roles))
    wrong: list[str] = []
    lacking: dict[str, str] = {}
    for ours, names in _matches(family, roles, published):
        if ours not in own:
            continue
        if absent := [name for name in names if _rows(name)[0] not in given]:
            lacking[ours] = absent[0]
            continue
        # Types of segments stand in the positions where they have no place of their own.
        if ours.endswith(".position") and f"{ours.removesuffix('position')}type_embedding" in own:
            names = names[:1]
        try:
            tensor, said = _fitting(given, ours, names, own[ours].shape, roles)
        except _OtherShapeError as other:
            wrong.append(str(other))
            continue
        cut += said
        taken[ours] = names
        if weights:
            check_numbers(path, names[0], tensor)
            with torch.no_grad():
                own[ours].copy_(tensor)
    if wrong:
        raise CompileError(
            f"model `{model.name}` has other shapes than `{path}`: {_some(wrong, ticks=False)}"
        )
    check_whole(path, lacking, taken)
    started = _started(published, given, own, taken, cut)
    _refer(model, started, weights)
    return started


def _matches(family: Family, roles: Roles, published: PublishedModel) -> Iterator[Match]:
    """Yield what a family says, with the folder in what is wrong about its settings."""
    try:
        yield from family(roles, published.config)
    except CompileError as error:
        raise CompileError(f"`{published.path}/config.json` {error}") from None


def _started(
    published: PublishedModel,
    given: Mapping[str, Tensor],
    own: Mapping[str, Tensor],
    taken: Mapping[str, tuple[str, ...]],
    cut: list[str],
) -> Started:
    used = {_rows(name)[0] for names in taken.values() for name in names}
    encoder = [name for name in own if not name.startswith("heads.")]
    if not any(name in taken for name in encoder):
        raise CompileError(f"nothing of `{published.path}` has a place in the model")
    return Started(
        path=published.path,
        family=published.family,
        taken=taken,
        left=tuple(name for name in given if name not in used),
        fresh=tuple(name for name in own if name not in taken),
        cut=tuple(cut),
    )


def _without_prefix(published: PublishedModel) -> dict[str, Tensor]:
    """Return tensors by the names that they have without heads around the model."""
    prefix = f"{published.family}."
    return {name.removeprefix(prefix): tensor for name, tensor in published.tensors.items()}


def _rows(name: str) -> tuple[str, int | slice | None]:
    """Return the name of a tensor, and which row or rows of it are meant; None: all of it."""
    found = _ROWS.match(name)
    if found is None:
        return name, None
    first = int(found[2])
    return found[1], first if found[3] is None else slice(first, int(found[3]))


def _fitting(
    given: Mapping[str, Tensor],
    ours: str,
    names: tuple[str, ...],
    wanted: torch.Size,
    roles: Roles,
) -> tuple[Tensor, list[str]]:
    """Return the sum of tensors in a shape, and what was cut off of it, in sentences.

    Raises:
        _OtherShapeError: if it has another shape.
    """
    try:
        tensor = _sum(given, names)
    except (IndexError, RuntimeError):  # no such row, or shapes that cannot be added
        raise _OtherShapeError(f"`{ours}` {list(wanted)} and {_shapes(given, names)}") from None
    said = []
    if ours.startswith(f"streams.{roles.text}.") and _longer(ours, tensor, wanted):
        said.append(f"`{ours}` has the first {wanted[0]} of {len(tensor)} positions")
        tensor = tensor[: wanted[0]]
    if tensor.ndim == 0:
        tensor = tensor[None]  # one number, which has a dimension here
    if tensor.shape != wanted:
        raise _OtherShapeError(f"`{ours}` {list(wanted)} and `{names[0]}` {list(tensor.shape)}")
    return tensor, said


def _sum(given: Mapping[str, Tensor], names: tuple[str, ...]) -> Tensor:
    found = []
    for name in names:
        whole, rows = _rows(name)
        found.append(given[whole] if rows is None else given[whole][rows])
    first, *others = found
    for other in others:
        first = first + other
    return first


def _shapes(given: Mapping[str, Tensor], names: tuple[str, ...]) -> str:
    """Spell names with the shapes of the tensors that they are of."""
    return " + ".join(f"`{name}` of {list(given[_rows(name)[0]].shape)}" for name in names)


def _longer(ours: str, tensor: Tensor, wanted: torch.Size) -> bool:
    """Tell whether a text may have fewer tokens here than it may have there."""
    if not ours.endswith(_POSITIONS):
        return False
    return tensor.ndim == 2 and tensor.shape[1:] == wanted[1:] and len(tensor) > wanted[0]


def _check_heads(model: VisionLanguageModel, published: PublishedModel, roles: Roles) -> None:
    """Refuse other attention heads: they share the same tensors in another way."""
    parts: dict[str, nn.Module] = {**model.towers, "": model.fusion}
    for name, part in parts.items():
        config = published.config_of("vision" if name == roles.vision else "text")
        width, heads = config.get("hidden_size"), config.get("num_attention_heads")
        if not isinstance(width, int) or not isinstance(heads, int) or not heads:
            continue
        if other := _head_dims(part) - {width // heads}:
            raise CompileError(
                f"model `{model.name}` has heads of {min(other)} channels, and `{published.path}` "
                f"has {heads} of {width // heads}"
            )


def _otherwise(
    model: VisionLanguageModel, published: PublishedModel, roles: Roles
) -> Iterator[str]:
    """Yield what parts make of the same weights that the published model does not."""
    parts: dict[str, nn.Module] = {**model.towers, model.fusion_name: model.fusion}
    for name, part in parts.items():
        config = published.config_of("vision" if name == roles.vision else "text")
        wanted = config.get("layer_norm_eps")
        found = {inner.eps for inner in part.modules() if isinstance(inner, nn.LayerNorm)}
        if wanted is not None and found - {wanted}:
            yield f"norms of `{name}` have `eps` {max(found - {wanted})} where it has {wanted}"
        own = getattr(getattr(getattr(part, "encoder", None), "config", None), "hidden_act", None)
        wanted = config.get("hidden_act")
        if own is not None and wanted is not None and own != wanted:
            yield f"`{name}` has the activation {own} where it has {wanted}"


def _head_dims(part: nn.Module) -> set[int]:
    """Return the widths of the attention heads of a part of a model."""
    found = {inner.head_dim for inner in part.modules() if isinstance(inner, MultiHeadAttention)}
    for inner in part.modules():
        if isinstance(inner, (Tower, Stacked)) and inner.facts.attention is not None:
            found |= set(inner.facts.attention.head_dims)
    return found


def _refer(model: VisionLanguageModel, started: Started, weights: bool) -> None:
    """Note where the weights of parts come from that have all of theirs from the folder."""
    parts: dict[str, nn.Module] = {f"streams.{name}": one for name, one in model.towers.items()}
    encoder = getattr(model.fusion, "encoder", None)
    if isinstance(encoder, Stacked):
        parts["fusion.encoder"] = encoder
    for prefix, part in parts.items():
        names = [f"{prefix}.{name}" for name in part.state_dict()]
        if weights and names and all(name in started.taken for name in names):
            part.reference = BackboneReference(  # type: ignore[assignment]
                id=started.path, revision=None, content=content_hash(part)
            )


def _tensors(names: tuple[str, ...], one: str, several: str) -> str:
    """Count tensors, with a verb behind."""
    return f"1 tensor {one}" if len(names) == 1 else f"{len(names)} tensors {several}"


def _some(names: "list[str] | tuple[str, ...]", *, ticks: bool = True) -> str:
    said = [f"`{name}`" if ticks else name for name in names[:NAMED]]
    more = len(names) - len(said)
    return ", ".join(said) + (f" and {more} more" if more > 0 else "")
