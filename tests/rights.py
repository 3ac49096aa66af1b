"""Running something as a user whom files can refuse: root without its powers over files."""

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_VERSION = 0x20080522
_OVER_FILES = 0b1110
"""Capabilities 1 to 3: to read, write and search whatever the mode says, and to own all files."""


@contextmanager
def no_power_over_files() -> Iterator[None]:
    """Let modes of files hold for this thread, also if it is root's; skip where that cannot be."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = ctypes.create_string_buffer(struct.pack("Ii", _VERSION, 0))
    before = ctypes.create_string_buffer(24)
    if libc.capget(header, before) != 0:
        pytest.skip("capabilities cannot be read")
    words = list(struct.unpack("6I", before.raw))
    words[0] &= ~_OVER_FILES  # the effective ones; those that are permitted stay
    if libc.capset(header, ctypes.create_string_buffer(struct.pack("6I", *words))) != 0:
        pytest.skip("capabilities cannot be given up")
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0
