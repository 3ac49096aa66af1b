"""What the grammar says that a model consists of is what is built."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch
from transformers import AutoConfig

from renaissance.compiler.addresses import ParameterAddress, parameter_addresses
from renaissance.compiler.assembly import assemble
from renaissance.compiler.backbones.naming import PARTS_OF_LAYERS
from renaissance.compiler.errors import BackboneError, CompileError
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.sources.plain.schema import PlainStack
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.anatomy.encoders import stream_anatomy
from renaissance.grammar.anatomy.library import can_stack, library_anatomy
from renaissance.grammar.anatomy.parts import Leaf
from renaissance.grammar.catalogue import find, names
from renaissance.grammar.encoder_folder import read_folder
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.loading import load
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import keys_of
from renaissance.grammar.shipped import shipped_path, shipped_specs
from tests.compiler.declarations import (
    STACK,
    TEXT,
    VISION,
    joined_by,
    one_tower,
    spec,
    two_towers,
)

# One of each architecture: several have more than one name.
_EACH = {
    (
        known.library,
        known.model_type,
        None if known.sequence else known.layers,
        known.embedding_width == known.width,
    ): id
    for id in names()
    for known in [find(id)]
    if not known.refused
}
PUBLISHED = sorted(id for id in _EACH.values() if library_anatomy(RandomArchitecture(id=id)).known)
# The parts of these are told by the library; the narrowest of each family.
UNTOLD = sorted(
    {
        find(id).model_type: id
        for id in sorted(set(_EACH.values()) - set(PUBLISHED), key=lambda id: (-find(id).width, id))
    }.values()
)
STACKS = [id for id in PUBLISHED if can_stack(find(id))]
NO_STACKS = [id for id in PUBLISHED if not can_stack(find(id))]


# Encoders of timm that nobody described: convolutions, stages, class tokens between the layers.
UNDESCRIBED = [
    "botnet26t_256",
    "cait_xxs24_224",
    "coat_lite_tiny",
    "convnext_atto",
    "deit3_small_patch16_224",
    "densenet121",
    "efficientnet_b0",
    "eva02_tiny_patch14_224",
    "hrnet_w18_small",
    "levit_128s",
    "mobilevit_xxs",
    "pit_ti_224",
    "poolformer_s12",
    "pvt_v2_b0",
    "regnety_002",
    "resnet18",
    "swinv2_cr_tiny_224",
    "test_vit",
    "vgg11",
    "xcit_nano_12_p16_224",
]
# The same of transformers, as folders with the family's own configuration.
FOLDERS = ["albert", "data2vec-text", "deberta-v2", "dinov2", "lilt", "modernbert", "mpnet"]


def built(model: Model, job: Pretrain | Finetune | None) -> VisionLanguageModel:
    """Build a model on torch's meta device."""
    with torch.device("meta"):
        return assemble(model, job, weights=False)


def addressed(module: VisionLanguageModel) -> dict[str, ParameterAddress]:
    """Return the addresses of a model, of which every parameter has one and none has two."""
    places = parameter_addresses(module)
    assert set(places) == {name for name, _ in module.named_parameters()}
    kinds: dict[str, str] = {}
    for place in places.values():
        assert kinds.setdefault(place.address, place.component) == place.component
        assert place.address.partition(".")[0] in module.anatomy.roots
    return places


def agrees(model: Model, job: Pretrain | Finetune | None) -> None:
    """Compare the anatomy of a model with what is built: the same, but for heads `own`."""
    module = built(model, job)
    anatomy, places = module.anatomy, addressed(module)
    own = {f"heads.{head.name}" for head in anatomy.heads or () if head.form == "own"}
    assert all(anatomy.known(root) for root in anatomy.roots if root != "heads")
    assert anatomy.known("heads") is not bool(own)
    leaves = {Leaf(place.address, place.kinds) for place in places.values()}
    assert {leaf for leaf in leaves if leaf.address not in own} == {
        leaf for leaf in anatomy.leaves if leaf.address not in own
    }
    in_order = dict.fromkeys((place.address, place.component) for place in places.values())
    assert [*in_order] == [(part.address, part.kind) for part in anatomy.components]
    for name, tower in module.towers.items():
        assert anatomy.width(name) == tower.facts.width
        assert anatomy.fused_width(name) == module.fusion.widths[name]


