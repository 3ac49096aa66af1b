"""What becomes of low-rank adapters where a job starts from the weights of another one."""

from collections.abc import Mapping

import torch
from torch import Tensor

from renaissance.compiler.adapters import adapted_maps, is_of_adapter, merged, parts_of_adapter
from renaissance.compiler.model import VisionLanguageModel
from renaissance.runtime.weights import model_tensors


def with_adapters(
    model: VisionLanguageModel, given: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Give the tensors of a source the adapters of a model, and no others.

    Adapters that both have, of one form and one scale, are taken over. Others of the source are
    added to the weights that they stand beside, others of the model stay as they are built.

    Args:
        model: as built for the new job.
        given: tensors of the source; weights that it leaves to a pretrained backbone are the
            model's own.

    Returns:
        The tensors, and sentences on what became of adapters.
    """
    needed, _ = model_tensors(model)
    tensors = dict(given)
    counts = dict.fromkeys(("kept", "merged", "new"), 0)
    for base in adapted_maps(given):
        names = parts_of_adapter(base)
        if all(name in needed and _same(name, given[name], needed[name]) for name in names):
            counts["kept"] += 1
            continue
        weight = f"{base}.weight"
        before = given.get(weight, needed.get(weight))
        if before is not None:
            tensors[weight] = (before + merged(given, base).to(before)).detach()
        for name in names:
            del tensors[name]
        counts["merged"] += 1
    for base in adapted_maps(needed):
        names = parts_of_adapter(base)
        if any(name not in tensors for name in names):
            counts["new"] += 1
    fresh = {n: t.detach() for n, t in needed.items() if is_of_adapter(n) and n not in tensors}
    return tensors | fresh, tuple(_said(counts))


def _same(name: str, one: Tensor, other: Tensor) -> bool:
    """Tell whether a tensor of an adapter can take the place of another one."""
    if one.shape != other.shape:
        return False
    meta = one.is_meta or other.is_meta
    return meta or not name.endswith(".scale") or torch.equal(one.cpu(), other.cpu())


def _said(counts: Mapping[str, int]) -> list[str]:
    words = {
        "kept": "adapters of {} linear maps are taken over",
        "merged": "adapters of {} linear maps are merged into the weights that they adapted",
        "new": "adapters of {} linear maps are new and change nothing yet",
    }
    return [words[what].format(count) for what, count in counts.items() if count]
