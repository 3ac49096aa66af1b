"""Falls along a line."""