def is_covered(model: Model, stream: str) -> None:
    """Check what can be said of an encoder that nobody described."""
    module = built(model, None)
    anatomy, places = module.anatomy, addressed(module)
    own = {place.address for place in places.values() if place.address.startswith(f"{stream}.")}
    layers = {int(number) for number in re.findall(r"\.layers\[(\d+)\]", " ".join(own))}
    assert not anatomy.known(stream)
    assert layers == set(range(len(layers)))
    assert layers
    assert anatomy.layers(stream) in (None, len(layers))
    assert f"{stream}.embeddings" in own
    for address in own:
        assert anatomy.select(address).leaves, address


def trained(loaded: Spec) -> Iterator[tuple[Model, Pretrain | Finetune]]:
    for name, job in loaded.jobs.items():
        if isinstance(job, Pretrain | Finetune):
            yield loaded.model_of(name), job


@pytest.mark.parametrize("name", shipped_specs())
def test_of_every_shipped_spec(name: str) -> None:
    seen: set[str] = set()
    for model, job in trained(load(shipped_path(name))):
        key = model.model_copy(update={"freeze": (), "name": ""}).model_dump_json()
        if (key, job.heads()) not in seen:
            seen.add((key, job.heads()))
            agrees(model, job)


@pytest.mark.parametrize("id", PUBLISHED)
def test_of_every_published_encoder(id: str) -> None:
    known = find(id)
    # Fewer layers where they are all alike; timm's own number is compared with the catalogue's.
    layers = 2 if known.sequence and known.library == "transformers" else None
    tower = RandomArchitecture(
        id=id, layers=layers, max_tokens=known.max_tokens, image_size=known.image_size
    )
    text = known.modality == "text"
    agrees(two_towers(tower, VISION) if text else two_towers(TEXT, tower, pool="mean"), None)


@pytest.mark.parametrize("id", UNTOLD)
def test_every_parameter_of_other_published_encoders_has_an_address(id: str) -> None:
    known = find(id)
    tower = RandomArchitecture(
        id=id,
        layers=2 if known.sequence else None,
        max_tokens=None if known.max_tokens is None else 8,
        image_size=known.image_size,
    )
    if known.modality == "text":
        is_covered(two_towers(tower, VISION), "text")
    else:
        is_covered(two_towers(TEXT, tower, pool="mean"), "vision")


@pytest.mark.parametrize("id", UNDESCRIBED)
def test_every_parameter_of_other_encoders_has_an_address(id: str) -> None:
    size = timm.get_pretrained_cfg(id).input_size[-1]
    is_covered(two_towers(TEXT, RandomArchitecture(id=id, image_size=size), pool="mean"), "vision")


def test_forty_encoders_are_compared() -> None:
    assert len(PUBLISHED) + len(UNDESCRIBED) >= 40


@pytest.mark.parametrize("model_type", FOLDERS)
def test_every_parameter_of_other_folders_has_an_address(model_type: str, tmp_path: Path) -> None:
    sizes = {"num_hidden_layers": 2, "hidden_size": 24, "num_attention_heads": 2}
    AutoConfig.for_model(model_type, **sizes).save_pretrained(tmp_path)
    known = read_folder(tmp_path)
    tower = RandomArchitecture(
        id=str(tmp_path),
        max_tokens=None if known.max_tokens is None else 8,
        image_size=known.image_size,
    )
    if known.modality == "text":
        is_covered(two_towers(tower, VISION), "text")
    else:
        is_covered(two_towers(TEXT, tower, pool="mean"), "vision")


@pytest.mark.parametrize("id", STACKS)
def test_of_every_published_stack(id: str) -> None:
    agrees(one_tower(RandomArchitecture(id=id, layers=2)), None)


