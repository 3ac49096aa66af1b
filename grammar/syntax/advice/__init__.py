"""What to write instead of a token that does not fit, by what the line seems to be."""
