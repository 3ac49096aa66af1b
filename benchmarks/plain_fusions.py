"""Steps that join two streams as papers do, from transformers' public modules alone.

Towers, passes, padding and heads are those of `benchmarks/plain.py`, which joins by layers of
LXMERT.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from transformers import BertConfig, BlipTextConfig, ViltConfig, ViltModel
from transformers.models.bert.modeling_bert import BertLayer
from transformers.models.blip.modeling_blip_text import BlipTextLayer

from benchmarks.plain import PlainModel, Size


class Merged(PlainModel):
    """BERT's layers over the tokens of both streams, as METER's merged attention."""

    def made_layers(self, size: Size) -> nn.ModuleList:
        """Return the layers that join the streams."""
        config = BertConfig(
            hidden_size=size.fusion_width,
            num_attention_heads=size.fusion_heads,
            intermediate_size=4 * size.fusion_width,
            attn_implementation="sdpa",
        )
        return nn.ModuleList(BertLayer(config) for _ in range(size.fusion_layers))

    def joined(self, text: Tensor, bias: Tensor, vision: Tensor) -> tuple[Tensor, Tensor]:
        """Run all layers; arguments as `PlainModel.joined` takes them."""
        length = text.shape[1]
        bias = nn.functional.pad(bias, (0, vision.shape[1]))
        both = torch.cat((text, vision), 1)  # [batch, tokens of both, width]
        for layer in self.layers:
            both = layer(both, bias)
        return both[:, :length], both[:, length:]


class Asymmetric(PlainModel):
    """BLIP's layers: text attends to itself and to the image, which stays."""

    def made_layers(self, size: Size) -> nn.ModuleList:
        """Return the layers that join the streams."""
        config = BlipTextConfig(
            hidden_size=size.fusion_width,
            encoder_hidden_size=size.fusion_width,
            num_attention_heads=size.fusion_heads,
            intermediate_size=4 * size.fusion_width,
            hidden_dropout_prob=0.1,
            attention_probs_dropout_prob=0.1,
        )
        return nn.ModuleList(BlipTextLayer(config, place) for place in range(size.fusion_layers))

    def joined(self, text: Tensor, bias: Tensor, vision: Tensor) -> tuple[Tensor, Tensor]:
        """Run all layers; arguments as `PlainModel.joined` takes them."""
        for layer in self.layers:
            text = layer(text, vision, attention_mask=bias)
        return text, vision


class SideBySide(PlainModel):
    """Projections to one space and nothing else, as CLIP."""

    def made_layers(self, size: Size) -> nn.ModuleList:
        """Return no layers."""
        return nn.ModuleList()


class OneTower(PlainModel):
    """ViLT: embeddings of both streams and one stack."""

    def joint_width(self, size: Size) -> int:
        """Return the width of the stack."""
        return size.stack_width

    def made_towers(self, size: Size) -> Mapping[str, nn.Module]:
        """Return none: streams are embedded by the stack."""
        return {}

    def made_layers(self, size: Size) -> nn.Module:
        """Return the stack."""
        config = ViltConfig(
            vocab_size=size.vocabulary,
            hidden_size=size.stack_width,
            num_hidden_layers=size.stack_layers,
            num_attention_heads=size.stack_heads,
            intermediate_size=4 * size.stack_width,
            hidden_dropout_prob=0.1,
            attention_probs_dropout_prob=0.1,
            image_size=size.image_size,
            patch_size=16,
            max_position_embeddings=size.max_tokens,
        )
        return ViltModel(config, add_pooling_layer=False)

    def frozen_parts(self, frozen: frozenset[str]) -> list[nn.Module]:
        """Return the embeddings, which are of both streams."""
        return [self.layers.embeddings] if frozen else []  # type: ignore[list-item]

    def streams(self, ids: Tensor, mask: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
        """Run embeddings and stack; arguments as `PlainModel.streams` takes them."""
        tokens = self.layers(input_ids=ids, attention_mask=mask.long(), pixel_values=images)
        both = tokens.last_hidden_state
        return both[:, : ids.shape[1]], both[:, ids.shape[1] :]


PLAIN: Mapping[str, type[PlainModel]] = {
    "cross_attention": PlainModel,
    "merged_attention": Merged,
    "asymmetric": Asymmetric,
    "dual_encoder": SideBySide,
    "single_stream": OneTower,
}
"""The plain model of a fusion, by its word."""
