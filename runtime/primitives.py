"""How many products oneDNN stays prepared for.

oneDNN compiles code for each shape of a product and keeps it, in two caches of 1024 shapes: its
own and that of ideep, by which torch calls it. Packed texts have another number of tokens at every
step, so what is kept is hardly asked for again; and it lies in the heap between tensors of
megabytes, whose memory then serves no larger one. Processes grew by gigabytes.
"""

import os

CAPACITY = 16
"""Shapes that are kept: more than one layer after the other asks for, forward or backward."""

CAPACITIES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")


def bound_primitives() -> None:
    """Let oneDNN keep few shapes, where the user has not said how many.

    The libraries ask once, when a process runs its first product by oneDNN: later it has no effect.
    """
    for name in CAPACITIES:
        os.environ.setdefault(name, str(CAPACITY))
