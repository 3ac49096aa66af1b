"""Do widths, heads, images and patches of a stream or a fusion fit together?"""

from renaissance.grammar.anatomy.architecture import architecture_of
from renaissance.grammar.anatomy.library import takes_any_shape
from renaissance.grammar.architectures import Architecture
from renaissance.grammar.checks.model_findings import ModelFindings
from renaissance.grammar.declaration import Block
from renaissance.grammar.diagnostics import Label
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.source import (
    Patched,
    SourceBlock,
    StackDimensions,
    fit_of,
    is_embedding,
)
from renaissance.grammar.names import listing, plural
from renaissance.grammar.places import Path
from renaissance.grammar.schema.model import FUSED_HEADS


def check_stream(found: ModelFindings, stream: SourceBlock, path: Path) -> None:
    """Report sizes of a stream that do not fit one another, or not its architecture."""
    if isinstance(stream, Patched):
        _patches(found, stream.image_size, stream.patch, path)
        _stem(found, stream, path)
        _fit(found, stream, stream.patch, path)
    if is_embedding(stream):
        return
    check_dimensions(found, stream, path)
    if isinstance(stream, Patched):
        return
    known = architecture_of(stream)
    if known is None:
        return
    longest = getattr(stream, "max_tokens", None)
    if longest is not None and known.max_tokens and longest > known.max_tokens:
        found.error(
            "VL307",
            f"`{known.id}` has positions for {known.max_tokens} tokens",
            found.value((*path, "max_tokens")),
            f"asks for {longest}",
            f"write `max_tokens = {known.max_tokens}` or less",
            notes=("a token without a position embedding cannot be read",),
        )
    size = getattr(stream, "image_size", None)
    if size is not None and known.patch:
        _patches(found, size, known.patch, path)
    if size is not None:
        _any_shape(found, stream, known, path)
        _fit(found, stream, known.patch, path)


def check_dimensions(found: ModelFindings, block: Block, path: Path) -> None:
    """Report width, heads and feed-forward part of a block that do not fit one another."""
    width, heads, ratio = (getattr(block, name, None) for name in ("width", "heads", "mlp_ratio"))
    if width and heads:
        _heads(found, width, heads, path)
        if isinstance(block, StackDimensions | FusionBlock):
            _fused(found, width, heads, path)
    if width and ratio:
        _inner(found, width, ratio, path)


def _heads(found: ModelFindings, width: int, heads: int, path: Path) -> None:
    """Attention heads share the width evenly."""
    if width % heads == 0:
        return
    said = "heads" if found.places.said((*path, "heads")) else "width"
    found.error(
        "VL303",
        f"{heads} heads do not divide a width of {width}",
        found.value((*path, said)),
        f"leaves {width % heads} channels over",
        f"divisors of {width} close by are {_divisors(width, heads)}",
        related=(Label(span=found.value((*path, "width")), text=f"{width} channels"),)
        if said == "heads" and found.places.said((*path, "width"))
        else (),
    )


def _fused(found: ModelFindings, width: int, heads: int, path: Path) -> None:
    """Heads of the project's own layers have a width that the kernels take, where asked for."""
    parts, wide = found.parts, width // heads
    if parts.attention != "triton" or parts.lower != "auto":
        return
    if width % heads or wide in FUSED_HEADS:
        return
    said = "heads" if found.places.said((*path, "heads")) else "width"
    found.error(
        "VL313",
        f"`attention = triton` takes no heads of {wide} channels",
        found.value((*path, said)),
        f"{heads} heads share a width of {width}",
        f"take heads of {FUSED_HEADS[0]} to {FUSED_HEADS[-1]} channels in steps of "
        f"{FUSED_HEADS.step}, or `attention = auto`",
        related=(Label(span=found.value((*parts.path, "attention")), text="asked for here"),),
    )


def _inner(found: ModelFindings, width: int, ratio: float, path: Path) -> None:
    """The feed-forward part has at least one channel."""
    if round(width * ratio) < 1:
        found.error(
            "VL405",
            "`mlp_ratio` is out of range",
            found.value((*path, "mlp_ratio")),
            f"leaves no channel of {width}",
        )


def _patches(found: ModelFindings, size: int, patch: int, path: Path) -> None:
    if size % patch == 0:
        return
    lower, upper = size - size % patch, size - size % patch + patch
    label = f"leaves {plural(size % patch, 'pixel')} over"
    close = f"`{lower}` or `{upper}`" if lower else f"`{upper}`"
    said = "image_size" if found.places.said((*path, "image_size")) else "patch"
    found.error(
        "VL308",
        f"an image of {size} pixels cannot be cut into patches of {patch}",
        found.value((*path, said)),
        label,
        f"image sizes that fit are {close}",
    )


def _stem(found: ModelFindings, stream: Patched, path: Path) -> None:
    patch = stream.patch
    if stream.stem != "convolutional" or (patch & (patch - 1) == 0 and patch > 1):
        return
    found.error(
        "VL308",
        f"a convolutional stem cannot make patches of {patch} pixels",
        found.value((*path, "patch")),
        "each convolution halves the image",
        "take a power of two, such as `16`, or `stem = linear`",
    )


def _fit(found: ModelFindings, stream: SourceBlock, patch: int | None, path: Path) -> None:
    """Images that keep their shape are cut into patches, one at least."""
    fit = fit_of(stream)
    if fit is None:
        return
    where = (*path, "resize")
    if fit.longer < fit.shorter:
        found.error(
            "VL405",
            "`longer` is out of range",
            found.value((*where, "longer")),
            f"the shorter side has {fit.shorter} pixels",
        )
    if fit.shorter < fit.multiple:
        found.error(
            "VL405",
            "`shorter` is out of range",
            found.value((*where, "shorter")),
            f"nothing is left, rounded down to a multiple of {fit.multiple}",
        )
    if patch and fit.multiple % patch:
        found.error(
            "VL308",
            f"images of multiples of {fit.multiple} pixels cannot be cut into patches of {patch}",
            found.value((*where, "multiple")),
            "is no multiple of the patch",
            f"take `multiple = {patch * max(1, round(fit.multiple / patch))}`",
        )


def _any_shape(found: ModelFindings, stream: SourceBlock, known: Architecture, path: Path) -> None:
    """Only what interpolates its positions reads images that keep their shape."""
    if fit_of(stream) is None or takes_any_shape(known):
        return
    found.error(
        "VL314",
        f"`{known.id}` reads square images only",
        found.value((*path, "resize")),
        "lets images keep their shape",
        "take `resize = crop` or `squash`, or a ViT, DeiT, CLIP or DINOv2",
        notes=("its layers do not attend over all patches of an image of any shape",),
    )


def _divisors(width: int, heads: int) -> str:
    divisors = [n for n in range(1, width + 1) if width % n == 0] if width <= 1 << 20 else [1]
    close = sorted(sorted(divisors, key=lambda n: abs(n - heads))[:3])
    return listing(str(n) for n in close)
