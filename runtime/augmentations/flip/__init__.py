"""Left and right change places."""
