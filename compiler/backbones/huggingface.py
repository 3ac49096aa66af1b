"""Towers that are encoders of transformers, run as their library runs them."""

import inspect
from dataclasses import replace
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.backbone_utils import BackboneMixin

from renaissance.compiler.backbones.automodel import (
    load_encoder,
    published_configuration,
    random_encoder,
)
from renaissance.compiler.backbones.configurations import fit_to_stream, shortened
from renaissance.compiler.backbones.embeddings import check_images, check_length
from renaissance.compiler.backbones.layers import find_layers, first_of, stem_of
from renaissance.compiler.backbones.positions import fit_positions
from renaissance.compiler.backbones.rows import (
    as_tokens,
    has_class_token,
    patch_grid,
    position_offset,
    prefix_tokens,
)
from renaissance.compiler.backbones.staged_layers import transformers_layers
from renaissance.compiler.backbones.transformers_facts import (
    configuration_key,
    head_widths,
    hook_refusal,
)
from renaissance.compiler.backbones.trial import check_text, first_line, rows_mix, tokens_of_image
from renaissance.compiler.errors import BackboneError, CompileError
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.patches import patch_embedding
from renaissance.compiler.model.tower import (
    AttentionFacts,
    BackboneReference,
    Tower,
    TowerFacts,
)
from renaissance.grammar.anatomy.library import ANY_SHAPE
from renaissance.grammar.architectures import HALF, from_config
from renaissance.grammar.catalogue import find
from renaissance.grammar.encoder_flaws import scattered
from renaissance.grammar.encoder_folder import read_folder
from renaissance.grammar.kinds.source import (
    LibraryEncoder,
    first_layers,
    fit_of,
    half_of,
    pools_itself,
)
from renaissance.grammar.paths import is_folder
from renaissance.grammar.schema.model import Attention

_MIXING = frozenset({"convbert", "fnet", "funnel", "nystromformer", "yoso"})
"""Families whose padding leaks into the texts beside it; every tower with weights is tried."""

_NORM_BEHIND = frozenset(
    {
        "altclip_vision_model",
        "clip_vision_model",
        "clipseg_vision_model",
        "metaclip_2_vision_model",
        "owlv2_vision_model",
        "owlvit_vision_model",
    }
)
"""Families that keep their last norm for the class token; here all tokens are read."""

_HEADS = ("num_attention_heads", "num_heads", "n_heads")
"""Settings of which an encoder with attention has one."""

_POOLED_FIRST = frozenset({"dinov3_convnext"})
"""Families that put the mean of the patches where others have a class token."""


class TransformersTower(Tower):
    """An encoder of transformers, run once as its library runs it.

    Args:
        encoder: without a pooler.
        facts: of the tower.
        reference: where its weights came from; None if they are random.
        pools: whether what it pools by attention stands in front of its patches.
    """

    def __init__(
        self,
        encoder: Any,
        facts: TowerFacts,
        reference: BackboneReference | None,
        *,
        pools: bool = False,
    ) -> None:
        super().__init__()
        self.pools = pools
        self.backbone = isinstance(encoder, BackboneMixin)
        self.encoder = encoder
        self.facts = facts
        self.reference = reference
        # Texts without a mask have no padding: several families would look at every token for some.
        encoder.warn_if_padding_and_no_attention_mask = _no_padding
        self.norm: nn.Module = nn.Identity()
        if encoder.config.model_type in _NORM_BEHIND:
            holder = getattr(encoder, "vision_model", encoder)
            self.norm, holder.post_layernorm = holder.post_layernorm, nn.Identity()
        if encoder.config.model_type == "siglip_text_model":
            encoder.head = nn.Identity()  # its projection to the space belongs to the fusion

    def forward(self, inputs: Any) -> Features:
        """Encode images, or texts.

        Raises:
            ShapeError: if a text is longer, or an image of another size, than it was built for.
        """
        if self.facts.modality == "vision":
            check_images(inputs, self.facts.image_size or 0, self.facts.fit)
            options = {**self._order(inputs), **self._positions(inputs)}
            found = self.encoder(pixel_values=inputs, **options)
            # A backbone gives maps of stages, of which the last is asked for.
            last = found.feature_maps[-1] if self.backbone else found.last_hidden_state
            features = as_tokens(last, self.facts.width, channels_last=False)
            tokens = self.norm(features)
            if self.pools:
                tokens = torch.cat((found.pooler_output[:, None], tokens), 1)
            return Features(tokens=tokens)
        text = TextInput.of(inputs)
        if self.facts.max_tokens is not None:
            check_length(text, self.facts.max_tokens)
        return self.encoded(text)

    def encoded(self, text: TextInput) -> Features:
        """Encode padded texts as `[rows, n, width]`."""
        encoded = self.encoder(input_ids=text.input_ids, attention_mask=text.mask)
        return Features(tokens=encoded.last_hidden_state, mask=text.mask)

    def words(self) -> nn.Embedding | None:
        """Return the embeddings of its word pieces; None of an encoder of images."""
        found = self.encoder.get_input_embeddings() if self.facts.modality == "text" else None
        return found if isinstance(found, nn.Embedding) else None

    def patch_embedding(self) -> nn.Module | None:
        """Return what embeds the patches of an image; None where nothing is told to do so."""
        return patch_embedding(self.encoder)

    def settle(self, address: str) -> None:
        """Note whether the tokens of a text depend on those beside it, if it runs padded."""
        if self.facts.modality == "text" and not self.facts.packs and _mixes(self):
            note = (
                f"the tokens of `{address}` depend a little on the texts that a text is padded with"
            )
            self.facts = replace(self.facts, mixes=True, notes=(*self.facts.notes, note))

    def _positions(self, pixels: Tensor) -> dict[str, bool]:
        """Return what lets positions follow the shape of images; some encoders do so unasked."""
        size = self.facts.image_size
        if self.facts.fit is None or tuple(pixels.shape[2:]) == (size, size):
            return {}
        asks = "interpolate_pos_encoding" in inspect.signature(self.encoder.forward).parameters
        return {"interpolate_pos_encoding": True} if asks else {}

    def _order(self, pixels: Tensor) -> dict[str, Tensor]:
        """Return what keeps all patches of a ViTMAE in their order."""
        if self.encoder.config.model_type != "vit_mae":
            return {}
        patches = self.encoder.embeddings.patch_embeddings.num_patches
        order = torch.arange(patches, dtype=torch.float32, device=pixels.device)
        return {"noise": order.expand(len(pixels), -1)}


