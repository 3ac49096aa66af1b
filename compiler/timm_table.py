"""Makes the table of timm's models, or compares it with the installed timm.

    python -m renaissance.compiler.timm_table            writes the table
    python -m renaissance.compiler.timm_table --check    says where timm differs

Models are made on the meta device, where nothing is allocated, and one pass of an image says how
many tokens come out: it takes about a quarter of an hour.
"""

import argparse
import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, cast

import timm
import torch
from timm.models import _registry
from timm.models.vision_transformer import Block, VisionTransformer

from renaissance.compiler.backbones.timm import TimmTower, timm_tower
from renaissance.compiler.errors import CompileError
from renaissance.grammar.architectures import Statistics
from renaissance.grammar.catalogue.timm_models import (
    FORMER,
    TABLE,
    Expected,
    TimmModel,
    former_table,
    line_of,
    table_of,
    timm_model,
    timm_names,
)
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.kinds.source import SourceBlock


def surveyed(name: str) -> TimmModel:
    """Return what an architecture of the installed timm is like as a tower.

    Args:
        name: without a tag.
    """
    images = _images(name)
    tags = {tag: _images(f"{name}.{tag}") for tag in _tags(name)}
    try:
        with torch.device("meta"), warnings.catch_warnings(action="ignore"):
            random: Any = Kinds(SourceBlock)["random"]
            spec = random(id=name, image_size=images.size)
            tower = timm_tower(spec, name, attention="auto", weights=False).eval()
            tokens = tower(torch.empty(2, 3, images.size, images.size)).tokens.shape[1]
    except CompileError as refusal:
        return TimmModel(name=name, images=images, refused=_reason(refusal, name), tags=tags)
    facts = tower.facts
    grid = facts.grid or 0
    patched = grid > 0 and tokens == facts.prefix_tokens + grid**2
    heads, ratio = _plain(name, tower, images.size)
    return TimmModel(
        name=name,
        images=images,
        width=facts.width,
        layers=len(facts.layers),
        tokens=tokens,
        parameters=sum(parameter.numel() for parameter in tower.parameters()),
        prefix_tokens=facts.prefix_tokens,
        class_token=facts.class_token,
        patch=images.size // grid if patched else None,
        heads=heads,
        mlp_ratio=ratio,
        tags=tags,
    )


def differences(names: Iterable[str]) -> list[str]:
    """Return a line for each architecture of which the table says something else than timm."""
    found = []
    for name in names:
        kept, own = timm_model(name), surveyed(name)
        if kept is None or line_of(kept) != line_of(own):
            found.append(f"{name}: {'missing' if kept is None else line_of(kept)} | {line_of(own)}")
    return found


def former_names() -> str:
    """Return the table of the names that the installed timm has given up and still takes."""
    given_up = _registry._deprecated_models
    return former_table({name: today for name, today in given_up.items() if today})


def main() -> int:
    """Write or check the table; 1 if it differs."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="compare, and write nothing")
    names = timm.list_models()
    if arguments.parse_args().check:
        gone = [f"{name}: gone" for name in sorted(set(timm_names()) - set(names))]
        if FORMER.read_text("utf-8") != former_names():
            gone.append(f"{FORMER.name}: timm has other former names")
        found = gone + differences(names)
        sys.stdout.writelines(f"{line}\n" for line in found)
        return 1 if found else 0
    lines = [line_of(surveyed(name)) for name in names]
    FORMER.write_text(former_names(), "utf-8")
    TABLE.write_text(table_of(timm.__version__, lines), "utf-8")
    return 0


def _images(name: str) -> Expected:
    published = timm.get_pretrained_cfg(name)
    assert published is not None, name
    mean, std = (tuple(map(float, side)) for side in (published.mean, published.std))
    statistics = cast(Statistics, (mean, std))
    return Expected(size=published.input_size[-1], statistics=statistics)


def _tags(name: str) -> list[str]:
    prefix = f"{name}."
    with_tags = timm.list_pretrained(f"{name}.*")
    return [full.removeprefix(prefix) for full in with_tags if full.startswith(prefix)]


def _plain(name: str, tower: TimmTower, size: int) -> tuple[int | None, float | None]:
    """Return heads and ratio of a stack of equal layers that timm makes from these numbers."""
    encoder = tower.encoder
    blocks: Sequence[Any] = getattr(encoder, "blocks", ())
    if not isinstance(encoder, VisionTransformer):
        return None, None
    if any(type(block) is not Block or not hasattr(block.mlp, "fc2") for block in blocks):
        return None, None
    heads = blocks[0].attn.num_heads
    ratio = blocks[0].mlp.fc2.in_features / tower.facts.width
    sizes: dict[str, Any] = {
        "depth": len(blocks),
        "embed_dim": tower.facts.width,
        "num_heads": heads,
        "proj_drop_rate": 0.0,
        "attn_drop_rate": 0.0,
    }
    try:
        with torch.device("meta"):
            again = timm.create_model(name, num_classes=0, img_size=size, mlp_ratio=ratio, **sizes)
    except TypeError:
        return None, None
    own, made = (
        {key: part.shape for key, part in m.state_dict().items()} for m in (encoder, again)
    )
    return (heads, ratio) if own.items() <= made.items() else (None, None)


def _reason(refusal: CompileError, name: str) -> str:
    return " ".join(str(refusal).replace(f"`{name}`: ", "").replace(f"`{name}` ", "it ").split())


if __name__ == "__main__":
    raise SystemExit(main())
