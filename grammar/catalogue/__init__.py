"""Published encoders: the numbers of their configurations, by hub id and by timm name."""

from renaissance.grammar.catalogue.lookup import find, names, names_like, published

__all__ = ["find", "names", "names_like", "published"]
