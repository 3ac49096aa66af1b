"""Vision encoders of timm."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import timm
import torch
from huggingface_hub import try_to_load_from_cache
from safetensors import SafetensorError
from timm.layers.attention import Attention as TimmAttention
from timm.layers.config import set_fused_attn, use_fused_attn
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from renaissance.compiler.backbones.content import content_hash
from renaissance.compiler.backbones.embeddings import check_images
from renaissance.compiler.backbones.hub import look_for_hub
from renaissance.compiler.backbones.layers import first_of
from renaissance.compiler.backbones.rows import as_tokens, has_class_token, prefix_tokens
from renaissance.compiler.backbones.timm_layers import timm_layers
from renaissance.compiler.backbones.trial import first_line, tokens_of_image
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.patches import patch_embedding
from renaissance.compiler.model.tower import (
    AttentionFacts,
    BackboneReference,
    Tower,
    TowerFacts,
)
from renaissance.grammar.catalogue import find
from renaissance.grammar.encoder_folder import library_of, read_folder
from renaissance.grammar.kinds.source import Dimensions, ImageEncoder, first_layers, fit_of
from renaissance.grammar.paths import is_folder
from renaissance.grammar.schema.model import Attention

_HEADS = ("head", "head_dist", "fc_norm", "attn_pool", "fc", "classifier", "head_drop")


class TimmTower(Tower):
    """An encoder of timm whose last features are read as a sequence of tokens.

    Args:
        encoder: without a classifier.
        facts: of the tower.
        reference: where its weights came from; None if they are random.

    `published_size` is the height and width of images that the encoder was made for.
    """

    published_size: int

    def __init__(
        self, encoder: nn.Module, facts: TowerFacts, reference: BackboneReference | None
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.facts = facts
        self.reference = reference
        self.channels_last = getattr(encoder, "output_fmt", "") == "NHWC"

    def patch_embedding(self) -> nn.Module | None:
        """Return what embeds the patches of an image; None where nothing is told to do so."""
        return patch_embedding(self.encoder)

    def forward(self, inputs: Tensor) -> Features:
        """Encode images `[rows, 3, height, width]` of one shape.

        Raises:
            ShapeError: if they have another size than they may have.
        """
        check_images(inputs, self.facts.image_size or 0, self.facts.fit)
        features = self.encoder.forward_features(inputs)  # type: ignore[operator]
        return Features(tokens=as_tokens(features, self.facts.width, self.channels_last))


def timm_tower(
    spec: ImageEncoder, address: str, *, attention: Attention, weights: bool
) -> TimmTower:
    """Return a tower of timm, pretrained or random.

    Args:
        spec: declaration of the stream.
        address: its name, for messages.
        attention: implementation that the model asks for.
        weights: load pretrained weights; without, only shapes count.

    Raises:
        BackboneError: if timm has no such model or its weights cannot be had.
    """
    encoder, reference = timm_encoder(spec, address, attention=attention, weights=weights)
    image_size = spec.image_size
    configured = encoder.pretrained_cfg
    notes: tuple[str, ...] = ()
    usual = _published_size(spec, configured)
    if spec.loads_weights and image_size not in (None, usual):
        notes = (f"`{address}` made for images of {usual} pixels runs at {image_size}",)
    taken = first_layers(spec)
    if taken is not None:
        notes += (first_of(address, taken, spec.identifier),)
    stem, layers = timm_layers(encoder)
    facts = TowerFacts(
        modality="vision",
        width=encoder.num_features,
        embeddings=tuple(f"encoder.{path}" for path in stem),
        layers=tuple(tuple(f"encoder.{path}" for path in paths) for paths in layers),
        image_size=image_size,
        fit=fit_of(spec),
        statistics=(tuple(configured["mean"]), tuple(configured["std"])),
        prefix_tokens=prefix_tokens(encoder),
        class_token=has_class_token(encoder),
        grid=_grid(encoder),
        attention=own_attention(encoder, spec, attention, ragged=False),
        notes=notes,
    )
    tower = TimmTower(encoder, facts, reference)
    tower.key = repr(spec)
    tower.published_size = usual
    square = image_size or usual
    tokens = tokens_of_image(tower, (square, square), key=repr(spec), address=address)
    if facts.fit is not None:
        tokens_of_image(tower, facts.largest, key=f"{spec!r} largest", address=address)
    if tokens == 1:
        notes += (f"`{address}` gives one token an image",)
        tower.facts = replace(facts, notes=notes)
    return tower


def timm_encoder(
    spec: ImageEncoder,
    address: str,
    *,
    attention: Attention,
    weights: bool,
) -> tuple[Any, BackboneReference | None]:
    """Return an encoder of timm without its classifier, and where its weights came from.

    Args:
        spec: declaration of the stream.
        address: its name, for messages.
        attention: implementation that the model asks for.
        weights: load pretrained weights; without, only shapes count.
    """
    name = spec.identifier
    pretrained = spec.loads_weights and weights
    source = _source(name, address, pretrained=pretrained)
    if pretrained and not is_folder(name):
        look_for_hub()
    options: dict[str, Any] = {}
    if isinstance(spec, Dimensions):
        options |= _dimensions(name, spec, address)
    if spec.image_size is not None:
        options["img_size"] = spec.image_size
    if fit_of(spec) is not None:
        options["dynamic_img_size"] = True
    with _attention_of_layers(attention):
        try:
            encoder = _create(source, pretrained, options)
        except SafetensorError as error:
            raise BackboneError(
                f"`{address}`: the weights of `{name}` cannot be read: {first_line(error)}"
            ) from None
        except (AssertionError, OSError, RuntimeError, TypeError, ValueError) as error:
            if "dynamic_img_size" in str(error):
                raise BackboneError(_reads_squares(name, address)) from None
            raise BackboneError(_failure(name, address, error, pretrained=pretrained)) from None
    if fit_of(spec) is not None and not isinstance(encoder, VisionTransformer):
        raise BackboneError(_reads_squares(name, address))
    if not hasattr(encoder, "forward_features") or not hasattr(encoder, "num_features"):
        raise BackboneError(f"`{address}`: `{name}` has no features that a stream could read")
    reference = None
    if pretrained:
        revision = None if is_folder(name) else _revision(encoder.pretrained_cfg.get("hf_hub_id"))
        content = _published_content(source, encoder)
        reference = BackboneReference(id=name, revision=revision, content=content)
    layers = first_layers(spec)
    if layers is not None:
        _shorten(encoder, layers, name, address)
    return encoder, reference


def _shorten(encoder: nn.Module, layers: int, name: str, address: str) -> None:
    """Leave the first layers of a vision transformer, and the norm behind the last one."""
    blocks = getattr(encoder, "blocks", None)
    if not isinstance(encoder, VisionTransformer) or blocks is None:
        raise BackboneError(
            f"`{address}`: `{name}` is no plain stack of equal layers, of which some could be taken"
        )
    if len(blocks) < layers:
        raise BackboneError(
            f"`{address}`: `{name}` has {len(blocks)} layers, and {layers} are asked for"
        )
    encoder.blocks = blocks[:layers]


def own_attention(
    encoder: nn.Module, spec: ImageEncoder, asked: Attention, *, ragged: bool
) -> AttentionFacts | None:
    """Return what an encoder runs as its library made it; None if it has no attention."""
    fused = [part.fused_attn for part in encoder.modules() if hasattr(part, "fused_attn")]
    if not fused:
        return None
    name = spec.identifier
    refused = (ragged or asked == "triton") and not offers_layers(encoder)
    widths = {getattr(part, "head_dim", None) for part in encoder.modules()}
    return AttentionFacts(
        asked=asked,
        head_dims=tuple(sorted(width for width in widths if isinstance(width, int))),
        ragged=ragged,
        library="sdpa" if all(fused) else "eager",
        refusal=f"`{name}` offers no hook" if refused else None,
    )


@contextmanager
def _attention_of_layers(attention: Attention) -> Iterator[None]:
    """Let timm make layers without fused attention where `eager` is asked, and only meanwhile."""
    fused, experimental = use_fused_attn(), use_fused_attn(experimental=True)
    if attention == "eager":
        set_fused_attn(False)
    try:
        yield
    finally:
        set_fused_attn(fused, experimental)


def _published_content(source: str, encoder: nn.Module) -> str:
    """Return the hash of pretrained weights in the shape that they are published in.

    timm fits position embeddings to the image size while it loads; the weights are the same
    whatever size they are used at.
    """
    with torch.device("meta"):
        published = _create(source, False, {})
    shapes = {name: tensor.shape for name, tensor in published.state_dict().items()}
    if shapes == {name: tensor.shape for name, tensor in encoder.state_dict().items()}:
        return content_hash(encoder)
    with torch.random.fork_rng(devices=[]):
        return content_hash(_create(source, True, {}))


def _grid(encoder: nn.Module) -> int | None:
    """Return the patches along one side of an image; None where an encoder does not say."""
    grid = getattr(getattr(encoder, "patch_embed", None), "grid_size", None)
    return int(grid[0]) if grid else None


def _published_size(spec: ImageEncoder, configured: Mapping[str, Any]) -> int:
    """Return the height and width of images that an encoder was made for, pixels."""
    name = spec.identifier
    known = read_folder(name) if is_folder(name) else None
    return (known and known.image_size) or int(configured["input_size"][-1])


def offers_layers(encoder: nn.Module) -> bool:
    """Whether all attention of an encoder stands in layers that timm lets one choose."""
    return isinstance(encoder, VisionTransformer) and all(
        type(getattr(block, "attn", None)) is TimmAttention for block in encoder.blocks
    )


def _source(name: str, address: str, *, pretrained: bool) -> str:
    if is_folder(name):
        if library_of(name) != "timm":
            raise BackboneError(f"`{address}`: the folder `{name}` holds no model of timm")
        # Its `config.json` may hold dimensions of its own, which timm reads from the folder alone.
        return f"local-dir:{name}"
    if name.startswith(("hf-hub:", "hf_hub:")):
        known = find(name)
        return known.model_type if known is not None and not pretrained else name
    if name.startswith("local-dir:"):
        path = name.removeprefix("local-dir:")
        raise BackboneError(f"`{address}`: there is no folder `{name}`; write the path: `{path}`")
    name = name.removeprefix("timm/")  # as their page on the hub is called
    if not timm.is_model(name):
        near = timm.list_models(f"*{name.split('_')[0]}*")[:3]
        hint = f"; similar names: {', '.join(f'`{other}`' for other in near)}" if near else ""
        raise BackboneError(f"`{address}`: timm has no model `{name}`{hint}")
    return name


def _create(source: str, pretrained: bool, options: Mapping[str, Any]) -> Any:
    """Return an encoder without its classifier."""
    try:
        encoder = timm.create_model(source, pretrained=pretrained, num_classes=0, **options)
    except TypeError as error:
        if "img_size" not in str(error) or "img_size" not in options:
            raise
        # Convolutional encoders take images of any size and have no such option.
        others = {key: value for key, value in options.items() if key != "img_size"}
        encoder = timm.create_model(source, pretrained=pretrained, num_classes=0, **others)
    for head in _HEADS:
        if isinstance(getattr(encoder, head, None), nn.Module):
            setattr(encoder, head, nn.Identity())
    return encoder


def _dimensions(name: str, spec: Dimensions, address: str) -> Mapping[str, Any]:
    known = find(name)
    if spec.embedding_size is not None:
        raise BackboneError(f"`{address}`: `embedding_size` is no dimension of `{name}`")
    wanted = {
        "depth": spec.layers,
        "embed_dim": spec.width,
        "num_heads": spec.heads,
        "mlp_ratio": spec.mlp_ratio,
    }
    options: dict[str, Any] = {key: value for key, value in wanted.items() if value is not None}
    if options and (known is None or not known.sequence):
        key = next(iter(options))
        raise BackboneError(
            f"`{address}`: `{name}` is no plain stack of equal layers, so one number for "
            f"`{'layers' if key == 'depth' else key}` cannot describe it"
        )
    if spec.dropout is not None:
        options |= {"proj_drop_rate": spec.dropout, "attn_drop_rate": spec.dropout}
    width = spec.width or (known.width if known else None)
    heads = spec.heads or (known.heads if known else None)
    if width and heads and width % heads:
        raise BackboneError(f"`{address}`: {heads} heads do not divide a width of {width}")
    return options


def _reads_squares(name: str, address: str) -> str:
    return (
        f"`{address}`: `{name}` reads square images only; take `resize = crop` or `squash`, or a "
        "ViT or DeiT"
    )


def _failure(name: str, address: str, error: Exception, *, pretrained: bool) -> str:
    if not pretrained:
        return f"`{address}`: timm cannot make `{name}` like this: {first_line(error)}"
    if "size mismatch" in str(error):
        lines = [line.strip() for line in str(error).splitlines()]
        first = next(line for line in lines if line.startswith("size mismatch"))
        return (
            f"`{address}`: timm cannot use the weights of `{name}` like this, at another "
            f"`image_size` for instance: {first.rstrip('.')}"
        )
    if is_folder(name):
        return f"`{address}`: the folder `{name}` holds no weights that timm can read"
    return (
        f"`{address}`: cannot load `{name}`: the hub cannot be reached and the weights are not in "
        "the local cache; a local folder works too, and `random(...)` needs no weights"
    )


def _revision(hub_id: str | None) -> str | None:
    """Return the commit of a cached model of the hub."""
    if not hub_id:
        return None
    for file in ("model.safetensors", "pytorch_model.bin"):
        path = try_to_load_from_cache(hub_id.partition("@")[0], file)
        if isinstance(path, str):
            return Path(path).parent.name
    return None
