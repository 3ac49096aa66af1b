"""Generated files: every kind of source, fusion, objective and task that the registry finds.

Keys are drawn from what their class declares, so that a new kind is generated without a word here.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import annotated_types
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.anatomy.library import library_anatomy
from renaissance.grammar.anatomy.selectors import KINDS
from renaissance.grammar.catalogue import find, names
from renaissance.grammar.kinds.data import FormatBlock, TaskBlock
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.optimizer import OptimizerBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.kinds.source import OF_IMAGES, Position, SourceBlock
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.vocabulary import keys_of, kind_of, positional_key, sources
from renaissance.grammar.spelling import spelled_word

VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "layers": st.integers(1, 3),
    "width": st.sampled_from([8, 12, 24, 64]),
    "heads": st.sampled_from([1, 2, 3, 4]),
    "mlp_ratio": st.sampled_from(["0.01", "0.5", "4"]),
    "max_tokens": st.sampled_from([2, 8, 512, 600]),
    "image_size": st.sampled_from([8, 16, 32, 100, 224, 225]),
    "patch": st.sampled_from([1, 2, 7, 8, 16]),
    "vocabulary": st.sampled_from([64, 300]),
}
"""Values of keys whose range is wide, small ones and such as do not fit together."""

# Small, for their layers cannot be chosen; others are taken where a source chooses its own.
SMALL = {
    ("transformers", "text"): ("prajjwal1/bert-tiny",),
    ("transformers", "vision"): ("facebook/deit-tiny-patch16-224",),
    ("timm", "vision"): ("deit_tiny_patch16_224",),
}
_STREAM_KEYS = ("max_tokens", "image_size", *OF_IMAGES)


def values_of(name: str, info: FieldInfo) -> st.SearchStrategy[str] | None:
    """Return spellings of values that a key takes; None for a key that holds blocks or text."""
    if name in VALUES:
        return VALUES[name].map(str)
    kind = kind_of(info)
    low, high = _bounds(info)
    options: list[st.SearchStrategy[str]] = []
    if kind.words:
        options.append(st.sampled_from(sorted(kind.words)))
    if kind.count:
        options.append(st.integers(int(low), int(min(high, low + 3))).map(str))
    if kind.number:
        options.append(st.sampled_from([low, (low + min(high, low + 1)) / 2]).map(str))
    if kind.boolean:
        options.append(st.sampled_from(["true", "false"]))
    return st.one_of(options) if options else None


@st.composite
def block(
    draw: st.DrawFn, kind: type[Any], given: Mapping[str, str] = {}, without: Iterable[str] = ()
) -> str:
    """Return a block with all required keys and some of the optional ones."""
    said = dict(given)
    for name, info in keys_of(kind).items():
        if name in given or name in without:
            continue
        values = values_of(name, info)
        if values is not None and (info.is_required() or draw(st.integers(0, 3)) == 0):
            said[name] = draw(values)
    return "{ " + ", ".join(f"{name} = {value}" for name, value in said.items()) + " }"


@st.composite
def settings_of(draw: st.DrawFn, kind: type[Any], without: tuple[str, ...] = ()) -> list[str]:
    """Return some of the keys of a block, a line each."""
    values = {name: values_of(name, info) for name, info in keys_of(kind).items()}
    return [
        f"{name} = {draw(drawn)}"
        for name, drawn in values.items()
        if name not in without and drawn is not None and draw(st.booleans())
    ]


def kinds_at(position: Position, reads: str) -> list[type[SourceBlock]]:
    """Return the sources of a stream that reads texts or images, or of a stack."""
    length = "max_tokens" if reads == "text" else "image_size"
    return [
        kind
        for kind in sources(position).values()
        if (position == "encoder" or length in kind.model_fields)
        and (not _is_named(kind) or _architectures(kind, reads))
    ]


def _is_named(kind: type[SourceBlock]) -> bool:
    named = positional_key(kind)
    return named is not None and kind.model_fields[named].is_required()


@st.composite
def source(
    draw: st.DrawFn, position: Position, reads: str, kind: type[SourceBlock] | None = None
) -> str:
    """Return a source of a stream that reads texts or images, or of a stack; any if None."""
    other = "image_size" if reads == "text" else "max_tokens"
    kind = kind or draw(st.sampled_from(kinds_at(position, reads)))
    head, without = spelled_word(kind), {other}
    if position == "encoder":
        without = set(_STREAM_KEYS)
    elif reads == "text":
        without |= set(OF_IMAGES)
    if _is_named(kind):
        id = draw(st.sampled_from(_architectures(kind, reads)))
        head += f'("{id}")'
        if not find(id).sequence:
            # Which images the stages of such an encoder can divide, only its library tells.
            return head
        if "layers" in kind.model_fields:
            inside = draw(block(kind, {"layers": "1"}, without))
            return f"{head} {inside}"
    return f"{head} {draw(block(kind, {}, without))}"


def _architectures(kind: type[SourceBlock], reads: str) -> list[str]:
    if kind.loads_weights:
        small = (
            ids
            for (library, what), ids in SMALL.items()
            if (library, what) == (kind.library, reads)
        )
        return [id for ids in small for id in ids]
    known = {id: find(id) for id in names()}
    return [
        id
        for id, found in known.items()
        if found is not None
        and found.modality == reads
        and kind.library in (None, found.library)
        and library_anatomy(RandomArchitecture(id=id)).known
    ]


def joins(kind: type[FusionBlock], position: Position) -> bool:
    """Tell whether a fusion takes a source in a position."""
    if position == "encoder":
        return any(kind_of(info).blocks for info in keys_of(kind).values())
    return kind.accepts == position


@st.composite
def fusion(
    draw: st.DrawFn, kind: type[FusionBlock], inputs: tuple[str, str], stack: str | None = None
) -> str:
    """Return a fusion of two streams, over a stack where it has one."""
    reads = draw(st.sampled_from(["text", "vision"]))
    stacks = {
        name: stack or draw(source("encoder", reads))
        for name, info in keys_of(kind).items()
        if kind_of(info).blocks
    }
    return f"{spelled_word(kind)}({', '.join(inputs)}) {draw(block(kind, stacks))}"


def selectors(roots: Iterable[str], *, steps: bool = False) -> st.SearchStrategy[str]:
    """Return selectors that mean something in most models, in few, and in none.

    Args:
        roots: of the model.
        steps: take slices with a step too, which files do not spell.
    """
    numbers = st.none() | st.integers(-4, 4)
    step = st.sampled_from([None, 1, 2, -1]) if steps else st.none()
    slices = st.tuples(numbers, numbers, step).map(
        lambda ends: (
            ":".join("" if end is None else str(end) for end in ends[:2])
            + ("" if ends[2] is None else f":{ends[2]}")
        )
    )
    layers = st.one_of(st.just(""), st.integers(-3, 3).map(str), slices).map(
        lambda inside: f"layers[{inside}]" if inside else "layers"
    )
    others = ("cross", "projection", "type_embedding", "text", "vision", "mlm", "answer", "bert")
    parts = st.sampled_from([*KINDS, *others])
    inside = st.one_of(
        st.just([]),
        layers.map(lambda one: [one]),
        parts.map(lambda one: [one]),
        st.tuples(layers, parts).map(list),
        st.lists(st.one_of(layers, parts), max_size=3),
    )
    root = st.sampled_from([*roots, *roots, *KINDS, "pool", "heads", "nothing_such"])
    return st.tuples(root, inside).map(lambda drawn: ".".join((drawn[0], *drawn[1])))


NAMES = st.sampled_from([("text", "vision"), ("pos", "cls_token"), ("cross", "type_embedding")])
"""Names of a text and a vision stream, those that encoders and fusions use for their own too."""
FUSION = "joint"
_KERNELS = ("attention",)
"""Whether the kernels take the heads of a library's encoder, only the built model tells."""


