"""Regions and several images: against plain formulas, published classes and plain modules."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from renaissance.compiler import build, plan
from renaissance.compiler.backbones.regions import RegionEmbeddings
from renaissance.compiler.batch import Batch, Items, RegionRows, TextRows, Texts
from renaissance.compiler.errors import InputError
from renaissance.compiler.model.inputs import RegionInput, TextInput
from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.schema.jobs import Finetune
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.tasks.easy_vqa.schema import EasyVqa
from tests.compiler.test_anatomy import agrees
from tests.kinds.two_images.schema import TwoImages
from tests.streams import (
    CHANNELS,
    MOST,
    detected,
    embedded,
    of_pixels_and_regions,
    of_towers,
    of_two_images,
    of_words_and_regions,
)

MODELS: dict[str, tuple[Model, TaskBlock]] = {
    "towers": (of_towers(), EasyVqa()),
    "words and regions": (of_words_and_regions(), EasyVqa()),
    "two images": (of_two_images(pool="cls"), TwoImages()),
    "pixels and regions": (of_pixels_and_regions(), EasyVqa()),
}
every_model = pytest.mark.parametrize("name", MODELS)


def spec_of(model: Model, task: TaskBlock) -> Spec:
    job = Finetune(name="learn", on="tiny", task=task, optimizer=AdamW(lr=1e-3), batch=8, steps=1)
    return Spec(models={"tiny": model}, jobs={"learn": job})


def asking(name: str, **keys: Any) -> Objectives:
    model, task = MODELS[name]
    spec = spec_of(model.model_copy(update=keys), task)
    built = build(spec, job="learn").double()
    torch.manual_seed(3)
    for parameter in built.parameters():
        nn.init.normal_(parameter, std=0.3)
    return Objectives(built, spec.models["tiny"], spec.training_job("learn"))


def regions(rows: int) -> RegionRows:
    counts = torch.arange(rows) % MOST + 1
    return RegionRows(
        features=torch.randn(rows, MOST, CHANNELS, dtype=torch.float64),
        boxes=torch.rand(rows, MOST, 4, dtype=torch.float64),
        mask=torch.arange(MOST) < counts[:, None],
    )


def batch_for(name: str) -> Batch:
    """Four texts of different lengths with their images; the same ones may come twice."""
    torch.manual_seed(1)
    lengths = torch.tensor([3, 7, 2, 5])
    cumulative = torch.cat((torch.zeros(1), lengths.cumsum(0))).to(torch.int32)
    pixels = torch.randn(3, 3, 16, 16, dtype=torch.float64)
    image = torch.tensor([2, 0, 1, 0])
    images, more = regions(3), {}
    if name == "two images":
        images, more = pixels, {"right": torch.randn(2, 3, 16, 16, dtype=torch.float64)}
        image = torch.stack((image, torch.tensor([1, 0, 1, 1])), 1)
    elif name == "pixels and regions":
        images, more = pixels, {"objects": images}
        image = torch.stack((image, torch.tensor([0, 2, 1, 2])), 1)
    items = Items(
        text=torch.tensor([1, 3, 0, 2]),
        image=image,
        tokens=17,
        target=torch.tensor([1, 0, 1, 1]),
        known=4,
    )
    texts = TextRows(input_ids=torch.randint(5, 60, (17,)), cumulative=cumulative, longest=7)
    return Batch(
        images=images, texts=Texts(encoded=texts), items={"answer": items}, rows=4, more=more
    )


def one(shown: Any, place: int) -> Any:
    if isinstance(shown, Tensor):
        return shown[place : place + 1]
    there = shown.mask[place]
    return {
        "features": shown.features[place : place + 1, there],
        "boxes": shown.boxes[place : place + 1, there],
    }


@pytest.fixture
def in_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses are taken in float32; here they are to keep the digits that they have."""
    monkeypatch.setattr(torch.Tensor, "float", lambda tensor: tensor.double())


@every_model
def test_a_step_equals_one_pass_a_pair(name: str, in_double: None) -> None:
    objectives, batch = asking(name), batch_for(name)
    model, items = objectives.model, batch.items["answer"]
    encoded = batch.texts.encoded
    assert encoded is not None and encoded.cumulative is not None
    texts = encoded.input_ids.tensor_split(encoded.cumulative[1:-1].long())
    shows = [batch.images, *batch.more.values()]
    scores = []
    for pair in range(items.pairs):
        places = items.image[pair].reshape(-1).tolist()
        vision = [one(shown, place) for shown, place in zip(shows, places, strict=True)]
        text = TextInput(input_ids=texts[items.text[pair]][None])
        scores.append(model.heads["answer"](model(text, *vision).pooled))
    expected = nn.functional.cross_entropy(torch.cat(scores), items.target, reduction="sum")
    found = objectives(batch)["answer"]
    torch.testing.assert_close(found.scores, torch.cat(scores).detach())
    parameters = [part for part in model.parameters() if part.requires_grad]
    gradients = [
        torch.autograd.grad(loss, parameters, allow_unused=True) for loss in (found.loss, expected)
    ]
    for own, other in zip(*gradients, strict=True):
        assert (own is None) == (other is None)
        if own is not None:
            torch.testing.assert_close(own, other)


