"""Huge pages for the memory of a process that runs models on a CPU.

A training step takes and returns gigabytes in large blocks, and Linux hands memory out in pages of
4 KiB: a fault for each of them. glibc asks for huge pages if a setting says so, which it reads when
a process starts and at no other time.
"""

import os
import sys
from pathlib import Path

TUNABLES = "GLIBC_TUNABLES"
SETTING = "glibc.malloc.hugetlb=1"
FIRST_GLIBC = (2, 35)
ENABLED = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def start_again_with_huge_pages() -> None:
    """Replace this process by one with the setting, if that changes something.

    It returns where the setting is there already or the user has other ones, where the kernel gives
    huge pages to everyone or to nobody, and where glibc does not know the setting.
    """
    if TUNABLES in os.environ or not _on_request():
        return
    command = [sys.executable, *sys.orig_argv[1:]]
    try:
        os.execve(sys.executable, command, os.environ | {TUNABLES: SETTING})
    except OSError:
        return  # it runs as well without


def _on_request() -> bool:
    """Return whether a program gets huge pages if it asks for them, and glibc can ask."""
    try:
        library, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        known = library == "glibc" and tuple(map(int, version.split("."))) >= FIRST_GLIBC
        return known and "[madvise]" in ENABLED.read_text("ascii")
    except (AttributeError, OSError, ValueError):
        return False
