"""Linear maps of a built model are `nn.Linear` to whoever asks for the exact type."""

import copy
import gc
import io
import pickle
import weakref

import pytest
import torch
from torch import nn

from renaissance import build
from renaissance.compiler.lowering import linear as maps
from renaissance.compiler.model import VisionLanguageModel
from tests.compiler.declarations import DEIT, ELECTRA, one_tower, spec, two_towers

MODELS = {
    "plain towers": two_towers(),
    "library towers": two_towers(text=ELECTRA, vision=DEIT),
    "plain stack": one_tower(),
}
INPUTS = {
    "text": {"input_ids": torch.arange(2, 12).view(2, 5)},
    "vision": torch.linspace(-1, 1, 2 * 3 * 32 * 32).view(2, 3, 32, 32),
}


def built(name: str) -> VisionLanguageModel:
    return build(spec(MODELS[name])).eval()


def repickled(model: nn.Module) -> nn.Module:
    return pickle.loads(pickle.dumps(model))  # type: ignore[no-any-return]


def linear_maps(model: nn.Module) -> list[nn.Module]:
    return [part for part in model.modules() if type(part) is nn.Linear]


@pytest.mark.parametrize("name", MODELS)
def test_every_linear_map_has_the_exact_type(name: str) -> None:
    model = built(name)
    assert linear_maps(model) == [m for m in model.modules() if isinstance(m, nn.Linear)]


@pytest.mark.filterwarnings("ignore:.*deprecated")
@pytest.mark.parametrize("name", MODELS)
def test_dynamic_quantisation_reaches_all_of_them(name: str) -> None:
    model = built(name)
    quantized = torch.ao.quantization.quantize_dynamic(model, {nn.Linear})
    swapped = [
        part
        for part in quantized.modules()
        if isinstance(part, torch.ao.nn.quantized.dynamic.Linear)
    ]
    assert len(swapped) == len(linear_maps(model)) > 10
    found, expected = quantized(**INPUTS).pooled, model(**INPUTS).pooled
    assert not torch.equal(found, expected)
    torch.testing.assert_close(found, expected, atol=0.1, rtol=0.1)


@pytest.mark.parametrize("copied", ["saved", "pickled", "deepcopied"])
@pytest.mark.parametrize("name", MODELS)
def test_copies_run_with_their_own_weights(
    name: str, copied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "MINIMAL_WORK", 1)
    model = built(name)
    expected = model(**INPUTS).pooled
    if copied == "saved":
        file = io.BytesIO()
        torch.save(model, file)
        file.seek(0)
        other = torch.load(file, weights_only=False)
    else:
        other = (
            copy.deepcopy(model) if copied == "deepcopied" else pickle.loads(pickle.dumps(model))
        )
    with torch.no_grad():
        for part in linear_maps(model):
            part.weight.zero_()  # type: ignore[operator, union-attr]
    torch.testing.assert_close(other(**INPUTS).pooled, expected)
    asked: list[torch.Size] = []
    monkeypatch.setattr(
        maps, "_mapped", lambda *given: asked.append(given[0].shape) or nn.functional.linear(*given)
    )
    other(**INPUTS)
    assert asked or not torch.backends.mkldnn.is_available()


def test_weights_are_freed_with_their_model() -> None:
    model = built("plain towers")
    weight = weakref.ref(linear_maps(model)[0].weight)
    gc.disable()
    try:
        model = None  # type: ignore[assignment]
        assert weight() is None
    finally:
        gc.enable()
