"""Which box does an expression mean? RefCOCO."""
