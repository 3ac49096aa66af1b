"""Two streams that attend to each other."""
