"""Settings that the libraries below torch read when a process starts and at no other time.

A training step takes and returns gigabytes in large blocks. By default glibc gives them back to
Linux, which clears them again page by page of 4 KiB when the next step asks. glibc keeps what it
was given and asks for huge pages if settings say so. Settings that a version does not know it
ignores.

OpenMP's threads meet at the end of every operation. By default those that are first spin until the
last one comes, and where another process has its core that is milliseconds, thousands of times a
second: two threads that share two cores with other processes then run at a fraction of the speed
of one. They sleep after a few microseconds instead; those that meet at once need no waking.
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
SPINNING = "GOMP_SPINCOUNT"
TURNS = "400"
"""How often a thread asks whether the last one came before it sleeps."""
WAITING = (SPINNING, "OMP_WAIT_POLICY", "KMP_BLOCKTIME")
"""Names that say how long a thread spins."""


def start_again_with_settings() -> None:
    """Replace this process by one with the settings that the user has not made, if any are left.

    It returns where they are there already, and where the C library is none that reads them.
    """
    missing = {}
    if TUNABLES not in os.environ:
        missing[TUNABLES] = SETTINGS
    if not any(name in os.environ for name in WAITING):
        missing[SPINNING] = TURNS
    if not missing or not _is_glibc():
        return
    command = [sys.executable, *sys.orig_argv[1:]]
    try:
        os.execve(sys.executable, command, os.environ | missing)
    except OSError:
        return  # it runs as well without


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc ")
    except (AttributeError, OSError, ValueError):
        return False
