"""The architecture of a known model without its weights."""
