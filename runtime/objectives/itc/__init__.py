"""Image-text contrast."""
