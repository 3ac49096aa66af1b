"""Image-text pairs as lines of JSON."""
