"""Which box does an expression mean? RefCOCOg: whole sentences."""
