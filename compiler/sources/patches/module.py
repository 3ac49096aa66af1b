"""Builds patch embeddings."""

from renaissance.compiler.backbones.embeddings import PatchEmbeddings
from renaissance.compiler.backbones.plain import PatchesTower
from renaissance.compiler.model.tower import Tower
from renaissance.compiler.sources.patches.schema import Patches
from renaissance.grammar.kinds.source import fit_of


def embedding(block: Patches, address: str, *, stack_width: int, dropout: float) -> Tower:
    """Return the embeddings of a stream, as wide as the stack where the block does not say."""
    width = block.width or stack_width
    return PatchesTower(
        PatchEmbeddings(
            block.image_size, block.patch, width, block.stem, dropout, address, fit_of(block)
        )
    )


def load(block: Patches, embeddings: PatchesTower, address: str) -> None:
    """Let the embeddings start from those of the model that the block names, if it names one.

    Raises:
        BackboneError: if it cannot be had, or embeds in another way.
    """
    if block.weights is not None:
        from renaissance.compiler.backbones.published_embeddings import load_patches

        load_patches(embeddings, block.weights, address)
