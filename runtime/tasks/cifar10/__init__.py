"""Tiny images of 10 classes."""