@every_model
def test_lowerings_change_nothing(name: str, in_double: None) -> None:
    lowered, plain = asking(name), asking(name, lower="none")
    plain.load_state_dict(lowered.state_dict())
    batch = batch_for(name)
    found = [one(batch)["answer"] for one in (lowered, plain)]
    torch.testing.assert_close(found[0].loss, found[1].loss)
    torch.testing.assert_close(found[0].scores, found[1].scores)


@every_model
def test_anatomy_and_plan_are_what_is_built(name: str) -> None:
    model, task = MODELS[name]
    spec = spec_of(model, task)
    agrees(model, spec.training_job("learn"))
    planned = plan(spec).jobs[0]
    built = build(spec, job="learn")
    assert planned.model.parameters.total == sum(part.numel() for part in built.parameters())
    assert set(model.fusion.inputs) <= {
        part.address.partition(".")[0] for part in planned.model.components
    }


def test_each_stream_of_the_sequence_has_a_type_of_its_own() -> None:
    fusion = build(spec_of(*MODELS["two images"])).fusion
    assert set(fusion.type_embedding.vectors) == {"text", "left", "right"}  # type: ignore[union-attr]


def test_two_images_in_one_sequence_make_one_vector() -> None:
    joint = asking("two images").model
    assert joint.heads.declared["answer"].views == 1
    assert joint.heads["answer"].inner.in_features == joint.pool.width


def test_embeddings_of_regions_are_those_of_lxmert() -> None:
    from transformers import LxmertConfig
    from transformers.models.lxmert.modeling_lxmert import LxmertVisualFeatureEncoder

    config = LxmertConfig(hidden_size=12, visual_feat_dim=CHANNELS, hidden_dropout_prob=0.0)
    published = LxmertVisualFeatureEncoder(config).double()
    for parameter in published.parameters():
        nn.init.normal_(parameter)
    own = RegionEmbeddings(detected(), 12, 0.0).double()
    names = {"feature": "visn_fc", "feature_norm": "visn_layer_norm"}
    names |= {"box": "box_fc", "box_norm": "box_layer_norm"}
    for name, other in names.items():
        own.get_submodule(name).load_state_dict(published.get_submodule(other).state_dict())
    shown = regions(3)
    found = own(shown.for_model())
    torch.testing.assert_close(found.tokens, published(shown.features, shown.boxes))
    assert found.mask is shown.mask


def test_layers_over_regions_are_those_of_lxmert() -> None:
    from transformers import LxmertConfig
    from transformers.models.lxmert.modeling_lxmert import LxmertLayer

    config = LxmertConfig(
        hidden_size=16,
        num_attention_heads=2,
        intermediate_size=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    published = LxmertLayer(config).double()
    model = build(spec_of(*MODELS["towers"])).double().eval()
    tower = model.towers["vision"]
    layer = tower.get_submodule("stack.layers.0")
    names = {
        "attention.attention.query": "attention.self.query",
        "attention.attention.key": "attention.self.key",
        "attention.attention.value": "attention.self.value",
        "attention.attention.output": "attention.output.dense",
        "attention.residual.norm": "attention.output.LayerNorm",
        "mlp.mlp.inner": "intermediate.dense",
        "mlp.mlp.outer": "output.dense",
        "mlp.residual.norm": "output.LayerNorm",
    }
    for name, other in names.items():
        layer.get_submodule(name).load_state_dict(published.get_submodule(other).state_dict())
    shown = regions(4)
    embeddings = tower.get_submodule("embeddings")(shown.for_model())
    assert shown.mask is not None
    hidden = (~shown.mask)[:, None, None].double() * torch.finfo(torch.float64).min
    [expected, *_] = published(embeddings.tokens, hidden)
    found = tower(shown.for_model()).tokens
    torch.testing.assert_close(found[shown.mask], expected[shown.mask])


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (torch.zeros(1, 3, 16, 16), "regions as a tensor"),
        (
            {"features": torch.zeros(1, 2, 7), "boxes": torch.zeros(1, 2, 4)},
            r"\[rows, regions, 5\]",
        ),
        ({"features": torch.zeros(1, 2, CHANNELS)}, "boxes of regions as a `NoneType`"),
        (
            RegionInput(
                features=torch.zeros(1, 2, CHANNELS),
                boxes=torch.zeros(1, 2, 4),
                mask=torch.ones(1, 3, dtype=torch.bool),
            ),
            "a mask of regions",
        ),
    ],
)
def test_other_inputs_are_refused(inputs: Any, said: str) -> None:
    model = build(spec_of(*MODELS["towers"]))
    text = {"input_ids": torch.tensor([[5, 6, 7]])}
    with pytest.raises(InputError, match=said):
        model(text, inputs)


def test_without_boxes_none_are_needed() -> None:
    own = RegionEmbeddings(embedded(boxes=False), 12, 0.0)
    assert own({"features": torch.zeros(1, 2, CHANNELS)}).tokens.shape == (1, 2, 12)
    assert not any("box" in name for name, _ in own.named_parameters())