@pytest.mark.parametrize("id", NO_STACKS)
def test_what_is_no_stack_is_not_built(id: str) -> None:
    with pytest.raises(BackboneError, match="no plain stack"), torch.device("meta"):
        assemble(one_tower(RandomArchitecture(id=id)), None, weights=False)


@pytest.mark.parametrize("model_type", ["camembert", "xlm-roberta", "clip_vision_model", "swin"])
def test_of_a_local_folder(model_type: str, tmp_path: Path) -> None:
    sizes = {"num_hidden_layers": 3, "hidden_size": 16, "num_attention_heads": 2}
    if model_type == "swin":
        sizes = {"depths": [1, 2], "num_heads": [1, 2], "embed_dim": 8, "image_size": 56}
    AutoConfig.for_model(model_type, **sizes).save_pretrained(tmp_path)
    known = read_folder(tmp_path)
    tower = RandomArchitecture(
        id=str(tmp_path), max_tokens=known.max_tokens, image_size=known.image_size
    )
    text = known.modality == "text"
    agrees(two_towers(tower, VISION) if text else two_towers(TEXT, tower, pool="mean"), None)


@pytest.mark.parametrize("width", [None, 128, 64])
def test_of_an_encoder_with_other_dimensions(width: int | None) -> None:
    text = RandomArchitecture(
        id="google/electra-small-discriminator", layers=3, width=width, heads=4, max_tokens=9
    )
    agrees(two_towers(text, VISION), None)


@pytest.mark.parametrize("pool", ["cls", "mean", "first"])
def test_of_plain_models(pool: str) -> None:
    deep = PlainText(layers=3, width=16, heads=2)
    stemmed = PlainVision(layers=1, width=16, heads=2, image_size=32, patch=8, stem="convolutional")
    for model in (two_towers(pool=pool), two_towers(deep, stemmed, pool=pool)):
        for job in spec(model).jobs.values():
            agrees(model, job)
    for stack in (STACK, PlainStack(layers=1, width=48, heads=2)):
        agrees(one_tower(stack, pool=pool), None)
        agrees(one_tower(stack, pool=pool, width=32), None)


def test_nothing_is_claimed_of_an_encoder_that_nobody_knows() -> None:
    unknown = RandomArchitecture(id="someone/model", max_tokens=12)
    assert not stream_anatomy(unknown).known
    anatomy = two_towers(unknown).anatomy()
    assert anatomy.select("text.whatever").leaves
    assert not anatomy.select("text.whatever").certain
    assert not anatomy.select("txt.layers").leaves


def test_families_call_parts_of_layers_alike() -> None:
    parts: dict[str, str] = {}
    for family in PARTS_OF_LAYERS.values():
        for part, called in family.items():
            assert {parts.setdefault(name, part) for name in called} == {part}


@pytest.mark.parametrize("word", Kinds(FusionBlock))
@pytest.mark.parametrize("width", [16, 32])
@pytest.mark.parametrize("job", [0, 1])
def test_of_every_fusion(word: str, width: int, job: int) -> None:
    """Of each kind that the registry finds, as wide as the text or not, with the heads of a job."""
    model = joined_by(word)
    if "width" in keys_of(type(model.fusion)):
        fusion = model.fusion.model_copy(update={"width": width})
        model = model.model_copy(update={"fusion": fusion})
    agrees(model, [*spec(model).jobs.values()][job])


def test_a_fusion_that_forgets_a_part_is_named() -> None:
    module = built(two_towers(), None)
    module.fusion.gate = torch.nn.Linear(2, 2)
    with pytest.raises(CompileError, match=r"`cross` does not say .* `gate\.weight` belongs"):
        parameter_addresses(module)


def test_a_part_that_a_fusion_declares_and_does_not_have_is_named() -> None:
    module = built(two_towers(), None)
    del module.fusion.layers[1]
    with pytest.raises(
        CompileError, match=r"`cross` declares `cross\.layers\[1\].*`, and the module"
    ):
        parameter_addresses(module)
