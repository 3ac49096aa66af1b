"""Convolutional towers: embeddings are the stem, layers are the blocks of all stages."""

from collections.abc import Callable

import pytest
import timm
import torch
from torch import nn

from renaissance.compiler.backbones.naming import address_inside
from renaissance.compiler.backbones.timm_layers import timm_layers
from renaissance.compiler.model.tower import TowerFacts

# Architecture; first parameters of the stem, of the first and of the last layer; number of layers.
DENSE = ("features.denseblock1.denselayer1", "features.denseblock4.denselayer16")
NEST = ("levels.0.transformer_encoder.0", "levels.2.transformer_encoder.7")
ENCODERS = [
    ("resnet18", "conv1", "layer1.0", "layer4.1", 8),
    ("resnet50", "conv1", "layer1.0", "layer4.2", 16),
    ("regnety_002", "stem", "s1.b1", "s4.b7", 13),
    (
        "densenet121",
        "features.conv0",
        "features.denseblock1.denselayer1",
        "features.denseblock4.denselayer16",
        58,
    ),
    ("dla34", "base_layer", "level0", "level5.tree2", 10),
    ("coat_lite_tiny", "patch_embed1", "serial_blocks1.0", "serial_blocks4.1", 8),
    ("convnext_atto", "stem", "stages.0.blocks.0", "stages.3.blocks.1", 12),
    ("efficientnet_b0", "conv_stem", "blocks.0.0", "blocks.6.0", 16),
    (
        "nest_tiny",
        "patch_embed",
        "levels.0.transformer_encoder.0",
        "levels.2.transformer_encoder.7",
        12,
    ),
    ("vgg11_bn", "features.0", "features.1", "features.26", 15),
    ("test_vit", "patch_embed", "blocks.0", "blocks.5", 6),
    ("swin_tiny_patch4_window7_224", "patch_embed", "layers.0.blocks.0", "layers.3.blocks.1", 12),
]


@pytest.fixture(scope="module")
def addresses() -> Callable[[str], dict[str, str]]:
    """A function that returns the address of each parameter of an encoder of timm."""

    def read(name: str) -> dict[str, str]:
        with torch.device("meta"):
            encoder: nn.Module = timm.create_model(name, num_classes=0)
        embeddings, layers = timm_layers(encoder)
        facts = TowerFacts(modality="vision", width=1, embeddings=embeddings, layers=layers)
        return {name: address_inside(name, facts) for name, _ in encoder.named_parameters()}

    return read


@pytest.mark.parametrize(("name", "stem", "first", "last", "count"), ENCODERS)
def test_stem_and_blocks_of_all_stages(
    name: str,
    stem: str,
    first: str,
    last: str,
    count: int,
    addresses: Callable[[str], dict[str, str]],
) -> None:
    found = addresses(name)
    numbers = [
        int(address[len("layers[") :].partition("]")[0])
        for address in found.values()
        if address.startswith("layers[")
    ]
    assert set(numbers) == set(range(count))
    for parameter, address in found.items():
        if parameter.startswith(f"{stem}."):
            assert address == "embeddings", parameter
        if parameter.startswith(f"{first}."):
            assert address.startswith("layers[0]"), parameter
        if parameter.startswith(f"{last}."):
            assert address.startswith(f"layers[{count - 1}]"), parameter
        if address == "embeddings":
            assert not parameter.startswith(("layer", "s1", "blocks", "stages", "level")), parameter


def test_what_stands_between_stages_belongs_to_a_block(
    addresses: Callable[[str], dict[str, str]],
) -> None:
    found = addresses("densenet121")
    assert found["features.transition1.conv.weight"] == "layers[5].transition1"
    found = addresses("coat_lite_tiny")
    assert found["cls_token2"] == "layers[2].cls_token2"
