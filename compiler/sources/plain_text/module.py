"""Builds a plain text encoder."""

from renaissance.compiler.backbones.embeddings import WordEmbeddings
from renaissance.compiler.backbones.plain import PlainTextTower
from renaissance.compiler.model.tower import Tower
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.grammar.schema.model import Attention


def tower(block: PlainText, address: str, *, attention: Attention, weights: bool) -> Tower:
    """Return the encoder of a stream, which starts from random weights."""
    embeddings = WordEmbeddings(
        block.vocabulary, block.max_tokens, block.width, block.dropout, eps=block.eps
    )
    return PlainTextTower(embeddings, block, address, attention)