@st.composite
def models(draw: st.DrawFn, streams: tuple[str, str], lines: Iterable[str] = ()) -> str:
    """Return a model `m` with any fusion, and sources in every position."""
    kind = draw(st.sampled_from([*Kinds(FusionBlock).values()]))
    position = kind.accepts
    words, images = streams
    inputs = (words, images) if draw(st.booleans()) else (images, words)
    said = [
        f"{position} {words} = {draw(source(position, 'text'))}",
        f"{position} {images} = {draw(source(position, 'vision'))}",
        f"fusion {FUSION} = {draw(fusion(kind, inputs))}",
    ]
    of_library = any('("' in line for line in said)
    said += draw(settings_of(Model, without=_KERNELS if of_library else ()))
    said += lines
    return "model m {\n  " + "\n  ".join(said) + "\n}\n"


@st.composite
def freezes(draw: st.DrawFn, roots: tuple[str, ...]) -> list[str]:
    """Return directives, most of which mean something."""
    few = st.lists(selectors(roots), min_size=1, max_size=2, unique=True).map(", ".join)
    said = []
    for chosen in draw(st.lists(few, max_size=2)):
        line = f"freeze {chosen}"
        if draw(st.integers(0, 2)) == 0:
            line += f" except {draw(selectors(roots))}"
        if draw(st.integers(0, 2)) == 0:
            line += f" until {draw(st.sampled_from(['30%', '3']))}"
        said.append(line)
    return said


