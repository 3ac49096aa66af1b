"""Which box does an expression mean? RefCOCO+: no words of place."""
