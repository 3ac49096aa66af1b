"""Streams and stacks by their source in the spec.

What builds a source stands in its folder and is imported where a spec asks for it, so that plain
models start quickly.
"""

from dataclasses import replace

from renaissance.compiler.model.tower import Stacked, Tower
from renaissance.grammar.kinds.registry import facet
from renaissance.grammar.kinds.source import SourceBlock
from renaissance.grammar.schema.model import Attention


def build_tower(stream: SourceBlock, address: str, *, attention: Attention, weights: bool) -> Tower:
    """Return the encoder of a stream.

    Args:
        stream: its declaration.
        address: its name, for messages.
        attention: implementation that the model asks for.
        weights: load the published ones where the source has them; without, only the shape counts.

    Raises:
        CompileError: if it cannot be built as declared.
    """
    tower: Tower = facet(stream, "module").tower(
        stream, address, attention=attention, weights=weights
    )
    return tower


def build_stack(spec: SourceBlock, address: str, *, attention: Attention, weights: bool) -> Stacked:
    """Return the stack of a fusion.

    Args:
        spec: its declaration.
        address: root address of the fusion.
        attention: implementation that the model asks for.
        weights: load the published ones where the source has them; without, only the shape counts.

    Raises:
        CompileError: if the encoder's layers are no plain stack over a sequence of tokens.
    """
    stack: Stacked = facet(spec, "module").stack(
        spec, address, attention=attention, weights=weights
    )
    return stack


def build_embedding(
    stream: SourceBlock, address: str, *, stack_width: int, dropout: float, weights: bool
) -> Tower:
    """Return the embeddings of a stream.

    Args:
        stream: their declaration.
        address: its name, for messages.
        stack_width: channels where the declaration does not say.
        dropout: probability of dropping a channel of a token in training.
        weights: load those that the declaration asks for; without, only the shape counts.

    Raises:
        CompileError: if they cannot be built as declared.
    """
    embedding: Tower = facet(stream, "module").embedding(
        stream, address, stack_width=stack_width, dropout=dropout
    )
    if stream.weights_of is not None:
        note = f"`{address}` starts from the embeddings of `{stream.weights_of}`"
        embedding.facts = replace(embedding.facts, notes=(*embedding.facts.notes, note))
        if weights:
            facet(stream, "module").load(stream, embedding, address)
    return embedding