@st.composite
def jobs(draw: st.DrawFn, roots: tuple[str, ...], folder: str) -> str:
    """Return jobs with any objectives and any task, factors and overrides.

    Args:
        draw: of hypothesis.
        roots: of the model `m`.
        folder: stands where data need a path; nothing is read there.
    """
    optimizers = [*Kinds(OptimizerBlock).values()]
    text = ""
    for name, kind in Kinds(FormatBlock).items():
        keys = "".join(f', {key} = "{folder}"' for key in _required(kind))
        text += f"data {name}_pairs {{ format = {spelled_word(kind)}{keys} }}\n"
    objectives = draw(st.lists(st.sampled_from([*Kinds(ObjectiveBlock)]), min_size=1, unique=True))
    heads = {
        "pretrain a on m": [
            f"data = [{draw(st.sampled_from([*Kinds(FormatBlock)]))}_pairs]",
            *(f"objective {word}" for word in objectives),
        ],
        "finetune b from a": [f"task = {draw(st.sampled_from(_tasks(folder)))}"],
    }
    for head, lines in heads.items():
        optimizer = draw(st.sampled_from(optimizers))
        said = [*lines, f"optimizer {spelled_word(optimizer)} {draw(block(optimizer))}"]
        said += ["batch = 8", "steps = 10"]
        factors = draw(st.lists(selectors(roots), max_size=2, unique=True))
        if factors:
            said.append("scale_lr { " + ", ".join(f"{one} = 2" for one in factors) + " }")
        if draw(st.integers(0, 2)) == 0:
            overrides = draw(freezes(roots)) or ["freeze nothing"]
            said.append("model { " + "\n    ".join(overrides) + " }")
        text += f"{head} {{\n  " + "\n  ".join(said) + "\n}\n"
    return text


def _tasks(folder: str) -> list[str]:
    """Return every task, with paths of a folder where it needs some."""
    found = []
    for kind in Kinds(TaskBlock).values():
        inside = ", ".join(f'{name} = "{folder}"' for name in _required(kind))
        found.append(f"{spelled_word(kind)} {{ {inside} }}" if inside else spelled_word(kind))
    return found


def _required(kind: type[Any]) -> list[str]:
    return [name for name, info in keys_of(kind).items() if info.is_required()]


def _bounds(info: FieldInfo) -> tuple[float, float]:
    low, high = 0.0, 1e9
    for said in info.metadata:
        if isinstance(said, annotated_types.Ge):
            low = float(said.ge)  # type: ignore[arg-type]
        elif isinstance(said, annotated_types.Gt):
            low = float(said.gt) + 0.5  # type: ignore[arg-type]
        elif isinstance(said, annotated_types.Le):
            high = float(said.le)  # type: ignore[arg-type]
        elif isinstance(said, annotated_types.Lt):
            high = float(said.lt)  # type: ignore[arg-type]
    return low, high
