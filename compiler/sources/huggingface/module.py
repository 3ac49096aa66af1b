"""Builds the encoders of transformers."""

from renaissance.compiler.backbones.huggingface import huggingface_tower as tower
from renaissance.compiler.backbones.stacks import transformers_stack as stack

__all__ = ["stack", "tower"]
