"""Every number of the language has bounds: at them it works, beyond them one finding says so."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt

from renaissance.cli import main
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.sources.huggingface.schema import HuggingFace
from renaissance.compiler.sources.patches.schema import Patches
from renaissance.compiler.sources.plain.schema import PlainStack
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.compiler.sources.timm.schema import Timm
from renaissance.compiler.sources.wordpiece.schema import Wordpiece
from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.declaration import Block, Minutes, Share
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source
from renaissance.grammar.spelling import number_text
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.schedules.linear.schema import Linear
from renaissance.runtime.schedules.polynomial.schema import Polynomial
from tests.runs import train

TOWERS = """model m {{
  backbone text   = {text}
  backbone vision = {vision}
  fusion cross = cross_attention(text, vision) {{ {cross} }}
  freeze vision.layers[0] {until} {freeze}
}}
"""
ONE_TOWER = """model m {{
  embed text   = wordpiece {{ {wordpiece} }}
  embed vision = patches {{ {patches} }}
  fusion cross = single_stream(text, vision) {{ encoder = {encoder} }}
}}
"""
JOBS = """
data d {{ format = easy_vqa }}
pretrain p on m {{
  data = [d]
  objective mlm {{ {mlm} }}
  objective itm {{ {itm} }}
  optimizer adamw {{ {adamw} }}
  schedule polynomial {{ {schedule} }}
  scale_lr {{ text = {factor} }}
  decay_lr {{ text = {fall} }}
  {pretrain}
}}
finetune f from p {{
  task = easy_vqa
  optimizer adamw {{ lr = 1e-3 }}
  {finetune}
}}
evaluate e of f {{ {evaluate} }}
"""
TABLES = ("scale_lr", "decay_lr")
"""Keys that are written as factors by address."""
SIZES = {"layers": "2", "width": "64", "heads": "2"}
RATE, LENGTH = {"lr": "1e-3"}, {"batch": "8", "steps": "100"}
ELECTRA, DEIT = '"google/electra-small-discriminator"', '"deit_tiny_patch16_224"'


def braces(word: str, keys: dict[str, str]) -> str:
    return f"{word} {{ {listed(keys)} }}"


def listed(keys: dict[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in keys.items())


def lines(keys: dict[str, str]) -> str:
    return listed(keys).replace(", ", "\n  ")


def text_with(block: type[Block], key: str, value: str) -> str:
    """Return a file in which one key of one kind of block has a value."""
    own = {key: value}
    length = {"batch": "8"} if key == "epochs" else LENGTH
    two = {
        "text": braces("plain_text", SIZES),
        "vision": braces("plain_vision", SIZES),
        "cross": "layers = 1",
        "until": "",
        "freeze": "",
    }
    one = {"wordpiece": "", "patches": "", "encoder": braces("random", SIZES)}
    match block.__name__:
        case "PlainText":
            two["text"] = braces("plain_text", SIZES | own)
        case "PlainVision":
            two["vision"] = braces("plain_vision", SIZES | own)
        case "HuggingFace":
            two["text"] = braces(f"huggingface({ELECTRA})", own)
            if key == "image_size":
                two["text"] = braces("plain_text", SIZES)
                two["vision"] = braces('huggingface("google/vit-base-patch16-224")', own)
        case "Timm":
            two["vision"] = braces(f"timm({DEIT})", own)
        case "RandomArchitecture":
            side, name = ("vision", DEIT) if key == "image_size" else ("text", ELECTRA)
            two[side] = braces(f"random({name})", own)
        case "CrossAttention":
            two["cross"] = listed(own)
        case "Freeze" if key == "until":
            two["until"] = f"until {value}"
        case "Freeze":
            two["freeze"] = braces("", own)
        case "Wordpiece":
            one["wordpiece"] = listed(own)
        case "Patches":
            one["patches"] = listed(own)
        case "PlainStack":
            one["encoder"] = braces("random", SIZES | own)
    embedded = block in (Wordpiece, Patches, PlainStack)
    model = ONE_TOWER.format(**one) if embedded else TOWERS.format(**two)
    return model + JOBS.format(
        mlm=listed(own) if block is Mlm else "",
        itm=listed(own) if block is Itm else "",
        adamw=listed(RATE | own) if block is AdamW else listed(RATE),
        schedule=listed(own) if block in (Polynomial, Linear) else "",
        factor=value if key == "scale_lr" else "1",
        fall=value if key == "decay_lr" else "1",
        pretrain=lines(length | own) if block is Pretrain and key not in TABLES else lines(LENGTH),
        finetune=lines(length | own) if block is Finetune and key not in TABLES else lines(LENGTH),
        evaluate=listed(own) if block is Evaluate else "",
    )


BLOCKS = (
    PlainText,
    PlainVision,
    HuggingFace,
    Timm,
    RandomArchitecture,
    CrossAttention,
    Freeze,
    Wordpiece,
    Patches,
    PlainStack,
    Mlm,
    Itm,
    AdamW,
    Polynomial,
    Linear,
    Pretrain,
    Finetune,
    Evaluate,
)


def numbers(annotation: Any, bounds: tuple[Any, ...]) -> Iterator[tuple[type, tuple[Any, ...]]]:
    """Yield the kinds of number that an annotation allows, each with its bounds."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        found = [m for info in more for m in getattr(info, "metadata", [info])]
        yield from numbers(inner, (*bounds, *found))
    elif annotation in (int, float, Share):
        yield annotation, bounds
    elif annotation is not Minutes:
        for option in get_args(annotation):
            yield from numbers(option, bounds)


