"""Two versions of this project side by side: folders of revisions, processes that import them."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def tree_of(revision: str) -> Iterator[Path]:
    """Yield a folder with the files of a revision, and remove it however the block ends.

    Args:
        revision: as git names it, or the path of a folder, which is taken as it is and stays.
    """
    if (Path(revision) / "renaissance").is_dir():
        yield Path(revision).resolve()
        return
    before = signal.signal(signal.SIGTERM, _leave)
    with tempfile.TemporaryDirectory(prefix="revision-") as home:
        tree = Path(home, "tree")
        try:
            _git("worktree", "add", "--quiet", "--detach", str(tree), revision)
            yield tree
        finally:
            again = signal.signal(signal.SIGINT, signal.SIG_IGN)
            if tree.is_dir():
                _git("worktree", "remove", "--force", str(tree))
            signal.signal(signal.SIGINT, again)
            signal.signal(signal.SIGTERM, before)


def _leave(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


def _git(*arguments: str) -> None:
    done = subprocess.run(
        ["git", "-C", str(ROOT), *arguments],
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # Ctrl-C is for this process, which then tidies up
    )
    if done.returncode:
        sys.exit(f"git {arguments[0]} {arguments[1]}: {done.stderr.strip().splitlines()[-1]}")


@contextmanager
def process(
    tree: Path, script: str, *arguments: str | Path, cache: Path
) -> Iterator[subprocess.Popen[str]]:
    """Run a script of this folder in a process that imports `renaissance` from a tree.

    The script may use names that both versions have, and files beside it.

    Args:
        tree: the folder that holds `renaissance`.
        script: name of a file in `sides`.
        arguments: of it, behind the tree.
        cache: where it keeps features.
    """
    script = str(Path(__file__).parent / "sides" / script)
    command = [sys.executable, script, str(tree), *map(str, arguments)]
    started = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tree), "XDG_CACHE_HOME": str(cache)},
        start_new_session=True,
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()
