"""Formats: a folder for each form in which image-text pairs lie on disk."""
