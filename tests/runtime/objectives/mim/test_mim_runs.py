"""Runs with hidden patches: processes, resuming, frozen towers, and what cannot be hidden."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from renaissance.compiler.assembly import build
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.model.patches import HiddenImages
from renaissance.compiler.normalisation import Normalisation
from renaissance.grammar.check import check
from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source
from renaissance.runtime.errors import InterruptionError
from renaissance.runtime.objectives.mim import examples, loss
from renaissance.runtime.objectives.mim.schema import Mim
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.report import write_report
from renaissance.runtime.results import read_result
from tests.runs import StopAt, events, last_bytes, run_in_two, train

Make = Callable[..., Spec]
VISION = (Freeze(selectors=("vision",), cache=False),)


@pytest.mark.parametrize(
    ("block", "freeze"),
    [(Mim(), ()), (Mim(mask="block", target="features", loss="l1"), VISION)],
    ids=["pixels", "features"],
)
def test_passes_and_processes_are_as_one(
    tiny_spec: Make, tmp_path: Path, block: Mim, freeze: tuple[Freeze, ...]
) -> None:
    base: dict[str, Any] = {"objectives": (block, Mlm()), "batch": 12, "steps": 3}
    whole = tiny_spec(dropout=0.0, freeze=freeze, base=base)
    cut = tiny_spec(dropout=0.0, freeze=freeze, base={**base, "micro_batch": 4})
    train(whole, tmp_path / "one", "base")
    train(cut, tmp_path / "three", "base")
    run_in_two(whole, tmp_path / "two", "base")
    lines = events(tmp_path / "one", "base", "step")
    assert lines
    for other in ("three", "two"):
        for ours, theirs in zip(lines, events(tmp_path / other, "base", "step"), strict=True):
            assert theirs["losses"] == pytest.approx(ours["losses"], rel=2e-4)
            assert theirs["metrics"] == pytest.approx(ours["metrics"], abs=1e-4)


def test_resumes_bit_for_bit_and_what_is_frozen_stays(tiny_spec: Make, tmp_path: Path) -> None:
    """With and without kept features of the images as they are."""
    block = Mim(target="features")
    spec, kept = (
        tiny_spec(
            freeze=(Freeze(selectors=("vision",), cache=cache, cache_limit=1),),
            base={"objectives": (block, Mlm())},
        )
        for cache in (False, True)
    )
    train(spec, tmp_path / "whole", "base")
    with pytest.raises(InterruptionError):
        train(kept, tmp_path / "parts", "base", observer=StopAt(3))
    train(kept, tmp_path / "parts", "base")
    result = read_result(tmp_path / "parts/base")
    assert result is not None
    hidden = [one for one in result.samples if one.explained is not None]
    assert hidden and all(len(one.pictures) == 2 for one in hidden)
    assert last_bytes(tmp_path / "parts", "base", 6) == last_bytes(tmp_path / "whole", "base", 6)
    start = build(spec, job="base").state_dict()
    end = load_file(tmp_path / "whole/base/checkpoints/step-00000006/model.safetensors")
    still = {name for name in start if torch.equal(start[name], end[name])}
    assert {name for name in start if name.startswith("streams.vision.")} <= still
    assert not {name for name in start if name.startswith("heads.mim.")} & still


def test_pixels_are_learned_alone(tiny_spec: Make, tmp_path: Path) -> None:
    """No image is encoded as it is, and the explained share of the variance rises."""
    base = {"objectives": (Mim(probability=Share(0.5)),), "batch": 12, "steps": 60}
    train(tiny_spec(dropout=0.0, base=base), tmp_path, "base")
    lines = events(tmp_path, "base", "step")
    assert lines[-1]["loss"] < 0.9 * lines[0]["loss"]
    assert lines[-1]["metrics"]["mim_explained"] > lines[0]["metrics"]["mim_explained"]
    result = read_result(tmp_path / "base")
    assert result is not None and result.samples
    for one in result.samples:
        assert [picture.label for picture in one.pictures] == [
            "as it is",
            "what is seen",
            "rebuilt",
        ]
        assert one.explained is not None and one.explained <= 1
    page = write_report(tmp_path, tmp_path / "page.html").read_text()
    assert "what was told of it" in page and result.samples[0].pictures[2].image in page


def test_what_is_rebuilt_of_the_truth_is_the_image() -> None:
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (3, 8, 12), dtype=np.uint8)
    normalised = Normalisation((0.5, 0.4, 0.3), (0.2, 0.3, 0.25))
    read = normalised(torch.from_numpy(pixels)[None])
    token, mask = torch.zeros(1), torch.zeros(1, 6, dtype=torch.bool)
    images = HiddenImages(pixels=read, mask=mask, token=token, side=4, stream="vision")
    truth = loss.normalised(images.patches()).numpy()
    chosen = np.array([1, 4])
    said = examples.rebuilt(normalised, pixels, 4, chosen, truth[chosen])
    np.testing.assert_array_equal(said, examples.cut(pixels, 4)[chosen])


SPEC = """
model tiny {
  STREAMS
  freeze text
}
data shapes { format = easy_vqa }
pretrain base on tiny {
  data = [shapes]
  objective mim { KEYS }
  optimizer adamw { lr = 1e-3 }
  batch = 64
  epochs = 2
}
"""
TEXT = "backbone text = plain_text { layers = 2, width = 64, heads = 4 }"
ONE = "encoder = random { layers = 2, width = 64, heads = 4 }"
SIZES = "layers = 2, width = 64, heads = 4"


@pytest.mark.parametrize(
    ("streams", "keys", "label"),
    [
        (
            f"{TEXT}\nbackbone vision = plain_vision {{ {SIZES} }}\n"
            "fusion cross = cross_attention(text, vision)",
            "target = features",
            "`vision` learns, and its features change meanwhile",
        ),
        (
            f'{TEXT}\nbackbone vision = plain_regions("features") {{ {SIZES} }}\n'
            "fusion cross = cross_attention(text, vision)",
            "",
            "`vision` reads regions: what the detector says of others shows what is hidden",
        ),
    ],
)
def test_what_cannot_be_hidden_is_said(streams: str, keys: str, label: str) -> None:
    text = SPEC.replace("STREAMS", streams).replace("KEYS", keys)
    found = [one for one in check(Source(name="main.vl", text=text)) if one.code == "VL545"]
    assert [one.label for one in found] == [label]


def test_tokens_that_a_fusion_does_not_bring_back_are_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    streams = f"{TEXT}\nbackbone vision = plain_vision {{ {SIZES} }}\n"
    text = SPEC.replace("STREAMS", f"{streams}fusion cross = cross_attention(text, vision)")
    text = text.replace("mim { KEYS }", "mim\nobjective mlm\nobjective itm")
    for lost, word in (("vision", "mim"), ("text", "mlm")):
        monkeypatch.setattr(
            CrossAttention, "keeps", lambda fusion, stream, lost=lost: stream != lost
        )
        [found] = [one for one in check(Source(name="main.vl", text=text)) if one.code == "VL545"]
        assert found.message.startswith(f"`{word}` cannot ")
        assert found.label == (
            f"behind `cross_attention` other tokens stand in the place of those of `{lost}`"
        )


@pytest.mark.parametrize(
    "name", ["microsoft/swin-tiny-patch4-window7-224", "swin_tiny_patch4_window7_224"]
)
def test_a_tower_that_merges_its_patches_is_refused(name: str) -> None:
    streams = (
        f'{TEXT}\nbackbone vision = random("{name}") {{ image_size = 224 }}\n'
        "fusion cross = cross_attention(text, vision)\npool = mean"
    )
    text = SPEC.replace("STREAMS", streams).replace("KEYS", "")
    [found] = [one for one in check(Source(name="main.vl", text=text)) if one.severity == "error"]
    assert found.code == "VL545"
    assert found.label.startswith("`vision` merges its patches from stage to stage")
