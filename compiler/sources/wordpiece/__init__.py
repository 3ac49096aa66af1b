"""Word and position embeddings of a one-tower model."""
