"""What a model consists of, and the selectors that name parts of it: no torch is needed."""
