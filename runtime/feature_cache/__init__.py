"""A cache on disk: what constant towers make of inputs, read instead of computed."""
