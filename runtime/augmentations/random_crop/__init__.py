"""A part of the image."""
