"""What the encoder of a library consists of, as far as its family is known."""

from renaissance.grammar.anatomy.library import library_anatomy as anatomy

__all__ = ["anatomy"]
