"""The weights of a trained model in one file, as another program reads them."""

import os
from pathlib import Path

from safetensors.torch import save_file

from renaissance.grammar.writing import replacing
from renaissance.runtime.errors import UsageError
from renaissance.runtime.predicting.trained import Trained
from renaissance.runtime.weights import model_tensors

SUFFIX = ".safetensors"


def write_weights(trained: Trained, path: str | os.PathLike[str]) -> int:
    """Write all weights of a model, those of its head and of pretrained towers too.

    `renaissance.build` of the same spec with `adapt nothing` has these names: loaded into it, they
    make the same model.

    Args:
        trained: with its adapters merged, or without any.
        path: of the file, which is replaced; `.safetensors`.

    Returns:
        How many tensors there are.

    Raises:
        UsageError: if the file is called otherwise.
        OSError: if it cannot be written.
    """
    target = Path(path)
    if target.suffix != SUFFIX:
        raise UsageError(f"`{target}` has another suffix than `{SUFFIX}`, which weights have")
    tensors, shared = model_tensors(trained.model)
    found = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    found |= {name: found[first].clone() for name, first in shared.items()}
    about = {
        "format": "pt",
        "spec_hash": trained.spec.hash,
        "job": trained.job,
        "step": str(trained.step),
        "weights": trained.weights,
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as draft:
        save_file(found, draft, about)
    return len(found)
