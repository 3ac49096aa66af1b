"""Image-text matching."""
