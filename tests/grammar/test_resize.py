"""`resize = fit { … }`: how it is spelled, compared and refused."""

from typing import Any

import pytest

from renaissance.grammar.canonical import print_spec
from renaissance.grammar.diff import diff_specs
from renaissance.grammar.kinds.source import Fit
from renaissance.grammar.schema.spec import Spec

VILT = "fit { shorter = 384, longer = 640, multiple = 32 }"
TEXT = """
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = SOURCE { KEYS, resize = RESIZE }
  fusion cross = cross_attention(text, vision)
  pool = mean
}
data pairs { format = easy_vqa }
pretrain base on tiny {
  data = [pairs]
  objective itm
  optimizer adamw { lr = 1e-4 }
  batch = 8, steps = 10
}
finetune task from base {
  task = easy_vqa
  LATER
  optimizer adamw { lr = 1e-4 }
  batch = 8, steps = 10
}
"""


def text(resize: str, source: str = "plain_vision", keys: str = "", later: str = "") -> str:
    own = "layers = 2, width = 64, heads = 4" if source == "plain_vision" else "normalise = encoder"
    found = TEXT.replace("SOURCE", source).replace("KEYS", f"{own}{keys}").replace("LATER", later)
    return found.replace("RESIZE", resize)


def spec(workshop: Any, *said: str, **more: str) -> Spec:
    resolution = workshop.resolve(text(*said, **more))
    assert resolution.spec is not None, resolution.diagnostics
    return resolution.spec


def test_it_is_read_and_printed(workshop: Any) -> None:
    found = spec(workshop, VILT)
    assert found.models["tiny"].streams["vision"].resize == Fit(
        shorter=384, longer=640, multiple=32
    )
    assert workshop.resolve(print_spec(found)).spec == found
    assert Spec.model_validate_json(found.to_json()) == found
    named = workshop.resolve(text("vilt") + f"let vilt = {VILT}\n").spec
    assert named.hash == found.hash != spec(workshop, "squash").hash


def test_words_stay_words(workshop: Any) -> None:
    found = spec(workshop, "squash")
    assert found.models["tiny"].streams["vision"].resize == "squash"
    assert '"resize":"squash"' in found.to_json()


def test_what_differs_is_shown_by_its_address(workshop: Any) -> None:
    one, other = (spec(workshop, said) for said in (VILT, VILT.replace("640", "608")))
    [block] = diff_specs(one, other).blocks
    [change] = block.changes
    assert (change.address, change.old, change.new) == ("vision.resize.longer", "640", "608")
    assert change.impact == "numerics"
    [block] = diff_specs(spec(workshop, "crop"), one).blocks
    assert [change.address for change in block.changes] == ["vision.resize"]


def test_a_job_changes_how_images_are_prepared_without_a_warning(workshop: Any) -> None:
    later = f"model {{ vision.resize = {VILT} }}"
    for before in ("squash", VILT.replace("384", "320")):
        assert workshop.codes(text(before, later=later)) == []
        found = spec(workshop, before, later=later)
        assert found.job_models["task"].streams["vision"].resize.shorter == 384
        assert workshop.resolve(print_spec(found)).spec == found
    back = text(VILT, later="model { vision.resize = squash }")
    assert workshop.codes(back) == []


@pytest.mark.parametrize(
    ("resize", "code"),
    [
        ("fot", "VL407"),
        ("fit", "VL403"),
        ("fit { shorter = 384, longer = 640 }", "VL403"),
        ('"fit"', "VL404"),
        ("3", "VL404"),
        ("squash { shorter = 3 }", "VL411"),
        ("fit { shorter = 384, longer = 320, multiple = 32 }", "VL405"),
        ("fit { shorter = 16, longer = 320, multiple = 32 }", "VL405"),
        ("fit { shorter = 384, longer = 9000, multiple = 32 }", "VL405"),
        ("fit { shorter = 384, longer = 640, multiple = 24 }", "VL308"),
        ("fit { shorter = 384, longer = 640, multiple = 32, patch = 3 }", "VL401"),
    ],
)
def test_mistakes_are_named(workshop: Any, resize: str, code: str) -> None:
    assert code in workshop.codes(text(resize))


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("deit_tiny_patch16_224", True),
        ("vit_base_patch32_384", True),
        ("vit_base_patch16_clip_224", True),
        ("beit_base_patch16_224", False),
        ("swin_tiny_patch4_window7_224", False),
    ],
)
def test_encoders_that_read_squares_only_are_refused(workshop: Any, name: str, sound: bool) -> None:
    codes = workshop.codes(text(VILT, source=f'timm("{name}")'))
    assert codes == ([] if sound else ["VL314"])


@pytest.mark.parametrize("shape", [(480, 640), (640, 480), (333, 1000), (20, 999), (384, 384)])
def test_sides_are_multiples_within_the_limits(shape: tuple[int, int]) -> None:
    fit = Fit(shorter=384, longer=640, multiple=32)
    height, width = fit.shape(*shape)
    assert height % 32 == width % 32 == 0
    assert min(height, width) <= 384 and 32 <= max(height, width) <= 640
    assert height * width <= fit.largest[0] * fit.largest[1] == 384 * 640
    assert (height > width) == (shape[0] > shape[1]) or height == width
