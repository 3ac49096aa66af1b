"""Jobs as a user runs them: stopped and resumed, in fp16, with features that are found again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu_parts.results import Options, Results, Values
from renaissance.files import find_spec

PATIENCE = 100.0
"""Seconds that a job may take until it has done its first steps."""


def run(results: Results) -> None:
    """Run the jobs, one after the other."""
    options = results.options
    steps, stop = (8, 2) if options.tiny else (300, 100)
    results.item("bf16, stopped and resumed", lambda: _resumed(options, steps, stop))
    results.item("fp16", lambda: _fp16(options, 2 if options.tiny else 60))
    results.item("features found again", lambda: _features(options, 2 if options.tiny else 60))


def spec(options: Options, name: str, *, precision: str, steps: int, freeze: str = "") -> Path:
    """Write the pretraining of the quickstart with another length and precision."""
    text = Path(find_spec("quickstart")).read_text("utf-8")
    head, _, _ = text.partition("finetune vqa")
    changed = head.replace(
        "  epochs          = 1", f"  steps = {steps}\n  precision = {precision}\n  seed = 1"
    ).replace("  pool = cls\n", f"  pool = cls\n{freeze}")
    if options.tiny:
        changed = changed.replace("batch           = 64", "batch = 4")
    path = options.out / f"{name}.vl"
    path.write_text(changed, "utf-8")
    return path


def _start(path: Path, folder: Path, options: Options) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "renaissance", "train", str(path), "-o", str(folder)]
    command += ["--device", options.device]
    environment = {**os.environ, "XDG_CACHE_HOME": str(options.out / "cache")}
    with folder.with_suffix(".log").open("a") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, text=True, env=environment)


def events(folder: Path) -> list[dict[str, Any]]:
    """Return the log of the job so far."""
    path = folder / "base" / "log.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _finished(process: subprocess.Popen[str], folder: Path) -> None:
    """Wait for a run.

    Raises:
        RuntimeError: with the last lines that it printed, if it failed.
    """
    if process.wait() != 0:
        said = folder.with_suffix(".log").read_text(errors="replace").strip().splitlines()
        raise RuntimeError(f"exit {process.returncode}: {' / '.join(said[-3:])}")


def _resumed(options: Options, steps: int, stop: int) -> Values:
    folder = options.out / "run-bf16"
    path = spec(options, "bf16", precision="bf16", steps=steps)
    process = _start(path, folder, options)
    try:
        end = time.monotonic() + PATIENCE
        while _steps(folder) < stop and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        first = process.wait(60)
    finally:
        process.kill()
    stopped = _steps(folder)
    if first == 0:
        _finished(process, folder)
    second = _start(path, folder, options)
    try:
        _finished(second, folder)
    finally:
        second.kill()
    losses = [event["loss"] for event in events(folder) if event["event"] == "step"]
    starts = [event["step"] for event in events(folder) if event["event"] == "start"]
    return {
        "exit when stopped": first,
        "stopped after": stopped,
        "started at": starts,
        "resumed": len(starts) == 2 and starts[1] > 0,
        **_losses(losses),
        **_pace(folder),
    }


def _fp16(options: Options, steps: int) -> Values:
    folder = options.out / "run-fp16"
    process = _start(spec(options, "fp16", precision="fp16", steps=steps), folder, options)
    try:
        _finished(process, folder)
    finally:
        process.kill()
    losses = [event["loss"] for event in events(folder) if event["event"] == "step"]
    return {**_losses(losses), **_pace(folder)}


def _features(options: Options, steps: int) -> Values:
    """Train twice on frozen towers: what the first process keeps, the second must find."""
    said, keys = [], []
    freeze = "  freeze text, vision { cache = true }\n"
    path = spec(options, "features", precision="bf16", steps=steps, freeze=freeze)
    for number in (1, 2):
        folder = options.out / f"run-features-{number}"
        process = _start(path, folder, options)
        try:
            _finished(process, folder)
        finally:
            process.kill()
        notices = [event["text"] for event in events(folder) if event["event"] == "notice"]
        said.append([text for text in notices if text.startswith("features of")])
        stores = (options.out / "cache").glob("**/features/*")
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


def _losses(losses: list[float]) -> Values:
    return {
        "first loss": losses[0] if losses else None,
        "last loss": losses[-1] if losses else None,
        "finite": bool(losses) and all(isinstance(loss, float) for loss in losses),
    }


def _pace(folder: Path) -> Values:
    paces = [e["texts_per_second"] for e in events(folder) if e.get("texts_per_second")]
    return {"texts per second": max(paces, default=None)}
