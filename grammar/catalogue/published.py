"""What the catalogue says of one encoder of transformers; configurations that are much alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renaissance.grammar.architectures import Statistics

Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Published:
    """An encoder, or an encoder of images with one of texts.

    Attributes:
        ids: on the hub.
        config: keyword arguments of its configuration class, as published.
        statistics: of pixels; None for texts.
        texts: configuration of its encoder of texts, where `config` is that of images.
        refused: why it can be no tower; empty where it can.
        stated: address of what states its numbers; empty where the first model card does.
    """

    ids: tuple[str, ...]
    config: Config
    statistics: Statistics | None = None
    texts: Config | None = None
    refused: str = ""
    stated: str = ""

    @property
    def source(self) -> str:
        """Address of what states its numbers."""
        return self.stated or f"https://huggingface.co/{self.ids[0]}"


def converted(script: str) -> str:
    """Return the address of the script of transformers that brought weights to the hub.

    Args:
        script: its path below the folder of models.
    """
    return (
        f"https://github.com/huggingface/transformers/blob/v4.57.1/src/transformers/models/{script}"
    )


def bert(model_type: str, layers: int, width: int, heads: int, **other: Any) -> Config:
    """Return a configuration like BERT's, with what differs."""
    return {
        "model_type": model_type,
        "vocab_size": 30522,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * width,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "initializer_range": 0.02,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
    } | other


def roberta(model_type: str, layers: int, width: int, heads: int, **other: Any) -> Config:
    """Return a configuration like RoBERTa's, with what differs."""
    own = {
        "max_position_embeddings": 514,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-05,
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
    }
    return bert(model_type, layers, width, heads, **own | other)


def vit(model_type: str, layers: int, width: int, heads: int, **other: Any) -> Config:
    """Return a configuration like that of a vision transformer, with what differs."""
    return {
        "model_type": model_type,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * width,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "initializer_range": 0.02,
        "layer_norm_eps": 1e-12,
        "image_size": 224,
        "patch_size": 16,
        "num_channels": 3,
        "qkv_bias": True,
    } | other