def _no_padding(input_ids: Tensor, attention_mask: Tensor | None) -> None:
    """Know that texts without a mask have no padding."""


def huggingface_tower(
    spec: LibraryEncoder, address: str, *, attention: Attention, weights: bool
) -> TransformersTower:
    """Return a tower of transformers, pretrained or random.

    Args:
        spec: declaration of the stream.
        address: its name, for messages.
        attention: implementation that the model asks for.
        weights: load pretrained weights; without, only shapes count.

    Raises:
        BackboneError: if it cannot be found, lacks weights or does not read what it is to read.
    """
    published = published_configuration(spec, address, weights=weights)
    layers = first_layers(spec)
    try:
        fitted = fit_to_stream(
            published, max_tokens=spec.max_tokens, image_size=spec.image_size, address=address
        )
        if layers is not None:
            fitted = shortened(fitted, layers, spec.identifier, address)
        encoder = random_encoder(fitted, attention, address)
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        ImportError,
        LookupError,
        RuntimeError,
        StrictDataclassError,
        TypeError,
        ValueError,
    ) as error:
        if isinstance(error, CompileError):
            raise
        raise BackboneError(
            f"`{address}`: transformers cannot make `{spec.identifier}` like this: "
            f"{first_line(error)}"
        ) from None
    facts = _facts(spec, fitted, encoder, attention)
    reference = None
    if spec.loads_weights:
        reference, notes = _load(spec, published, encoder, facts, address, weights=weights)
        facts = replace(facts, notes=notes)
    pools = facts.modality == "vision" and pools_itself(spec)
    if pools and not getattr(encoder, "use_head", False):
        raise BackboneError(f"`{address}`: `{spec.identifier}` pools nothing by attention")
    tower = TransformersTower(encoder, facts, reference, pools=pools)
    tower.key = f"{configuration_key(encoder.config)} {pools}"
    _check_trial(tower, address)
    return tower


def _load(
    spec: LibraryEncoder,
    published: PretrainedConfig,
    encoder: PreTrainedModel,
    facts: TowerFacts,
    address: str,
    *,
    weights: bool,
) -> tuple[BackboneReference | None, tuple[str, ...]]:
    """Give an encoder its published weights; return where they are from, and what was fitted."""
    reference, layers = None, first_layers(spec)
    if weights:
        loaded, reference = load_encoder(spec, published, address)
    else:
        with torch.device("meta"):
            loaded = random_encoder(published, "eager", address)
    given = loaded.state_dict()
    if layers is not None:
        left = _left(loaded, layers)
        given = {name: part for name, part in given.items() if not name.startswith(left)}
    tensors, notes = fit_positions(given, encoder.state_dict(), facts=facts, address=address)
    if layers is not None:
        notes += (first_of(address, layers, spec.identifier),)
    if weights:
        encoder.load_state_dict(tensors, strict=True)
    return reference, notes


