"""Fused attention for packed sequences, its plain reference, and where it runs."""

from renaissance.compiler.kernels.arguments import check_lengths
from renaissance.compiler.kernels.availability import (
    AttentionUnavailable,
    supported,
    supported_anywhere,
)
from renaissance.compiler.kernels.pair import coattention
from renaissance.compiler.kernels.varlen import varlen_attention

__all__ = [
    "AttentionUnavailable",
    "check_lengths",
    "coattention",
    "supported",
    "supported_anywhere",
    "varlen_attention",
]
