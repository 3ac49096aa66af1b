"""Fusion: how streams are joined."""
