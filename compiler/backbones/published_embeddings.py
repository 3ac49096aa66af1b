"""Embeddings of a one-tower model that start from those of a published encoder."""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from renaissance.compiler.backbones.facts import is_timm
from renaissance.compiler.backbones.plain import PatchesTower, WordpieceTower
from renaissance.compiler.backbones.positions import resize_grid, resize_text
from renaissance.compiler.backbones.rows import position_offset
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.model.tower import BackboneReference
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.kinds.source import SourceBlock
from renaissance.grammar.schema.vocabulary import positional_key

_WORD, _POSITION, _TYPE = (
    f"{part}_embeddings.weight" for part in ("word", "position", "token_type")
)
_NORM = ("LayerNorm.weight", "LayerNorm.bias")
_PATCH_NAMES = {
    "transformers": (
        "cls_token",
        "position_embeddings",
        "patch_embeddings.projection.weight",
        "patch_embeddings.projection.bias",
    ),
    "timm": ("cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias"),
}
"""What the class token, the positions and the map of patches are called by either library."""
_LEFT = frozenset({"mask_token", "distillation_token", "dist_token"})
"""Tokens of encoders that the embeddings here do not have."""


@dataclass(frozen=True, slots=True)
class PublishedEncoder:
    """An encoder, what stands in front of its layers, by name, and where it is from."""

    encoder: nn.Module
    tensors: dict[str, Tensor]
    reference: BackboneReference | None


def load_words(tower: WordpieceTower, id: str, address: str) -> None:
    """Let word, position and type embeddings and their norm start from those of an encoder.

    Positions are cut, or stretched along a line, to as many as there are. The first vector of
    segments is added to the positions where the embeddings have none of their own.

    Args:
        tower: the embeddings, in place.
        id: hub id or folder.
        address: of the stream, for messages.

    Raises:
        BackboneError: if the encoder embeds in another way, or with other sizes.
    """
    found, own = published_encoder(id, address), tower.embeddings
    optional = {_TYPE} & found.tensors.keys()
    given = _only(found.tensors, (_WORD, _POSITION, *_NORM, *optional), (), id, address)
    positions, offset = given[_POSITION], position_offset(found.encoder)
    longest = len(positions) - offset
    positions = resize_text(positions[offset:], own.max_tokens, 0)
    notes = []
    if own.max_tokens > longest:
        notes.append(
            f"position embeddings of `{address}` resized from {longest} to {own.max_tokens} rows"
        )
    types = given.get(_TYPE)
    if types is not None and own.type_embedding is None:
        positions = positions + types[0]
        notes.append(f"the first segment of `{id}` is added to the positions of `{address}`")
    elif own.type_embedding is not None:
        wanted = len(own.type_embedding)
        if types is None or len(types) < wanted:
            raise _unfit(id, address, f"has {0 if types is None else len(types)} `token_types`")
        _copy(own.type_embedding, types[:wanted], id, address, "token_types")
    _copy(own.word.weight, given[_WORD], id, address, "vocabulary or width")
    _copy(own.position, positions, id, address, "width")
    _copy(own.norm.weight, given[_NORM[0]], id, address, "width")
    _copy(own.norm.bias, given[_NORM[1]], id, address, "width")
    _note(tower, found.reference, notes)


def load_patches(tower: PatchesTower, id: str, address: str) -> None:
    """Let the map of patches, the class token and positions start from those of an encoder.

    Positions are interpolated where the grid of patches has another size.

    Args:
        tower: the embeddings, in place.
        id: hub id, timm name or folder.
        address: of the stream, for messages.

    Raises:
        BackboneError: if the encoder embeds in another way, or with other sizes.
    """
    found, own = published_encoder(id, address), tower.embeddings
    names = _PATCH_NAMES["timm" if "pos_embed" in found.tensors else "transformers"]
    given = _only(found.tensors, names, _LEFT, id, address)
    token, table, weight, bias = (given[name] for name in names)
    if not isinstance(own.stem, nn.Conv2d):
        raise BackboneError(f"`{address}`: `{id}` has a linear stem; write `stem = linear`")
    rows = table.reshape(-1, table.shape[-1])
    before = len(rows) - math.isqrt(len(rows)) ** 2
    if before not in (1, 2):
        raise _unfit(id, address, f"has {len(rows)} positions, which are no class token and square")
    kept = torch.cat((rows[:1], rows[before:]))  # a distillation token has none here
    notes = []
    if len(kept) != len(own.position):
        notes.append(
            f"position embeddings of `{address}` resized from {len(kept)} to {len(own.position)} "
            "rows"
        )
        kept = resize_grid(kept, len(own.position), 1)
    _copy(own.stem.weight, weight, id, address, "width or patch")
    assert own.stem.bias is not None  # as built
    _copy(own.stem.bias, bias, id, address, "width")
    _copy(own.class_token, token, id, address, "width")
    _copy(own.position, kept, id, address, "width")
    _note(tower, found.reference, notes)


def published_encoder(id: str, address: str) -> PublishedEncoder:
    """Load an encoder in the shape that it is published in."""
    library = "timm" if is_timm(id) else "transformers"
    kind: Any = next(kind for kind in Kinds(SourceBlock).values() if kind.library == library)
    block = kind.model_validate({positional_key(kind): id})
    encoder: Any
    if library == "timm":
        from renaissance.compiler.backbones.timm import timm_encoder

        encoder, reference = timm_encoder(block, address, attention="eager", weights=True)
        layers = encoder.blocks if hasattr(encoder, "blocks") else None
        outside = ("blocks.", "norm.", "fc_norm.", "head")
        tensors = {
            name: tensor
            for name, tensor in encoder.state_dict().items()
            if layers is not None and not name.startswith(outside)
        }
        return PublishedEncoder(encoder, tensors, reference)
    from renaissance.compiler.backbones.automodel import load_encoder, published_configuration

    config = published_configuration(block, address, weights=True)
    encoder, reference = load_encoder(block, config, address)
    embeddings = getattr(encoder, "embeddings", None)
    tensors = {} if embeddings is None else dict(embeddings.named_parameters())
    return PublishedEncoder(encoder, tensors, reference)


def _only(
    tensors: dict[str, Tensor],
    names: Collection[str],
    left: Collection[str],
    id: str,
    address: str,
) -> dict[str, Tensor]:
    """Return the tensors of these names, all that there are but those that may be left."""
    if missing := sorted(set(names) - tensors.keys()):
        raise _unfit(id, address, f"has no `{missing[0]}` in front of its layers")
    if others := sorted(tensors.keys() - set(names) - set(left)):
        raise _unfit(id, address, f"has `{others[0]}` in front of its layers")
    return {name: tensors[name] for name in names}


def _copy(own: Tensor, given: Tensor, id: str, address: str, keys: str) -> None:
    if own.numel() != given.numel() or own.shape[-1] != given.shape[-1]:
        raise _unfit(
            id, address, f"has another {keys}: {list(given.shape)} instead of {list(own.shape)}"
        )
    with torch.no_grad():
        own.copy_(given.reshape(own.shape))


def _unfit(id: str, address: str, why: str) -> BackboneError:
    return BackboneError(f"`{address}` cannot start from the embeddings of `{id}`, which {why}")


def _note(
    tower: WordpieceTower | PatchesTower, reference: BackboneReference | None, notes: list[str]
) -> None:
    """Say where the weights came from, which the whole encoder as it is published identifies."""
    tower.reference = reference
    tower.facts = replace(tower.facts, notes=(*tower.facts.notes, *notes))
