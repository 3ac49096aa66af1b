"""A fusion that is nothing but its mathematics: computed padded, and read all the same."""

from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import Tensor, nn

from renaissance.compiler import VisionLanguageModel
from renaissance.compiler.assembly import assemble
from renaissance.compiler.lowering.compilation import repeated_layers
from renaissance.compiler.lowering.context import Context
from renaissance.compiler.lowering.implementations import Place, planned_attention
from renaissance.compiler.lowering.lowerings import LOWERINGS, OF_MODELS, explained, lower
from renaissance.compiler.model.attention import MultiHeadAttention
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.readings import Reading
from tests.compiler.declarations import packed_texts, spec, two_towers

WIDTH = 32


class Gated(nn.Module):
    """Words look at the image once, and the image at the mean of the words."""

    def __init__(self) -> None:
        super().__init__()
        self.widths = {"text": WIDTH, "vision": WIDTH}
        self.down = nn.Linear(48, WIDTH)
        self.attention = MultiHeadAttention(WIDTH, 4, 0.0)
        self.gate = nn.Linear(WIDTH, WIDTH)

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        text, vision = features["text"], features["vision"]
        vision = vision.with_tokens(self.down(vision.tokens))  # [rows, patches, width]
        text = text.with_tokens(text.tokens + self.attention(text, vision))  # [rows, n, width]
        mask = torch.ones_like(text.tokens[..., :1]) if text.mask is None else text.mask[..., None]
        mean = (text.tokens * mask).sum(1) / mask.sum(1)  # [rows, width]
        gated = vision.tokens * self.gate(mean)[:, None].sigmoid()
        return {"text": text, "vision": vision.with_tokens(gated)}


def models() -> tuple[VisionLanguageModel, VisionLanguageModel]:
    declared = two_towers(lower="none")
    torch.manual_seed(0)
    plain = assemble(declared, spec(declared).training_job("base"), weights=True)
    plain.fusion = Gated()
    plain = plain.double().eval()
    lowered = deepcopy(plain)
    lower(lowered, Context(), OF_MODELS)
    return plain, lowered


def test_it_is_read_like_any_other() -> None:
    text, pixels = packed_texts(3, 5), torch.randn(2, 3, 32, 32).double()
    readings = [
        Reading(rows=2, stream="text", positions=torch.tensor([1, 7]), tokens=10),
        Reading(rows=1, tokens=5),
    ]
    results: list[list[Tensor]] = []
    for model in models():
        features = {
            "text": model.encode("text", text),
            "vision": model.encode("vision", pixels).select(torch.tensor([0, 1, 1])),
        }
        assert features["text"].packing is not None
        tokens, pooled = model.read(features, readings)
        assert tokens.shape == (2, WIDTH) and pooled.shape == (1, 2 * WIDTH)
        whole = model(text=text, vision=pixels[[0, 1, 1]])
        torch.testing.assert_close(tokens, whole.streams["text"][:2].flatten(0, 1)[[1, 7]])
        torch.testing.assert_close(pooled, whole.pooled[2:])
        # As a job learns: a loss of what heads make of it reaches every part.
        scores = model.heads["mlm"](tokens).logsumexp(-1).sum() + model.heads["itm"](pooled)[0, 0]
        scores.backward()
        gradients = [part.grad for part in model.parameters()]
        assert all(gradient is not None for gradient in gradients)
        results.append([tokens, pooled, *gradients])  # type: ignore[list-item]
    for found, wanted in zip(*results, strict=True):
        torch.testing.assert_close(found, wanted)


def test_towers_are_lowered_and_the_plan_says_what_is_not() -> None:
    _, lowered = models()
    assert lowered.towers["text"].facts.packs
    said = {one.name: one.what for one in explained(lowered, Context(), LOWERINGS)}
    assert said["rows"] == "`cross`: padded, all computed"
    assert {"attention", "projections", "absorption"} <= said.keys()
    used = planned_attention(lowered, Place(device="cpu", certain=True), None)
    assert str(used["cross"]) == "sdpa (no GPU)"
    assert not any(address.startswith("cross") for address in repeated_layers(lowered))