def _left(encoder: nn.Module, layers: int) -> tuple[str, ...]:
    """Return how the names of what belongs to all but the first layers begin."""
    return tuple(f"{path}." for paths in find_layers(encoder)[layers:] for path in paths)


def own_attention(
    encoder: PreTrainedModel, asked: Attention, *, ragged: bool
) -> AttentionFacts | None:
    """Return what an encoder runs as its library made it; None if it has no attention.

    Images have rows of one length: there the library's own is as good, unless a spec asks for the
    project's kernels.
    """
    if not ragged and not any(hasattr(encoder.config, name) for name in _HEADS):
        return None
    return AttentionFacts(
        asked=asked,
        head_dims=head_widths(encoder.config),
        ragged=ragged,
        library=encoder.config._attn_implementation,
        refusal=hook_refusal(encoder) if ragged or asked == "triton" else None,
    )


def _check_trial(tower: TransformersTower, address: str) -> None:
    """Refuse what cannot encode its inputs, or gives other tokens each time."""
    key = tower.key
    if tower.facts.modality == "vision":
        size = tower.facts.image_size or tower.encoder.config.image_size
        _index_positions(tower.encoder, (size, size))
        tokens_of_image(tower, (size, size), key=key, address=address)
        if tower.facts.fit is not None:
            if tower.encoder.config.model_type not in ANY_SHAPE:
                raise BackboneError(
                    f"`{address}` is a `{tower.encoder.config.model_type}`, which reads square "
                    "images only; take `resize = crop` or `squash`"
                )
            _index_positions(tower.encoder, tower.facts.largest)
            tokens_of_image(tower, tower.facts.largest, key=f"{key} largest", address=address)
    else:
        check_text(tower, *text_limits(tower), key=key, address=address)


def _index_positions(encoder: PreTrainedModel, size: tuple[int, int]) -> None:
    """Let a family index its relative positions for images of a size on the CPU.

    transformers keeps the index for the whole process, on the device where it is first asked for:
    on the meta device, as in a plan, it has no numbers, for models that are built later neither.
    """
    for part in encoder.modules():
        index = getattr(part, "generate_relative_position_index", None)
        if index is not None:
            patch: int = encoder.config.patch_size
            with torch.device("cpu"):
                index((size[0] // patch, size[1] // patch))


def _mixes(tower: TransformersTower) -> bool:
    """Whether the tokens of a text depend on the texts beside it; by family on meta tensors."""
    config = tower.encoder.config
    if _is_meta(tower):
        return config.model_type in _MIXING
    return rows_mix(tower, *text_limits(tower), key=tower.key)


def text_limits(tower: TransformersTower) -> tuple[int, int, int]:
    """Return the vocabulary, the longest text and the padding token of a tower of texts."""
    config = tower.encoder.config
    longest = tower.facts.max_tokens or config.max_position_embeddings
    padding = getattr(config, "pad_token_id", None)
    return config.vocab_size, longest, 0 if padding is None else padding


def _is_meta(tower: TransformersTower) -> bool:
    return any(parameter.is_meta for parameter in tower.parameters())


def _facts(
    spec: LibraryEncoder,
    config: PretrainedConfig,
    encoder: PreTrainedModel,
    attention: Attention,
) -> TowerFacts:
    id = spec.identifier
    known = find(id)
    local = read_folder(id, half_of(spec)) if is_folder(id) else None
    architecture = from_config(id, config.to_dict(), None)
    statistics = next((found.statistics for found in (local, known) if found is not None), HALF)
    width = architecture.width
    pools = architecture.modality == "vision" and pools_itself(spec)
    first = pools or config.model_type in _POOLED_FIRST
    # CvT has a class token, and gives its patches alone.
    none = architecture.prefix_tokens == 0 and not first
    if refused := scattered(config.model_type):
        raise BackboneError(refused.message)
    if width is None:
        raise BackboneError(f"`{id}` of type `{config.model_type}` states no hidden size")
    return TowerFacts(
        modality=architecture.modality,
        width=width,
        embeddings=tuple(f"encoder.{path}" for path in stem_of(encoder)),
        layers=tuple(
            tuple(f"encoder.{path}" for path in paths) for paths in transformers_layers(encoder)
        ),
        vocabulary=architecture.vocabulary,
        max_tokens=spec.max_tokens,
        image_size=spec.image_size,
        fit=fit_of(spec),
        statistics=statistics if architecture.modality == "vision" else None,
        prefix_tokens=0 if none else prefix_tokens(encoder) + first,
        class_token=not none and (has_class_token(encoder) or first),
        grid=patch_grid(spec.image_size, architecture.patch),
        position_offset=position_offset(encoder),
        attention=own_attention(encoder, attention, ragged=architecture.modality == "text"),
    )
