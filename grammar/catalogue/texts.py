"""Encoders of texts."""

from typing import Any

from renaissance.grammar.catalogue.published import Config, Published, bert, roberta

_BERT_BASE = bert("bert", 12, 768, 12)
_BERT_LARGE = bert("bert", 24, 1024, 16)
_MINILM_6 = bert("bert", 6, 384, 12)
_MINILM_12 = bert("bert", 12, 384, 12)
_XLMR_BASE = roberta("xlm-roberta", 12, 768, 12, vocab_size=250002)
_XLMR_LARGE = roberta("xlm-roberta", 24, 1024, 16, vocab_size=250002)
_DISTILBERT = {
    "model_type": "distilbert",
    "vocab_size": 30522,
    "max_position_embeddings": 512,
    "sinusoidal_pos_embds": False,
    "n_layers": 6,
    "n_heads": 12,
    "dim": 768,
    "hidden_dim": 3072,
    "dropout": 0.1,
    "attention_dropout": 0.1,
    "activation": "gelu",
    "initializer_range": 0.02,
    "pad_token_id": 0,
}


def _mpnet(**other: Any) -> Config:
    config = roberta("mpnet", 12, 768, 12, vocab_size=30527, relative_attention_num_buckets=32)
    return {key: value for key, value in config.items() if key != "type_vocab_size"} | other


def _deberta_v3(layers: int, width: int, heads: int) -> Config:
    return bert(
        "deberta-v2",
        layers,
        width,
        heads,
        vocab_size=128100,
        type_vocab_size=0,
        layer_norm_eps=1e-07,
        relative_attention=True,
        position_buckets=256,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        max_relative_positions=-1,
        position_biased_input=False,
        pooler_hidden_size=width,
        pooler_dropout=0,
        pooler_hidden_act="gelu",
    )


def _modernbert(layers: int, width: int, heads: int, inner: int) -> Config:
    return {
        "model_type": "modernbert",
        "vocab_size": 50368,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "hidden_activation": "gelu",
        "max_position_embeddings": 8192,
        "initializer_range": 0.02,
        "initializer_cutoff_factor": 2.0,
        "norm_eps": 1e-05,
        "norm_bias": False,
        "pad_token_id": 50283,
        "bos_token_id": 50281,
        "eos_token_id": 50282,
        "cls_token_id": 50281,
        "sep_token_id": 50282,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "embedding_dropout": 0.0,
        "mlp_bias": False,
        "mlp_dropout": 0.0,
        "local_attention": 128,
        "global_attn_every_n_layers": 3,
    }


TEXTS = (
    Published(
        ("google/electra-small-discriminator",), bert("electra", 12, 256, 4, embedding_size=128)
    ),
    Published(
        ("google/electra-base-discriminator",), bert("electra", 12, 768, 12, embedding_size=768)
    ),
    Published(
        ("google/electra-large-discriminator",), bert("electra", 24, 1024, 16, embedding_size=1024)
    ),
    Published(("bert-base-uncased", "google-bert/bert-base-uncased"), _BERT_BASE),
    Published(("bert-large-uncased", "google-bert/bert-large-uncased"), _BERT_LARGE),
    Published(
        ("prajjwal1/bert-tiny", "google/bert_uncased_L-2_H-128_A-2"), bert("bert", 2, 128, 2)
    ),
    Published(
        ("huawei-noah/TinyBERT_General_4L_312D",), bert("bert", 4, 312, 12, intermediate_size=1200)
    ),
    Published(
        ("roberta-base", "FacebookAI/roberta-base"),
        roberta("roberta", 12, 768, 12, vocab_size=50265),
    ),
    Published(
        ("roberta-large", "FacebookAI/roberta-large"),
        roberta("roberta", 24, 1024, 16, vocab_size=50265),
    ),
    Published(("xlm-roberta-base", "FacebookAI/xlm-roberta-base"), _XLMR_BASE),
    Published(("xlm-roberta-large", "FacebookAI/xlm-roberta-large"), _XLMR_LARGE),
    Published(("distilbert-base-uncased", "distilbert/distilbert-base-uncased"), _DISTILBERT),
    Published(("microsoft/mpnet-base",), _mpnet()),
    Published(("sentence-transformers/all-mpnet-base-v2",), _mpnet()),
    Published(("microsoft/deberta-v3-xsmall",), _deberta_v3(12, 384, 6)),
    Published(("microsoft/deberta-v3-small",), _deberta_v3(6, 768, 12)),
    Published(("microsoft/deberta-v3-base",), _deberta_v3(12, 768, 12)),
    Published(("microsoft/deberta-v3-large",), _deberta_v3(24, 1024, 16)),
    Published(("answerdotai/ModernBERT-base",), _modernbert(22, 768, 12, 1152)),
    Published(("answerdotai/ModernBERT-large",), _modernbert(28, 1024, 16, 2624)),
    Published(
        ("sentence-transformers/all-MiniLM-L6-v2", "nreimers/MiniLM-L6-H384-uncased"), _MINILM_6
    ),
    Published(
        ("sentence-transformers/all-MiniLM-L12-v2", "microsoft/MiniLM-L12-H384-uncased"),
        _MINILM_12,
    ),
    Published(("intfloat/e5-small-v2", "intfloat/e5-small"), _MINILM_12),
    Published(("intfloat/e5-base-v2", "intfloat/e5-base"), _BERT_BASE),
    Published(("intfloat/e5-large-v2", "intfloat/e5-large"), _BERT_LARGE),
    Published(("intfloat/multilingual-e5-base",), _XLMR_BASE),
    Published(("intfloat/multilingual-e5-large",), _XLMR_LARGE),
    Published(("BAAI/bge-small-en-v1.5", "BAAI/bge-small-en"), _MINILM_12),
    Published(("BAAI/bge-base-en-v1.5", "BAAI/bge-base-en"), _BERT_BASE),
    Published(("BAAI/bge-large-en-v1.5", "BAAI/bge-large-en"), _BERT_LARGE),
)
