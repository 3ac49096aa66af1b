"""Jobs as a user runs them: stopped and resumed, in fp16, with features that are found again."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.gpu_parts.results import Options, Results, Values
from renaissance.files import find_spec

PATIENCE = 100.0
"""Seconds that a job may take until it has done its first steps."""


def run(results: Results) -> None:
    """Run the jobs side by side."""
    tiny = results.options.tiny
    with tempfile.TemporaryDirectory() as folder:
        jobs = Jobs(options=results.options, scratch=Path(folder))
        steps, stop = (6, 2) if tiny else (300, 100)
        if tiny:
            _few_images(jobs.images)
        short = 2 if tiny else 60
        items: dict[str, Callable[[], Values]] = {
            "bf16, stopped and resumed": lambda: _resumed(jobs, steps, stop),
            "fp16": lambda: _fp16(jobs, short),
            "features found again": lambda: _features(jobs, short),
        }
        # Nothing here is a timing.
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda name: results.item(name, items[name]), items))


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """Where jobs are run.

    Attributes:
        options: of the run on the GPU; what jobs print goes to its folder.
        scratch: for specs, runs and kept features.
    """

    options: Options
    scratch: Path

    @property
    def images(self) -> Path:
        """The folder of the images of a dry run."""
        return self.scratch / "images"

    def spec(self, name: str, *, precision: str, steps: int, freeze: str = "") -> Path:
        """Write the pretraining of the quickstart with another length and precision."""
        text = Path(find_spec("quickstart")).read_text("utf-8")
        head, _, _ = text.partition("finetune vqa")
        length = f"\n  steps = {steps}\n  precision = {precision}\n  seed = 1"
        changes = {
            r"\n  (epochs|steps) *= \d+": length,
            r"\n  pool = cls\n": f"\n  pool = cls\n{freeze}",
        }
        if self.options.tiny:
            changes[r"format = easy_vqa"] = f'format = easy_vqa, root = "{self.images}"'
            changes[r"\n  batch *= \d+"] = "\n  batch = 4, validation = 20%"
        for pattern, new in changes.items():
            head, found = re.subn(pattern, lambda _, text=new: text, head)
            if found != 1:
                raise LookupError(f"the quickstart has `{pattern.strip()}` {found} times")
        path = self.scratch / f"{name}.vl"
        path.write_text(head, "utf-8")
        return path

    def start(self, path: Path, folder: Path) -> subprocess.Popen[str]:
        """Start to train, or to go on."""
        command = [sys.executable, "-m", "renaissance", "train", str(path), "-o", str(folder)]
        command += ["--device", self.options.device]
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.scratch / "cache")}
        with self.log(folder).open("a") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, text=True, env=environment)

    def log(self, folder: Path) -> Path:
        """Return the file of what a run prints."""
        return self.options.out / f"job-{folder.name}.log"

    def finish(self, path: Path, folder: Path) -> None:
        """Train to the end.

        Raises:
            RuntimeError: with the last lines that it printed, if it failed.
        """
        process = self.start(path, folder)
        try:
            if process.wait() != 0:
                said = self.log(folder).read_text(errors="replace").strip().splitlines()
                raise RuntimeError(f"exit {process.returncode}: {' / '.join(said[-3:])}")
        finally:
            process.kill()


def _few_images(root: Path) -> None:
    """Write a handful of images and questions in the layout of easy-VQA, for a dry run."""
    for split in ("train", "test"):
        (root / split / "images").mkdir(parents=True)
        colours = ("red", "blue", "gray", "green", "black")
        for number, colour in enumerate(colours):
            Image.new("RGB", (64, 64), colour).save(root / split / "images" / f"{number}.png")
        asked = [["what color is it?", colour, n] for n, colour in enumerate(colours)]
        asked += [[f"is it {colour}?", "yes", n] for n, colour in enumerate(colours)]
        (root / split / "questions.json").write_text(json.dumps(asked))


def events(folder: Path) -> list[dict[str, Any]]:
    """Return the log of the job so far."""
    path = folder / "base" / "log.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _resumed(jobs: Jobs, steps: int, stop: int) -> Values:
    folder = jobs.scratch / "bf16"
    path = jobs.spec("bf16", precision="bf16", steps=steps)
    process = jobs.start(path, folder)
    try:
        end = time.monotonic() + PATIENCE
        while _steps(folder) < stop and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        first = process.wait(60)
    finally:
        process.kill()
    stopped = _steps(folder)
    jobs.finish(path, folder)
    starts = [event["step"] for event in events(folder) if event["event"] == "start"]
    return {
        "exit when stopped": first,
        "stopped after": stopped,
        "started at": starts,
        "resumed": len(starts) == 2 and starts[1] > 0,
        **_losses(folder),
        **_pace(folder),
    }


def _fp16(jobs: Jobs, steps: int) -> Values:
    folder = jobs.scratch / "fp16"
    jobs.finish(jobs.spec("fp16", precision="fp16", steps=steps), folder)
    return {**_losses(folder), **_pace(folder)}


def _features(jobs: Jobs, steps: int) -> Values:
    """Train twice on frozen towers: what the first process keeps, the second must find."""
    said, keys = [], []
    freeze = "  freeze text, vision { cache = true }\n"
    path = jobs.spec("features", precision="bf16", steps=steps, freeze=freeze)
    for number in (1, 2):
        folder = jobs.scratch / f"features-{number}"
        jobs.finish(path, folder)
        notices = [event["text"] for event in events(folder) if event["event"] == "notice"]
        said.append([text for text in notices if text.startswith("features of")])
        stores = (jobs.scratch / "cache").glob("**/features/*")
        keys.append(sorted(path.name for path in stores if path.is_dir()))
    return {
        "found again": keys[0] == keys[1] and bool(keys[0]),
        "keys": keys,
        "first": said[0],
        "second": said[1],
    }


def _steps(folder: Path) -> int:
    found = [event["step"] for event in events(folder) if event["event"] == "step"]
    return max(found, default=0)


def _losses(folder: Path) -> Values:
    losses = [event["loss"] for event in events(folder) if event["event"] == "step"]
    return {
        "first loss": losses[0] if losses else None,
        "last loss": losses[-1] if losses else None,
        "finite": bool(losses) and all(isinstance(loss, float) for loss in losses),
    }


def _pace(folder: Path) -> Values:
    paces = [e["texts_per_second"] for e in events(folder) if e.get("texts_per_second")]
    return {"texts per second": max(paces, default=None)}
