"""Are the weights of a local folder whole, and those of its config.json? Only headers are read.

A file of safetensors begins with eight bytes, the length of a header of JSON that says of each
tensor its shape and where it ends. Source: https://github.com/huggingface/safetensors, format.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from renaissance.grammar.architectures import Architecture
from renaissance.grammar.encoder_flaws import AS_PUBLISHED, Flaw
from renaissance.grammar.paths import children, is_file

_LONGEST_HEADER = 100_000_000
"""Bytes that safetensors allows."""
_WHOLE = "model.safetensors"
"""Read before all other files: what else lies in a folder may be damaged."""
_POINTER = b"version https://git-lfs"
_AGAIN = "download it again"

Shapes = dict[str, list[int]]


class _DamagedError(ValueError):
    """A file of weights that cannot be read; says why in a sentence, and what helps."""


def flaw_of_weights(folder: Path, known: Architecture, half: str) -> Flaw | None:
    """Return why the weights of a folder cannot be loaded; None if nothing shows.

    Args:
        folder: holds `config.json`.
        known: what follows from that.
        half: which encoder is meant where there is one of images and one of texts.
    """
    names = children(folder)
    stored = [name for name in names if name.endswith((".safetensors", ".bin", ".pth", ".pt"))]
    indices = [name for name in names if name.endswith((".safetensors.index.json", ".index.json"))]
    if not stored and not indices:
        return Flaw(
            message=f"the folder `{folder}` holds no weights",
            help=(
                "put `model.safetensors` beside its config.json",
                f'`random("{folder}")` takes the architecture without weights',
            ),
        )
    try:
        if _WHOLE in names:
            return _other_shapes(folder, _shapes(folder / _WHOLE), known, half)
        return _flaw_of_parts(folder, names)
    except _DamagedError as damage:
        message, help = damage.args
        return Flaw(message=message, help=(help,))


def _shapes(path: Path) -> Shapes:
    """Return the shapes of the tensors in a file that is whole.

    Raises:
        _DamagedError: if it is not.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(len(_POINTER))
            if start.startswith(_POINTER):
                message = f"`{path}` is a pointer of Git LFS, no weights"
                raise _DamagedError(message, "run `git lfs pull`")
            length = int.from_bytes(start[:8], "little")
            if len(start) < 8 or length > min(_LONGEST_HEADER, size - 8):
                raise _DamagedError(f"`{path}` is cut off, or no file of safetensors", _AGAIN)
            file.seek(8)
            header: Mapping[str, Any] = json.loads(file.read(length))
        tensors = {name: said for name, said in header.items() if name != "__metadata__"}
        end = max((said["data_offsets"][1] for said in tensors.values()), default=0)
        if 8 + length + end > size:
            there = f"{size:,} of {8 + length + end:,} bytes are there"
            raise _DamagedError(f"`{path}` is cut off: {there}", _AGAIN)
        quantised = [n for n, said in tensors.items() if _quantised(n, said["dtype"])]
        if quantised:
            kind = tensors[quantised[0]]["dtype"]
            message = f"`{path}` stores `{quantised[0]}` as `{kind}`, as quantised weights are"
            raise _DamagedError(message, "take weights in float32, float16 or bfloat16")
        return {name: list(said["shape"]) for name, said in tensors.items()}
    except OSError:
        return {}  # the library says why it cannot be read
    except (AttributeError, LookupError, TypeError, UnicodeDecodeError, json.JSONDecodeError):
        raise _DamagedError(f"`{path}` has a header that cannot be read", _AGAIN) from None


def _quantised(name: str, kind: str) -> bool:
    """Tell whether a tensor is a weight in whole numbers or in floats of eight bits or less."""
    return name.endswith("weight") and kind.startswith(("I", "U", "F8_", "F6_", "F4"))


def _flaw_of_parts(folder: Path, names: tuple[str, ...]) -> Flaw | None:
    """Return what is wrong with weights in several files; no other file of the folder is read.

    Raises:
        _DamagedError: if one of them is not whole.
    """
    index = folder / "model.safetensors.index.json"
    if not is_file(index):
        return None
    try:
        parts = {*json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()}
    except (AttributeError, LookupError, OSError, TypeError, ValueError):
        return Flaw(message=f"`{index}` cannot be read", help=(_AGAIN,))
    absent = sorted(str(part) for part in parts if part not in names)
    if absent:
        message = f"`{folder}` lacks {len(absent)} of {len(parts)} files of weights: `{absent[0]}`"
        return Flaw(message=message, help=("download them all",))
    for part in sorted(parts):
        _shapes(folder / part)
    return None


def _other_shapes(folder: Path, shapes: Shapes, known: Architecture, half: str) -> Flaw | None:
    """Compare with config.json what the weights show: words, patches and how many layers."""
    own = {name: shape for name, shape in shapes.items() if f"{half}_model." in name}
    if known.part and not own:
        return None  # only its library knows which tensors are its own
    shapes = own or shapes
    width, patch = known.embedding_width, known.config.get("patch_size")
    endings: tuple[str, ...] = (".word_embeddings.weight", ".token_embedding.weight")
    wanted = [known.vocabulary, width]
    if known.modality == "vision":
        endings = (".patch_embeddings.projection.weight", ".patch_embedding.weight")
        wanted = [width, 3, patch, patch]
        if known.config.get("use_conv_embed"):
            return None  # FocalNet's kernels overlap then, and have a size of their own
    stated = all(type(size) is int for size in wanted)
    for name, shape in shapes.items():
        if not stated or not f".{name}".endswith(endings) or shape == wanted:
            continue
        return Flaw(
            message=f"`{folder}/config.json` describes other weights than lie beside it: "
            f"`{name}` is {shape} there, and {wanted} by the settings",
            help=(AS_PUBLISHED,),
        )
    return _fewer_layers(folder, shapes, known)


def _fewer_layers(folder: Path, shapes: Shapes, known: Architecture) -> Flaw | None:
    numbers = [
        int(found[1])
        for name in shapes
        if (found := re.search(r"(?:^|\.)(?:encoder|transformer)\.layers?\.(\d+)\.", name))
    ]
    if not numbers or not known.sequence or known.model_type == "albert":
        return None
    there, stated = max(numbers) + 1, known.layers
    if stated is None or there >= stated:
        return None
    return Flaw(
        message=f"`{folder}/config.json` says {stated} layers, and there are weights for {there}",
        help=(AS_PUBLISHED,),
    )
