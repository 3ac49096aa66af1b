"""The lowerings of encoders of libraries."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from renaissance.compiler.backbones.encoder_stack import EncoderStack
from renaissance.compiler.backbones.samples import ragged_rows, ragged_texts, random_image
from renaissance.compiler.lowering.context import Context
from renaissance.compiler.lowering.libraries.hook import Library
from renaissance.compiler.lowering.libraries.proof import adopt, reads_alike
from renaissance.compiler.lowering.libraries.stacks import LoweredEncoderStack
from renaissance.compiler.model.tower import Stacked, Tower
from renaissance.compiler.model.vision_language import VisionLanguageModel
from renaissance.grammar.schema.model import Attention

Switch = Callable[[Attention | Library], None]


@dataclass(frozen=True, slots=True)
class LibraryAttention:
    """Layers of libraries run the project's attention, which takes packed rows."""

    name: str = "library attention"

    def applies(self, model: VisionLanguageModel, context: Context) -> bool:
        """Whether a part of a library offers a hook, and the project's attention is of use."""
        return any(_gains(part) for _, part in _parts(model))

    def apply(self, model: VisionLanguageModel, context: Context) -> None:
        """Let each part run it, unless it fails the proof."""
        for address, part in _parts(model):
            adopt_attention(part, address)

    def explain(self, model: VisionLanguageModel, context: Context) -> str:
        """Say which parts run it."""
        ours = [
            f"`{address}`"
            for address, part in _parts(model)
            if part.facts.attention is not None and part.facts.attention.library is None
        ]
        return f"layers of {' and '.join(ours) or 'no library'} run the project's attention"


@dataclass(frozen=True, slots=True)
class LastLayer:
    """The last layer of a library's stack computes only what is read of it."""

    name: str = "last layer"

    def applies(self, model: VisionLanguageModel, context: Context) -> bool:
        """Whether a library's stack joins the streams."""
        stack = getattr(model.fusion, "encoder", None)
        return isinstance(stack, EncoderStack)

    def apply(self, model: VisionLanguageModel, context: Context) -> None:
        """Let it do so, unless other numbers come out."""
        read_last_layer(model.fusion.encoder, model.fusion_name)

    def explain(self, model: VisionLanguageModel, context: Context) -> str:
        """Say whether it does."""
        reads = getattr(model.fusion.encoder, "reads", False)
        what = "only what is read" if reads else "all tokens, because it reads wrong"
        return f"the last layer of `{model.fusion_name}` computes {what}"


def adopt_attention(part: Tower | Stacked, address: str) -> None:
    """Let a library's layers run the project's attention where that is of use, once it is proved.

    Args:
        part: a tower or a stack, as its library runs it.
        address: of the part, for notes.
    """
    if not _gains(part):
        return
    facts = part.facts
    assert facts.attention is not None  # as it gains
    ragged = facts.attention.ragged
    _take_rows(part)
    attention, notes = adopt(
        part,
        _switch(part),
        facts.attention,
        cases=_cases(part),
        calls=_calls(part),
        key=f"stack {part.key}" if isinstance(part, Stacked) else part.key,
        address=address,
    )
    packs = ragged and attention.library is None
    part.facts = replace(facts, attention=attention, packs=packs, notes=facts.notes + notes)


def read_last_layer(stack: Any, address: str) -> None:
    """Let the last layer compute only what is read, if it then gives the same.

    Args:
        stack: an `EncoderStack`.
        address: of the stack, for notes.
    """
    _take_rows(stack)
    stack.reads = True
    # With the library's own attention, which runs where the kernels do not.
    if not reads_alike(stack, stack.facts.width, key=f"stack {stack.key}"):
        stack.reads = False
        note = f"`{address}` computes all tokens of its last layer, whichever are read"
        stack.facts = replace(stack.facts, notes=(*stack.facts.notes, note))


def _parts(model: VisionLanguageModel) -> Iterator[tuple[str, Tower | Stacked]]:
    """Yield the parts that a library made, by root address."""
    parts = {**model.towers, model.fusion_name: getattr(model.fusion, "encoder", None)}
    for address, part in parts.items():
        if isinstance(part, (Tower, Stacked)) and part.key:
            yield address, part


def _gains(part: Tower | Stacked) -> bool:
    """Whether rows differ in length, or the kernels are asked for, and nothing is against it."""
    facts = part.facts.attention
    return facts is not None and facts.refusal is None and (facts.ragged or facts.asked == "triton")


def _take_rows(part: Tower | Stacked) -> None:
    """Let a part take packed rows, if its layers do."""
    if _config(part) is not None:
        from renaissance.compiler.lowering.libraries import transformers

        stacked = isinstance(part, EncoderStack)
        part.__class__ = (
            transformers.PackedTransformersStack
            if stacked
            else transformers.PackedTransformersTower
        )
    elif isinstance(part, EncoderStack):
        part.__class__ = LoweredEncoderStack


def _switch(part: Tower | Stacked) -> Switch:
    config = _config(part)
    if config is None:
        from renaissance.compiler.lowering.libraries import timm

        switch: Switch = partial(timm.set_attention, part)
    else:
        from renaissance.compiler.lowering.libraries import transformers

        switch = partial(transformers.set_attention, config)
    if not isinstance(part, EncoderStack):
        return switch

    def switch_stack(asked: Attention | Library) -> None:
        switch(asked)
        part.library = asked.name if isinstance(asked, Library) else None

    return switch_stack


def _config(part: Tower | Stacked) -> Any:
    """Return the configuration of an encoder of transformers; None of timm's."""
    holder = part if isinstance(part, EncoderStack) else getattr(part, "encoder", None)
    return getattr(holder, "config", None)


def _calls(part: Tower | Stacked) -> int:
    """Return how often a part computes attention in one pass."""
    config = _config(part)
    if config is None or isinstance(part, Stacked):
        return len(part.facts.layers)
    from renaissance.compiler.backbones.transformers_facts import attention_layers

    return attention_layers(config)


def _cases(part: Tower | Stacked) -> Callable[[], Sequence[Any]]:
    """Return what gives the rows of the proof."""
    facts = part.facts
    if isinstance(part, Stacked):
        return partial(ragged_rows, facts.width)
    if facts.modality == "text":
        from renaissance.compiler.backbones.huggingface import text_limits

        return lambda: ragged_texts(*text_limits(part))  # type: ignore[arg-type]
    return lambda: (random_image(_image_size(part)),)


def _image_size(part: Tower) -> int:
    config: Any = _config(part)
    return part.facts.image_size or (config.image_size if config else part.published_size)  # type: ignore[return-value]
