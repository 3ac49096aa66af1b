"""Trains jobs and writes what they computed: one side of a comparison.

    python trajectory.py TREE CASES RESULTS

Uses only what every version has at its front door, since it runs with each. CASES is a JSON list of
objects: `spec` and `folder` are paths, `stop` a step of the first job after which it is interrupted
or null, `copy` where its folder is then copied or null, `go_on` whether it is taken up again then,
`watch` whether what goes into the model is noted. A line of RESULTS is the JSON answer to one.
"""

import gc
import json
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import renaissance
from renaissance.libraries import start_again_with_settings

if __name__ == "__main__":
    start_again_with_settings()  # before torch is imported, which takes seconds each time
    gc.disable()  # looking for garbage is a third of the time that imports take

from boundary import Boundary

from renaissance.runtime import run_jobs


class Watcher:
    """An observer that interrupts a training after a step, and looks at what goes in."""

    def __init__(self, stop: int | None, boundary: Boundary | None) -> None:
        self._stop, self._boundary = stop, boundary

    def begin(self, job: str, stage: str, total: int) -> None:
        if self._boundary is not None and stage == "train":
            self._boundary.watch()

    def advance(self, stage: str, done: int) -> None:
        if stage != "train" or not done:
            return
        if self._boundary is not None:
            self._boundary.step()
        if done == self._stop:
            self._stop = None
            signal.raise_signal(signal.SIGTERM)

    def event(self, _: Any) -> None: ...

    def finish(self, _: str) -> None: ...


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case; return what went in, logs, results, and why it ended early, if it did."""
    folder = Path(case["folder"])
    spec = renaissance.load(case["spec"])
    boundary = Boundary() if case["watch"] else None
    ended = train(spec, folder, Watcher(case["stop"], boundary))
    if boundary is not None:
        boundary.close()
    if case["copy"] is not None:
        shutil.copytree(folder, case["copy"])
    if case["go_on"]:
        ended = train(spec, folder, Watcher(None, None))
    logs = {path.parent.name: lines(path) for path in sorted(folder.glob("*/log.jsonl"))}
    results = {path.parent.name: lines(path) for path in sorted(folder.glob("*/result.json"))}
    steps = [] if boundary is None else boundary.steps
    return {"ended": ended, "logs": logs, "results": results, "steps": steps}


def train(spec: Any, folder: Path, watcher: Watcher) -> str:
    """Run all jobs; return what the project says where they do not come to their end."""
    try:
        run_jobs(spec, folder, device="cpu", report=False, observer=watcher)
    except Exception as problem:
        if not type(problem).__module__.startswith("renaissance"):
            raise
        return str(problem)
    return ""


def lines(path: Path) -> list[Any]:
    """Return the JSON objects in a file, one or one a line."""
    text = path.read_text("utf-8")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return [json.loads(text)]


def main() -> None:
    gc.enable()
    tree, cases, results = sys.argv[1:]
    assert Path(renaissance.__file__).is_relative_to(tree), "another version was imported"
    with Path(results).open("w", encoding="utf-8") as file:
        for case in json.loads(Path(cases).read_text("utf-8")):
            try:
                found = run(case)
            except Exception as problem:
                found = {"failed": f"{type(problem).__name__}: {problem}".splitlines()[0]}
            print(json.dumps(found), file=file, flush=True)


if __name__ == "__main__":
    main()
