"""Falls along a power of the remaining share of steps."""
