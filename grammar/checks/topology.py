"""Do the parts of a model fit together?"""

from collections.abc import Mapping, Sequence

from renaissance.grammar.anatomy.architecture import architecture_of
from renaissance.grammar.anatomy.library import takes_any_shape
from renaissance.grammar.architectures import Architecture
from renaissance.grammar.checks.fusing import check_fusing
from renaissance.grammar.checks.partial import PartialModel
from renaissance.grammar.declaration import Block
from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.source import (
    Detected,
    Patched,
    SourceBlock,
    StackDimensions,
    fit_of,
    is_embedding,
    modality,
    pools_itself,
    reads_pixels,
)
from renaissance.grammar.names import listing, suggestion
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.model import FUSED_HEADS
from renaissance.grammar.source import Span
from renaissance.grammar.spelling import call_text


def check_parts(parts: PartialModel, places: Places, findings: Findings) -> None:
    """Report what does not fit in a model.

    Args:
        parts: the model, with holes where a part is already known to be wrong.
        places: where everything was said.
        findings: receives what is wrong.
    """
    check = _Check(parts, places, findings)
    for name, stream in parts.streams.items():
        if stream is not None:
            check.stream(stream, (*parts.path, "streams", name))
    if parts.fusion is not None:
        check.dimensions(parts.fusion, (*parts.path, "fusion"))
        if parts.fusion.stack is not None:
            check.dimensions(parts.fusion.stack, (*parts.path, "fusion", "encoder"))
    if not parts.broken:
        check.joined()
        check_fusing(parts, places, findings)
        check.pool()


