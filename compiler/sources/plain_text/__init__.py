"""A text encoder with a word-piece vocabulary of its own."""
