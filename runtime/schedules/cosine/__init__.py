"""Falls along half a cosine."""
