"""Conceptual Captions, as downloaders leave them."""
