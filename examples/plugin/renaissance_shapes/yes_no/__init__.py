"""Questions that are answered by yes or no."""