def declared() -> Iterator[tuple[type[Block], str, type, tuple[Any, ...]]]:
    for block in BLOCKS:
        for name, info in block.model_fields.items():
            for kind, bounds in numbers(info.annotation, tuple(info.metadata)):
                yield block, name, kind, bounds


KEYS = list(dict.fromkeys(declared()))


def limit(bounds: tuple[Any, ...], *kinds: type) -> Any:
    return next((bound for bound in bounds if isinstance(bound, kinds)), None)


def spelled(name: str, kind: type, value: float) -> str:
    one = Share(value).spelling if kind is Share else number_text(value)
    return f"[0.5, {one}]" if name == "betas" else one


def at_and_beyond(kind: type, bounds: tuple[Any, ...]) -> tuple[list[float], list[float]]:
    """Return the outermost values that are allowed, and values that are not."""
    if kind is Share:
        return ([1e-9, 1] if limit(bounds, Gt) else [0, 1]), ([0] if limit(bounds, Gt) else [])
    low, high = limit(bounds, Ge, Gt), limit(bounds, Le, Lt)
    low_value = low.ge if isinstance(low, Ge) else low.gt
    high_value = high.le if isinstance(high, Le) else high.lt
    step = 1 if kind is int else 1e-9
    inside = [
        low_value if isinstance(low, Ge) else step,
        high_value if isinstance(high, Le) else high_value - step,
    ]
    outside = [low_value - 1, high_value if isinstance(high, Lt) else high_value * 2 + 1]
    return inside, [*outside, *([low_value] if isinstance(low, Gt) else [])]


def test_every_number_has_two_bounds() -> None:
    for block, name, kind, bounds in KEYS:
        if kind is not Share:
            assert limit(bounds, Ge, Gt) and limit(bounds, Le, Lt), (block.__name__, name)


@pytest.mark.parametrize(
    ("block", "name", "kind", "bounds"),
    KEYS,
    ids=[f"{block.__name__}.{name}.{kind.__name__}" for block, name, kind, _ in KEYS],
)
def test_values_at_the_bounds_and_beyond(
    block: type[Block], name: str, kind: type, bounds: tuple[Any, ...]
) -> None:
    inside, outside = at_and_beyond(kind, bounds)
    for value in inside:
        text = text_with(block, name, spelled(name, kind, value))
        found = resolve(Source(name="main.vl", text=text)).diagnostics
        together = ("leaves no channel", "are replaced and")  # what keys make together
        ranged = [
            f
            for f in found
            if f.code == "VL405" and not any(words in f.label for words in together)
        ]
        assert not ranged, (value, ranged[0].label)
        assert not {f.code for f in found} & {"VL401", "VL404", "VL406"}
    for value in outside:
        text = text_with(block, name, spelled(name, kind, value))
        found = resolve(Source(name="main.vl", text=text)).diagnostics
        assert "VL405" in {f.code for f in found}, value


@pytest.mark.parametrize("number", ["1e308", "-1e308", "99999999999999999999999", "-0.0", "1e-320"])
def test_no_number_is_a_bug(
    number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for block, name, _, _ in KEYS:
        spelling = f"[0.5, {number}]" if name == "betas" else number
        Path("main.vl").write_text(text_with(block, name, spelling))
        assert main(["check", "main.vl"]) in (0, 1), (block.__name__, name)
        assert "VL901" not in capsys.readouterr().err


def test_a_feed_forward_part_without_a_channel() -> None:
    text = text_with(CrossAttention, "mlp_ratio", "0.001")
    [found] = resolve(Source(name="main.vl", text=text)).diagnostics
    assert (found.code, found.span.text) == ("VL405", "0.001")


LOWEST: dict[str, Any] = {
    "optimizer": AdamW(lr=1e-300, weight_decay=0, betas=(0.0, 0.0), eps=1e-30),
    "schedule": Polynomial(warmup=0, end_lr=0, power=1e-9),
    "scale_lr": {"text": 0.0},
    "clip": 1e-30,
    "seed": 0,
}
HIGHEST: dict[str, Any] = {
    "optimizer": AdamW(lr=1e-3, weight_decay=100, betas=(0.999999, 0.999999), eps=1),
    "schedule": Polynomial(warmup=0, end_lr=1, power=100),
    "scale_lr": {"text": 10_000.0},
    "clip": 1e9,
    "seed": 2**32 - 1,
    "keep": 1000,
}


@pytest.mark.parametrize(
    ("keys", "objectives"),
    [
        (LOWEST, (Mlm(probability=Share(1e-9), weight=1e-300), Itm(negatives=1))),
        (HIGHEST, (Mlm(probability=Share(1), weight=1000), Itm(negatives=16, draw="data"))),
    ],
    ids=["lowest", "highest"],
)
def test_a_run_at_the_bounds(
    tiny_spec: Callable[..., Spec],
    tmp_path: Path,
    keys: dict[str, Any],
    objectives: tuple[Mlm | Itm, ...],
) -> None:
    spec = tiny_spec(base={"steps": 2, "objectives": objectives, **keys}, layers=1)
    [result] = train(spec, tmp_path, "base").results
    assert result.metrics and all(map(math.isfinite, result.metrics.values()))
