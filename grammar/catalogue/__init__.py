"""Published encoders: the numbers of their configurations, by hub id and by timm name."""

from renaissance.grammar.catalogue.lookup import (
    find,
    named_as_timm_does,
    names,
    names_like,
    published,
)
from renaissance.grammar.catalogue.timm_models import timm_version

__all__ = ["find", "named_as_timm_does", "names", "names_like", "published", "timm_version"]
