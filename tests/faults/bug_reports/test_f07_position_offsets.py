"""The longest text of families that count positions from behind the padding token."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from transformers import AutoConfig, AutoModel

from renaissance.compiler.backbones.rows import position_offset
from renaissance.grammar.architectures import OFFSET_POSITIONS
from renaissance.grammar.encoder_folder import read_folder

SIZES = {
    "vocab_size": 40,
    "hidden_size": 48,  # divided by six in LiLT
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 24,
}
OTHERS = ("bert", "electra", "convbert", "nystromformer", "yoso", "mra", "mobilebert", "albert")
NOT_ALONE = {"clap_text_model", "layoutlmv3", "luke", "esm"}
"""Their settings differ, or they need more than a text."""


@pytest.mark.parametrize("family", [*sorted(OFFSET_POSITIONS.keys() - NOT_ALONE), *OTHERS])
@pytest.mark.parametrize("padding", [1, 0])
def test_texts_of_the_longest_length_run(
    family: str, padding: int, saved: Callable[..., str]
) -> None:
    settings = SIZES | {"pad_token_id": padding}
    if family == "longformer":
        settings["attention_window"] = [4]
    if family == "xmod":
        settings |= {"languages": ["en_XX"], "default_language": "en_XX"}
    config = AutoConfig.for_model(family, **settings)
    encoder = AutoModel.from_config(config).eval()
    folder = saved(family, **settings)
    known = read_folder(folder)
    assert known.position_offset == position_offset(encoder)
    assert known.max_tokens is not None

    def run(length: int) -> None:
        with torch.no_grad():
            encoder(input_ids=torch.full((1, length), 5))

    run(known.max_tokens)
    with pytest.raises((RuntimeError, IndexError, ValueError)):
        run(known.max_tokens + 1)


def test_every_family_that_counts_like_this_is_known() -> None:
    """Whatever module of transformers makes positions from tokens."""
    folder = Path(transformers.__file__).parent / "models"
    modules = {
        file.parent.name
        for file in folder.glob("*/modeling_*.py")
        if "create_position_ids_from_input_ids(" in file.read_text(encoding="utf-8")
    }
    # Encoders with decoders, of sounds, or of text and images: none is a tower of texts.
    others = {
        "altclip",
        "bridgetower",
        "clap",
        "evolla",
        "kosmos2",
        "kosmos2_5",
        "m2m_100",
        "nllb_moe",
        "pp_doclayout_v2",
        "seamless_m4t",
        "seamless_m4t_v2",
        "speech_to_text",
        "speecht5",
        "trocr",
    }
    known = {name.replace("-", "_") for name in OFFSET_POSITIONS} | {"data2vec"}
    assert modules - others <= known
