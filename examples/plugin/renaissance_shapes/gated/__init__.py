"""Each stream, gated by the other one."""