class _Check:
    def __init__(self, parts: PartialModel, places: Places, findings: Findings) -> None:
        self._parts = parts
        self._places = places
        self._findings = findings

    def _value(self, path: Path) -> Span:
        return self._places.value(path) or self._parts.span

    def _error(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *help: str,
        related: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> None:
        self._findings.add(
            Diagnostic(
                code=code,
                message=message,
                span=span,
                label=label,
                help=help,
                related=related,
                notes=notes,
            )
        )

    def joined(self) -> None:
        """A fusion joins each stream once, one that reads text and one that reads images."""
        parts = self._parts
        if not parts.fusion_name:
            self._error(
                "VL311",
                f"model `{parts.name}` has no fusion",
                parts.span,
                "nothing joins its streams",
                "add `fusion cross = cross_attention(text, vision) { … }`",
            )
            return
        if parts.fusion_name in parts.streams:
            self._error(
                "VL105",
                f"`{parts.fusion_name}` is a stream and the fusion",
                self._value((*parts.path, "fusion_name")),
                "defined again",
                related=(
                    Label(
                        span=self._value((*parts.path, "streams", parts.fusion_name)),
                        text="first defined here",
                    ),
                ),
            )
            return
        if not parts.inputs:
            return
        seen: dict[str, int] = {}
        sound = True
        for index, name in enumerate(parts.inputs):
            span = self._value((*parts.path, "fusion", "inputs", index))
            if name in seen:
                sound = False
                self._error("VL301", f"`{name}` is joined twice", span, "joined again")
            elif name not in parts.streams:
                sound = False
                self._no_stream(name, span)
            seen[name] = index
        for name in parts.streams:
            if name not in seen and sound:
                sound = False
                self._error(
                    "VL302",
                    f"stream `{name}` is not part of the fusion",
                    self._value((*parts.path, "streams", name)),
                    "read by nothing",
                    "leave it out, or name it between the parentheses of the fusion",
                    related=(Label(span=self._fusion_span(), text="joins other streams"),),
                )
        if sound:
            self._modalities()
        if sound and parts.fusion is not None:
            self._towers()

    def _no_stream(self, name: str, span: Span) -> None:
        parts = self._parts
        left = [stream for stream in parts.streams if stream not in parts.inputs]
        meant = suggestion(name, parts.streams, "a stream")
        if not meant and len(left) == 1:
            meant = (f"write `{left[0]}`",)
        self._error(
            "VL301",
            f"there is no stream named `{name}`",
            span,
            "",
            *meant,
            notes=(f"streams of `{parts.name}` are {listing(parts.streams)}",),
        )

    def _fusion_span(self) -> Span:
        return self._places.key((*self._parts.path, "fusion")) or self._parts.span

    def _modalities(self) -> None:
        parts = self._parts
        streams = [parts.streams[name] for name in parts.inputs]
        if any(stream is None for stream in streams):
            return
        read = [modality(stream) for stream in streams if stream is not None]
        several = parts.fusion is not None and parts.fusion.joins_several
        texts, images = read.count("text"), read.count("vision")
        if texts != 1 or not (images == 1 or (several and images > 1)):
            wanted = "one vision stream or more" if several else "one vision stream"
            self._error(
                "VL301",
                f"`{parts.fusion_name}` joins {_counted(read)}",
                self._fusion_span(),
                f"one text stream and {wanted} are wanted",
            )
            return
        self._shown_together(
            {name: stream for name, stream in zip(parts.inputs, streams, strict=True) if stream}
        )

    def _shown_together(self, streams: Mapping[str, SourceBlock]) -> None:
        """Streams of pixels read them alike, and there are regions of each image or of none."""
        pixels = [name for name, stream in streams.items() if reads_pixels(stream)]
        regions = [name for name, stream in streams.items() if isinstance(stream, Detected)]
        if pixels and regions and len(pixels) != len(regions):
            self._error(
                "VL301",
                f"`{self._parts.fusion_name}` joins {len(pixels)} streams of pixels and "
                f"{len(regions)} of regions",
                self._fusion_span(),
                "each reads the images of a row in order",
                "take as many of one as of the other, or one of the two alone",
            )
        for name in pixels[1:]:
            for key in ("image_size", "resize"):
                first, other = (getattr(streams[one], key, None) for one in (pixels[0], name))
                if first != other:
                    self._error(
                        "VL301",
                        f"`{pixels[0]}` and `{name}` read images of different `{key}`",
                        self._value((*self._parts.path, "streams", name, key)),
                        f"is {_said(other)} here and {_said(first)} there",
                        "images are decoded once for all streams: write the same in both",
                    )

    def _towers(self) -> None:
        """A fusion joins towers or embeddings, whichever it takes."""
        parts = self._parts
        if parts.fusion is None:
            return
        other = parts.fusion.accepts
        for name in parts.inputs:
            word = "embed" if name in parts.embedded else "backbone"
            first = name == parts.inputs[0] and parts.fusion.embeds_first
            if word == other or first:
                continue
            self._error(
                "VL310",
                f"`{parts.fusion.word()}` cannot join `{name}`",
                self._value((*parts.path, "streams", name)),
                f"is declared as `{word}`",
                f"declare it as `{other} {name} = …`",
                related=(Label(span=self._fusion_span(), text="joins it"),),
            )

    def pool(self) -> None:
        """First tokens of images that are pooled have to be class tokens."""
        parts = self._parts
        if parts.pool not in ("cls", "first", "last"):
            return
        names = parts.inputs[:1] if parts.pool == "first" else parts.inputs
        for name in names:
            stream = parts.streams.get(name)
            if stream is None or modality(stream) != "vision":
                continue
            known = architecture_of(stream)
            if isinstance(stream, Detected):
                text = "has regions only"
            elif (
                known is None
                or (known.prefix_tokens != 0 and known.class_token is not False)
                or is_embedding(stream)
                or pools_itself(stream)
            ):
                continue
            else:
                has = "register tokens" if known.prefix_tokens else "patches"
                text = f"`{known.id}` has {has} only"
            self._error(
                "VL309",
                f"`pool = {parts.pool}` needs a class token, and `{name}` has none",
                self._value((*parts.path, "pool")),
                "",
                "write `pool = mean`",
                related=(Label(span=self._value((*parts.path, "streams", name)), text=text),),
            )

    def heads(self, width: int, heads: int, path: Path) -> None:
        """Attention heads share the width evenly."""
        if width % heads == 0:
            return
        said = "heads" if self._places.said((*path, "heads")) else "width"
        self._error(
            "VL303",
            f"{heads} heads do not divide a width of {width}",
            self._value((*path, said)),
            f"leaves {width % heads} channels over",
            f"divisors of {width} close by are {_divisors(width, heads)}",
            related=(Label(span=self._value((*path, "width")), text=f"{width} channels"),)
            if said == "heads" and self._places.said((*path, "width"))
            else (),
        )

    def _fused(self, width: int, heads: int, path: Path) -> None:
        """Heads of the project's own layers have a width that the kernels take, where asked for."""
        parts, wide = self._parts, width // heads
        if parts.attention != "triton" or parts.lower != "auto":
            return
        if width % heads or wide in FUSED_HEADS:
            return
        said = "heads" if self._places.said((*path, "heads")) else "width"
        self._error(
            "VL313",
            f"`attention = triton` takes no heads of {wide} channels",
            self._value((*path, said)),
            f"{heads} heads share a width of {width}",
            f"take heads of {FUSED_HEADS[0]} to {FUSED_HEADS[-1]} channels in steps of "
            f"{FUSED_HEADS.step}, or `attention = auto`",
            related=(Label(span=self._value((*parts.path, "attention")), text="asked for here"),),
        )

    def inner(self, width: int, ratio: float, path: Path) -> None:
        """The feed-forward part has at least one channel."""
        if round(width * ratio) < 1:
            self._error(
                "VL405",
                "`mlp_ratio` is out of range",
                self._value((*path, "mlp_ratio")),
                f"leaves no channel of {width}",
            )

    def stream(self, stream: SourceBlock, path: Path) -> None:
        """Sizes of one stream."""
        if isinstance(stream, Patched):
            self._patches(stream.image_size, stream.patch, path)
            self._stem(stream, path)
            self._fit(stream, stream.patch, path)
        if is_embedding(stream):
            return
        self.dimensions(stream, path)
        if isinstance(stream, Patched):
            return
        known = architecture_of(stream)
        if known is None:
            return
        longest = getattr(stream, "max_tokens", None)
        if longest is not None and known.max_tokens and longest > known.max_tokens:
            self._error(
                "VL307",
                f"`{known.id}` has positions for {known.max_tokens} tokens",
                self._value((*path, "max_tokens")),
                f"asks for {longest}",
                f"write `max_tokens = {known.max_tokens}` or less",
                notes=("a token without a position embedding cannot be read",),
            )
        size = getattr(stream, "image_size", None)
        if size is not None and known.patch:
            self._patches(size, known.patch, path)
        if size is not None:
            self._any_shape(stream, known, path)
            self._fit(stream, known.patch, path)

    def dimensions(self, block: Block, path: Path) -> None:
        """Width, heads and feed-forward part of a block that states them."""
        width, heads, ratio = (
            getattr(block, name, None) for name in ("width", "heads", "mlp_ratio")
        )
        if width and heads:
            self.heads(width, heads, path)
            if isinstance(block, StackDimensions | FusionBlock):
                self._fused(width, heads, path)
        if width and ratio:
            self.inner(width, ratio, path)

    def _patches(self, size: int, patch: int, path: Path) -> None:
        if size % patch == 0:
            return
        lower, upper = size - size % patch, size - size % patch + patch
        label = f"leaves {size % patch} pixels over"
        close = f"`{lower}` or `{upper}`" if lower else f"`{upper}`"
        said = "image_size" if self._places.said((*path, "image_size")) else "patch"
        self._error(
            "VL308",
            f"an image of {size} pixels cannot be cut into patches of {patch}",
            self._value((*path, said)),
            label,
            f"image sizes that fit are {close}",
        )

    def _any_shape(self, stream: SourceBlock, known: Architecture, path: Path) -> None:
        """Only what interpolates its positions reads images that keep their shape."""
        if fit_of(stream) is None or takes_any_shape(known):
            return
        self._error(
            "VL314",
            f"`{known.id}` reads square images only",
            self._value((*path, "resize")),
            "lets images keep their shape",
            "take `resize = crop` or `squash`, or a ViT, DeiT, CLIP or DINOv2",
            notes=("its layers do not attend over all patches of an image of any shape",),
        )

    def _fit(self, stream: SourceBlock, patch: int | None, path: Path) -> None:
        """Images that keep their shape are cut into patches, one at least."""
        fit = fit_of(stream)
        if fit is None:
            return
        where = (*path, "resize")
        if fit.longer < fit.shorter:
            self._error(
                "VL405",
                "`longer` is out of range",
                self._value((*where, "longer")),
                f"the shorter side has {fit.shorter} pixels",
            )
        if fit.shorter < fit.multiple:
            self._error(
                "VL405",
                "`shorter` is out of range",
                self._value((*where, "shorter")),
                f"nothing is left, rounded down to a multiple of {fit.multiple}",
            )
        if patch and fit.multiple % patch:
            self._error(
                "VL308",
                f"images of multiples of {fit.multiple} pixels cannot be cut into patches of "
                f"{patch}",
                self._value((*where, "multiple")),
                "is no multiple of the patch",
                f"take `multiple = {patch * max(1, round(fit.multiple / patch))}`",
            )

    def _stem(self, stream: Patched, path: Path) -> None:
        patch = stream.patch
        if stream.stem != "convolutional" or (patch & (patch - 1) == 0 and patch > 1):
            return
        self._error(
            "VL308",
            f"a convolutional stem cannot make patches of {patch} pixels",
            self._value((*path, "patch")),
            "each convolution halves the image",
            "take a power of two, such as `16`, or `stem = linear`",
        )


def _said(value: object) -> str:
    """Return the spelling of what a stream says of its images."""
    return f"`{call_text(value) if isinstance(value, Block) else value}`"


def _counted(read: Sequence[str]) -> str:
    texts, images = read.count("text"), read.count("vision")
    return f"{texts} text and {images} vision streams"


def _divisors(width: int, heads: int) -> str:
    divisors = [n for n in range(1, width + 1) if width % n == 0] if width <= 1 << 20 else [1]
    close = sorted(sorted(divisors, key=lambda n: abs(n - heads))[:3])
    return listing(str(n) for n in close)
