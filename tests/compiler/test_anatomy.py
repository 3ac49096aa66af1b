"""What the grammar says that a model consists of is what is built."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig

from renaissance.compiler.addresses import parameter_addresses
from renaissance.compiler.assembly import assemble
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.sources.plain.schema import PlainStack
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.anatomy.encoders import stream_anatomy
from renaissance.grammar.anatomy.library import can_stack
from renaissance.grammar.anatomy.parts import Leaf
from renaissance.grammar.catalogue import find, names
from renaissance.grammar.encoder_folder import read_folder
from renaissance.grammar.loading import load
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.shipped import shipped_path, shipped_specs
from tests.compiler.declarations import STACK, TEXT, VISION, one_tower, spec, two_towers

# One of each architecture: several have more than one name.
PUBLISHED = sorted(
    {
        (known.library, known.model_type, known.layers, known.embedding_width == known.width): id
        for id in names()
        for known in [find(id)]
    }.values()
)
STACKS = [id for id in PUBLISHED if can_stack(find(id))]
NO_STACKS = [id for id in PUBLISHED if not can_stack(find(id))]


def built(model: Model, job: Pretrain | Finetune | None) -> frozenset[Leaf]:
    """Return the leaves of a model as it is built, on torch's meta device."""
    with torch.device("meta"):
        module = assemble(model, job, weights=False)
    places = parameter_addresses(module).values()
    return frozenset(Leaf(place.address, place.kinds) for place in places)


def agrees(model: Model, job: Pretrain | Finetune | None) -> None:
    anatomy = model.anatomy(job.heads() if job else ())
    assert all(anatomy.known(root) for root in anatomy.roots)
    assert built(model, job) == anatomy.leaves


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
    tower = RandomArchitecture(id=id, max_tokens=known.max_tokens, image_size=known.image_size)
    text = known.modality == "text"
    agrees(two_towers(tower, VISION) if text else two_towers(TEXT, tower, pool="mean"), None)


@pytest.mark.parametrize("id", STACKS)
def test_of_every_published_stack(id: str) -> None:
    agrees(one_tower(RandomArchitecture(id=id)), None)


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
