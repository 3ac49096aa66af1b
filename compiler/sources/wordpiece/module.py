"""Builds word embeddings."""

from renaissance.compiler.backbones.embeddings import WordEmbeddings
from renaissance.compiler.backbones.plain import WordpieceTower
from renaissance.compiler.errors import CompileError
from renaissance.compiler.model.tower import Tower
from renaissance.compiler.sources.wordpiece.schema import Wordpiece
from renaissance.grammar.anatomy.architecture import vocabulary_named


def embedding(block: Wordpiece, address: str, *, stack_width: int, dropout: float) -> Tower:
    """Return the embeddings of a stream, as wide as the stack where the block does not say."""
    vocabulary = _vocabulary(block, address)
    width = block.width or stack_width
    return WordpieceTower(
        WordEmbeddings(
            vocabulary, block.max_tokens, width, dropout, eps=block.eps, types=block.token_types
        )
    )


def load(block: Wordpiece, embeddings: WordpieceTower, address: str) -> None:
    """Let the embeddings start from those of the model that the block names, if it names one.

    Raises:
        BackboneError: if it cannot be had, or embeds in another way.
    """
    if block.weights is not None:
        from renaissance.compiler.backbones.published_embeddings import load_words

        load_words(embeddings, block.weights, address)


def _vocabulary(stream: Wordpiece, address: str) -> int:
    if stream.id is None:
        if stream.vocabulary is None:
            raise CompileError(f"`{address}`: a learned vocabulary needs its size, `vocabulary`")
        return stream.vocabulary
    found = vocabulary_named(stream.id)
    if found is None:
        raise CompileError(f"`{address}`: nothing is known of the vocabulary of `{stream.id}`")
    return found
