"""How glibc hands out the memory of a process that runs models on a CPU.

A training step takes and returns gigabytes in large blocks. By default glibc gives them back to
Linux, which clears them again page by page of 4 KiB when the next step asks. glibc keeps what it
was given and asks for huge pages if settings say so, which it reads when a process starts and at no
other time. Settings that a version does not know it ignores.
"""

import os
import sys

TUNABLES = "GLIBC_TUNABLES"
SETTINGS = ":".join(
    (
        "glibc.malloc.hugetlb=1",
        # Large blocks come from the heap, and its end is never given back.
        "glibc.malloc.mmap_max=0",
        f"glibc.malloc.trim_threshold={2**40}",
    )
)


def start_again_with_settings() -> None:
    """Replace this process by one with the settings, if that changes something.

    It returns where the settings are there already or the user has other ones, and where the C
    library is none that reads them.
    """
    if TUNABLES in os.environ or not _is_glibc():
        return
    command = [sys.executable, *sys.orig_argv[1:]]
    try:
        os.execve(sys.executable, command, os.environ | {TUNABLES: SETTINGS})
    except OSError:
        return  # it runs as well without


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc ")
    except (AttributeError, OSError, ValueError):
        return False
