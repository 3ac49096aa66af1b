"""One stack over the tokens of all streams."""
