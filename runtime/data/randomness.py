"""Random numbers as a function of what they are for, never of what was drawn before."""

import zlib

import numpy as np


def generator(seed: int, purpose: str, *numbers: int) -> np.random.Generator:
    """Return the generator of one purpose.

    Args:
        seed: the job's seed.
        purpose: what is drawn, such as `order`; different purposes are independent.
        numbers: which of them: an epoch, a step, a row.
    """
    entropy = [seed, zlib.crc32(purpose.encode()), *numbers]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
