"""Builds the encoders of timm."""

from renaissance.compiler.backbones.stacks import timm_stack as stack
from renaissance.compiler.backbones.timm import timm_tower as tower

__all__ = ["stack", "tower"]
