"""What makes a model fast without changing what it computes."""
