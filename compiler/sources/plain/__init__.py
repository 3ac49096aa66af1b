"""A pre-norm transformer stack, defined by its dimensions alone."""
