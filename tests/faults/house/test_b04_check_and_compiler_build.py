"""What `check` accepts can be built: generated towers, embeddings, stacks and fusions."""

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from renaissance.compiler.assembly import assemble
from renaissance.grammar.catalogue import find, names
from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.source import Source

TEXTS = [name for name in names() if find(name).modality == "text"]
IMAGES = [name for name in names() if find(name).modality == "vision"]
WIDTHS, HEADS = st.sampled_from([8, 12, 24, 64]), st.sampled_from([1, 2, 3, 4])
RATIOS = st.sampled_from(["0.01", "0.5", "4"])
LENGTHS = st.sampled_from([2, 8, 512, 600])
PIXELS = st.sampled_from([8, 16, 32, 100, 224, 225])
PATCHES = st.sampled_from([1, 2, 7, 8, 16])
STEMS = st.sampled_from(["linear", "convolutional"])


@st.composite
def block(draw: st.DrawFn, head: str, required: dict, optional: dict) -> str:
    """Return a block with all required keys and some of the optional ones."""
    chosen = draw(st.lists(st.sampled_from(sorted(optional)), unique=True)) if optional else []
    keys = required | {name: optional[name] for name in chosen}
    said = ", ".join(f"{name} = {draw(values)}" for name, values in keys.items())
    return f"{head} {{ {said} }}"


SIZES = {"layers": st.just(1), "width": WIDTHS, "heads": HEADS}
OWN = {"width": WIDTHS, "heads": HEADS, "mlp_ratio": RATIOS}
PLAIN = {"mlp_ratio": RATIOS}


def random(name: str, size: dict) -> st.SearchStrategy[str]:
    known = find(name)
    if not known.sequence:
        # Which images the stages of such an encoder can divide, only its library tells.
        return st.just(f'random("{name}")')
    return block(f'random("{name}")', {"layers": st.just(1)}, OWN | size)


def texts() -> st.SearchStrategy[str]:
    length = {"max_tokens": LENGTHS}
    return st.one_of(
        block("plain_text", SIZES, PLAIN | length),
        st.sampled_from(TEXTS).flatmap(lambda name: random(name, length)),
    )


def images() -> st.SearchStrategy[str]:
    cut = {"image_size": PIXELS, "patch": PATCHES, "stem": STEMS}
    return st.one_of(
        block("plain_vision", SIZES, PLAIN | cut),
        st.sampled_from(IMAGES).flatmap(lambda name: random(name, {"image_size": PIXELS})),
    )


@st.composite
def models(draw: st.DrawFn) -> str:
    pool = draw(st.sampled_from(["cls", "mean", "first"]))
    if draw(st.booleans()):
        fusion = block("cross_attention(text, vision)", {"layers": st.just(1)}, OWN)
        lines = [
            f"backbone text = {draw(texts())}",
            f"backbone vision = {draw(images())}",
            f"fusion x = {draw(fusion)}",
        ]
    else:
        own = {"width": WIDTHS}
        words = block("wordpiece", {}, {"max_tokens": LENGTHS} | own)
        cut = {"image_size": PIXELS, "patch": PATCHES, "stem": STEMS}
        stack = st.one_of(
            block("random", SIZES, PLAIN),
            st.sampled_from([*TEXTS, *IMAGES]).flatmap(lambda name: random(name, {})),
        )
        lines = [
            f"embed text = {draw(words)}",
            f"embed vision = {draw(block('patches', {}, cut | own))}",
            f"fusion x = single_stream(text, vision) {{ encoder = {draw(stack)} }}",
        ]
    return "model m {{\n  {}\n}}\n".format("\n  ".join([*lines, f"pool = {pool}"]))


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(models())
def test_what_check_accepts_is_built(text: str) -> None:
    spec = resolve(Source(name="main.vl", text=text)).spec
    if spec is not None:
        with torch.device("meta"):
            assemble(spec.models["m"], None, weights=False)
