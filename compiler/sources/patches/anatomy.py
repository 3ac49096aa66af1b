"""What patch embeddings consist of."""

from renaissance.compiler.sources.patches.schema import Patches
from renaissance.grammar.anatomy.parts import EncoderAnatomy, stem_kinds


def anatomy(block: Patches) -> EncoderAnatomy:
    """Return the parts of the embeddings."""
    return EncoderAnatomy(
        layers=0, width=block.width, embeddings=stem_kinds(block.stem), norm=False
    )
