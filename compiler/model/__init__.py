"""The mathematics of a vision-language model."""

from renaissance.compiler.model.vision_language import VisionLanguageModel

__all__ = ["VisionLanguageModel"]
