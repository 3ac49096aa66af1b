"""Tiny images of 100 classes."""
