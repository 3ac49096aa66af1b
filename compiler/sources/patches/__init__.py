"""Patch and position embeddings of a one-tower model, with a class token."""
