"""The training step that everyone runs today, from transformers' public modules alone.

Two full passes a step (masked text with the true image; plain text with true and other images),
text padded to a fixed length, towers in train mode, a vocabulary-wide head on every position,
every parameter in the optimizer. Source of the recipe: Fields & Kennington 2024, section 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import ElectraConfig, ElectraModel, LxmertConfig, ViTConfig, ViTModel
from transformers.models.lxmert.modeling_lxmert import LxmertAttention, LxmertXLayer

Attention = Literal["default", "sdpa"]
WIDTHS = {"text": "text_width", "vision": "image_width"}
"""Which dimension of a `Size` is the width of a tower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Published dimensions of a two-tower model, and of a stack that does without towers."""

    name: str
    image_width: int
    image_heads: int
    text_embedding: int
    text_width: int
    text_heads: int
    fusion_layers: int
    fusion_width: int = 256
    fusion_heads: int = 4
    max_tokens: int = 50
    vocabulary: int = 30522
    tower_layers: int = 12
    stack_layers: int
    stack_width: int = 256
    stack_heads: int = 4
    image_size: int = 224


SMALL = Size(
    name="DeiT-tiny + ELECTRA-small, 6 × 256",
    image_width=192,
    image_heads=3,
    text_embedding=128,
    text_width=256,
    text_heads=4,
    fusion_layers=6,
    stack_layers=18,
)
BASE = Size(
    name="ViT-B + ELECTRA-base, 10 × 256",
    image_width=768,
    image_heads=12,
    text_embedding=768,
    text_width=768,
    text_heads=12,
    fusion_layers=10,
    stack_layers=12,
    stack_width=768,
    stack_heads=12,
)
TINY = Size(
    name="one layer each, for a dry run",
    image_width=32,
    image_heads=2,
    text_embedding=32,
    text_width=32,
    text_heads=2,
    fusion_layers=1,
    fusion_width=32,
    fusion_heads=2,
    tower_layers=1,
    stack_layers=2,
    stack_width=32,
    stack_heads=2,
    image_size=32,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainBatch:
    """Pairs of images and captions, padded as the original pads them.

    Attributes:
        images: `[batch, 3, height, width]` float32.
        other_images: the same, the images of the false pairs.
        input_ids, masked_ids: `[batch, max_tokens]` int64.
        attention_mask: `[batch, max_tokens]` bool.
        labels: `[batch, max_tokens]` int64, -100 where nothing is predicted.
        matches: `[batch]` int64, 1 where the image of the second pass is the caption's own.
    """

    images: Tensor
    other_images: Tensor
    input_ids: Tensor
    masked_ids: Tensor
    attention_mask: Tensor
    labels: Tensor
    matches: Tensor


class FusedAttention(LxmertAttention):
    """LXMERT's attention, which writes all scores down, through torch's fused one."""

    def forward(
        self,
        hidden_states: Tensor,
        context: Tensor,
        attention_mask: Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[Tensor]:
        """Compute the same; `[batch, tokens, width]`, a mask that is added to the scores."""
        query, key, value = (
            linear(tokens).unflatten(-1, (-1, self.attention_head_size)).transpose(1, 2)
            for linear, tokens in (
                (self.query, hidden_states),
                (self.key, context),
                (self.value, context),
            )
        )
        mask = None if attention_mask is None else attention_mask.to(query.dtype)
        dropout = self.dropout.p if self.training else 0.0
        found = F.scaled_dot_product_attention(query, key, value, mask, dropout)
        return (found.transpose(1, 2).flatten(2),)


class PlainModel(nn.Module):
    """Two towers, projections and type embeddings, LXMERT layers, a pooler a stream, two heads.

    Args:
        size: dimensions of the model.
        frozen: towers that do not learn.
        attention: what transformers takes by itself, or torch's fused attention in LXMERT too.
    """

    def __init__(
        self,
        size: Size,
        frozen: frozenset[str] = frozenset(),
        attention: Attention = "default",
    ) -> None:
        super().__init__()
        width = self.joint_width(size)
        for name, tower in self.made_towers(size).items():
            self.add_module(name, tower)
            projection = nn.Linear(getattr(size, WIDTHS[name]), width)
            self.add_module(f"{name}_projection", projection)
        self.types = nn.Embedding(2, width)
        self.layers = self.made_layers(size)
        if attention == "sdpa":
            for part in self.layers.modules():
                if type(part) is LxmertAttention:
                    part.__class__ = FusedAttention
        self.text_pooler = nn.Linear(width, width)
        self.image_pooler = nn.Linear(width, width)
        self.mlm = nn.Sequential(
            nn.Linear(width, width),
            nn.GELU(),
            nn.LayerNorm(width),
            nn.Linear(width, size.vocabulary),
        )
        self.itm = nn.Linear(2 * width, 2)
        for part in self.frozen_parts(frozen):
            part.requires_grad_(False)

    def joint_width(self, size: Size) -> int:
        """Return the width of the tokens of joined streams."""
        return size.fusion_width

    def made_towers(self, size: Size) -> Mapping[str, nn.Module]:
        """Return the towers by the names of the streams."""
        text = ElectraModel(
            ElectraConfig(
                vocab_size=size.vocabulary,
                embedding_size=size.text_embedding,
                hidden_size=size.text_width,
                num_attention_heads=size.text_heads,
                intermediate_size=4 * size.text_width,
                num_hidden_layers=size.tower_layers,
            )
        )
        vision = ViTModel(
            ViTConfig(
                hidden_size=size.image_width,
                num_attention_heads=size.image_heads,
                intermediate_size=4 * size.image_width,
                num_hidden_layers=size.tower_layers,
                image_size=size.image_size,
            ),
            add_pooling_layer=False,
        )
        return {"text": text, "vision": vision}

    def made_layers(self, size: Size) -> nn.Module:
        """Return what joins the streams."""
        fusion = LxmertConfig(
            hidden_size=size.fusion_width,
            num_attention_heads=size.fusion_heads,
            intermediate_size=4 * size.fusion_width,
            hidden_dropout_prob=0.1,
            attention_probs_dropout_prob=0.1,
        )
        return nn.ModuleList(LxmertXLayer(fusion) for _ in range(size.fusion_layers))

    def frozen_parts(self, frozen: frozenset[str]) -> list[nn.Module]:
        """Return what does not learn where streams are frozen."""
        return [self.get_submodule(name) for name in frozen]

    def fuse(self, ids: Tensor, mask: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
        """Run the whole model; returns text tokens `[batch, tokens, width]` and pooled pairs."""
        text, vision = self.streams(ids, mask, images)
        pooled = [self.text_pooler(text[:, 0]).tanh(), self.image_pooler(vision[:, 0]).tanh()]
        return text, torch.cat(pooled, dim=-1)

    def streams(self, ids: Tensor, mask: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tokens of both streams behind the fusion, `[batch, tokens, width]`."""
        text = self.text(input_ids=ids, attention_mask=mask).last_hidden_state
        vision = self.vision(pixel_values=images).last_hidden_state
        text = self.text_projection(text) + self.types.weight[0]
        vision = self.vision_projection(vision) + self.types.weight[1]
        bias = torch.zeros(mask.shape, device=text.device, dtype=text.dtype)
        bias = bias.masked_fill(~mask, torch.finfo(text.dtype).min)[:, None, None]
        return self.joined(text, bias, vision)

    def joined(self, text: Tensor, bias: Tensor, vision: Tensor) -> tuple[Tensor, Tensor]:
        """Join streams `[batch, tokens, width]`; a bias `[batch, 1, 1, tokens]` hides padding."""
        for layer in self.layers:
            text, vision = layer(text, bias, vision, None)
        return text, vision

    def loss(self, batch: PlainBatch) -> Tensor:
        """Return the sum of the two losses, each from a pass of its own."""
        text, _ = self.fuse(batch.masked_ids, batch.attention_mask, batch.images)
        scores = self.mlm(text)
        masked = F.cross_entropy(scores.flatten(0, 1), batch.labels.flatten(), ignore_index=-100)
        shown = torch.where(
            batch.matches[:, None, None, None] == 1, batch.images, batch.other_images
        )
        _, pooled = self.fuse(batch.input_ids, batch.attention_mask, shown)
        return masked + F.cross_entropy(self.itm(pooled), batch.matches)


class PlainStep:
    """Forward, backward and optimizer step of the plain model.

    Args:
        size: dimensions of the model.
        frozen: towers that do not learn.
        precision: of the forward and backward pass.
        attention: as `PlainModel` takes it.
        clip: largest norm of the gradient; None for no clipping.
        model: which one; that of LXMERT's layers if none is named.
    """

    def __init__(
        self,
        size: Size,
        frozen: frozenset[str],
        *,
        precision: torch.dtype,
        attention: Attention = "default",
        clip: float | None = None,
        model: type[PlainModel] = PlainModel,
    ) -> None:
        self.model = model(size, frozen, attention).train()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-4, betas=(0.9, 0.98))
        self.precision = precision
        self.clip = clip

    def step(self, batch: PlainBatch) -> Tensor:
        """Run one step and return the loss, without waiting for it."""
        device = batch.images.device.type
        with torch.autocast(device, self.precision, enabled=self.precision != torch.float32):
            loss = self.model.loss(batch)
        loss.backward()
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    def __call__(self, batch: PlainBatch) -> float:
        """Run one step and return the loss."""
        return self.step(batch).item()
