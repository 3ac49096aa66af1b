"""Sources: a folder for each place that a stream or a stack comes from."""
