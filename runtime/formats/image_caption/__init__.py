"""A table of image paths and captions."""
