"""Two towers side by side against CLIP of transformers, in float64."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor
from transformers import CLIPConfig, CLIPModel

from renaissance.compiler.assembly import assemble
from renaissance.compiler.demand import unread_parts
from renaissance.compiler.fusions.dual_encoder.module import SideBySide
from renaissance.compiler.fusions.dual_encoder.schema import DualEncoder
from renaissance.compiler.lowering.context import Context
from renaissance.compiler.lowering.lowerings import LOWERINGS, explained
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.readings import Reading
from renaissance.compiler.model.tower import TowerFacts
from renaissance.compiler.planning import plan
from renaissance.runtime.objectives.mlm.schema import Mlm
from tests.compiler.declarations import joined_by, packed_texts, spec

TEXT, VISION, WIDTH, END = 24, 16, 12, 63


def clip() -> CLIPModel:
    """CLIP with weights by chance."""
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = CLIPConfig(
        projection_dim=WIDTH,
        text_config=sizes | {"hidden_size": TEXT, "vocab_size": 64, "eos_token_id": END},
        vision_config=sizes | {"hidden_size": VISION, "image_size": 32, "patch_size": 8},
    )
    torch.manual_seed(0)
    return CLIPModel(config).double().eval()


@pytest.fixture(scope="module")
def published() -> CLIPModel:
    return clip()


def projected(published: CLIPModel) -> SideBySide:
    """Return the fusion with the projections of CLIP."""
    facts = {
        "text": TowerFacts(modality="text", width=TEXT),
        "vision": TowerFacts(modality="vision", width=VISION),
    }
    fusion = SideBySide(DualEncoder(inputs=("text", "vision"), width=WIDTH), facts).double()
    fusion.load_state_dict(
        {
            "projection.text.weight": published.text_projection.weight,
            "projection.vision.weight": published.visual_projection.weight,
        }
    )
    return fusion


def test_vectors_are_those_of_clip(published: CLIPModel) -> None:
    ids = torch.randint(1, END, (3, 7))
    ids[:, -1] = END
    pixels = torch.randn(4, 3, 32, 32, dtype=torch.float64)
    wanted = published(input_ids=ids, pixel_values=pixels)
    pooled = {
        "text": published.text_model(input_ids=ids).pooler_output,
        "vision": published.vision_model(pixel_values=pixels).pooler_output,
    }
    fusion = projected(published)
    text, vision = fusion.vectors(pooled).values()
    torch.testing.assert_close(text, wanted.text_embeds)
    torch.testing.assert_close(vision, wanted.image_embeds)
    logits = published.logit_scale.exp() * text @ vision.mT
    torch.testing.assert_close(logits, wanted.logits_per_text)
    found, ours = gradients(wanted.logits_per_text, logits, published, fusion)
    torch.testing.assert_close(found, ours)


def gradients(
    theirs: Tensor, ours: Tensor, published: CLIPModel, fusion: SideBySide
) -> tuple[list[Tensor], list[Tensor]]:
    """Return the gradients of both projections, theirs and ours."""
    weights = [published.text_projection.weight, published.visual_projection.weight]
    own = [one.weight for one in fusion.projection.values()]
    return (
        list(torch.autograd.grad(theirs.sin().sum(), weights, retain_graph=True)),
        list(torch.autograd.grad(ours.sin().sum(), own)),  # type: ignore[arg-type]
    )


def models(pool: str) -> tuple[VisionLanguageModel, VisionLanguageModel]:
    """Return the same model, plain and lowered."""
    found = []
    for lower in ("none", "auto"):
        declared = joined_by("dual_encoder", lower=lower, pool=pool)
        torch.manual_seed(0)
        found.append(assemble(declared, spec(declared).training_job("base"), weights=True).eval())
    return found[0], found[1]


@pytest.mark.parametrize("pool", ["mean", "cls"])
def test_it_is_read_the_same_lowered(pool: str) -> None:
    text, pixels = packed_texts(3, 5), torch.randn(2, 3, 32, 32)
    readings = [Reading(rows=2, stream="text", positions=torch.tensor([1, 7]), tokens=10)]
    readings.append(Reading(rows=1, tokens=5))
    results: list[Mapping[str, Tensor]] = []
    for model in models(pool):
        features = {
            "text": model.encode("text", text),
            "vision": model.encode("vision", pixels).select(torch.tensor([0, 1, 1])),
        }
        tokens, pooled = model.read(features, readings)
        results.append({"tokens": tokens, "pooled": pooled})
    assert results[0]["tokens"].shape == (2, 32) and results[0]["pooled"].shape == (1, 64)
    for found, wanted in zip(results[1].values(), results[0].values(), strict=True):
        torch.testing.assert_close(found, wanted)


def test_a_vector_is_what_is_pooled_behind_the_fusion() -> None:
    for pool in ("mean", "cls"):
        model, _ = models(pool)
        fusion = model.fusion
        assert isinstance(fusion, SideBySide)
        vision = model.encode("vision", torch.randn(2, 3, 32, 32))
        behind = fusion({"vision": vision, "text": vision.with_tokens(vision.tokens[..., :32])})
        pooled = model.pool.vector("vision", behind["vision"])
        wanted = pooled / pooled.norm(dim=-1, keepdim=True)
        torch.testing.assert_close(model.vectors({"vision": vision}), {"vision": wanted})


def test_texts_alone_need_no_images() -> None:
    declared = joined_by("dual_encoder")
    job = spec(declared).training_job("base").model_copy(update={"objectives": (Mlm(),)})
    model = assemble(declared, job, weights=True)
    assert set(unread_parts(model)) == {"vision", "cross.projection.vision", "pool"}
    said = {one.name: one.what for one in explained(model, Context(), LOWERINGS)}
    assert "computes only what is read" in said["rows"]


def test_the_plan_names_projections_and_no_layers() -> None:
    planned = plan(spec(joined_by("dual_encoder"))).models[0]
    parts = {part.address: part for part in planned.components}
    assert [name for name in parts if name.startswith("cross.")] == [
        "cross.projection.text",
        "cross.projection.vision",
    ]
    assert parts["cross.projection.vision"].parameters == 48 * 32
