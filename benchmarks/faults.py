"""Kill a small run at every operation on its files, go on, and compare bits.

    python -m benchmarks.faults [--every N] [--first N] [--folder DIR] [--out FILE]

A pretraining, a fine-tuning and an evaluation run once undisturbed, while their operations on files
are counted: half of each write, and before each rename, removal, new folder and flush to disk. Then
the same run is killed (SIGKILL) at each of them, or at each Nth, started again until it ends, and
compared with the first: tensors of all checkpoints, what is best, results and predictions must be
the same byte for byte. A row is printed for each kind of operation and file.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import torch as tensors_on_disk

from renaissance.grammar import load
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import log, run_jobs

SPEC = """
model tiny {
  backbone text   = plain_text { layers = 1, width = 16, heads = 2, vocabulary = 64 }
  backbone vision = plain_vision { layers = 1, width = 16, heads = 2, image_size = 16, patch = 8 }
  fusion cross    = cross_attention(text, vision) { layers = 1, width = 16, heads = 2 }
  freeze vision
}
data pairs { format = easy_vqa, root = "ROOT" }
pretrain base on tiny {
  data = [pairs]
  objective mlm
  objective itm
  optimizer adamw { lr = 5e-3 }
  batch = 8, steps = 6, validation = 20%, validate_every = 3, checkpoint_every = 2
}
finetune vqa from base {
  task = easy_vqa { root = "ROOT", validation = 20% }
  optimizer adamw { lr = 5e-3 }
  batch = 8, steps = 6, validate_every = 3, checkpoint_every = 2
}
evaluate exam of vqa { write = "answers.jsonl" }
"""
COLORS = {"red": (220, 30, 30), "green": (30, 200, 60), "blue": (40, 60, 220)}
STARTS = 5
"""Starts after a kill that a run may need to end; the second should do."""


class Operations:
    """Counts operations on the files of a run, and kills this process at one of them.

    Args:
        folder: of the run; operations elsewhere do not count.
        kill_at: number of the operation; None to count only.
    """

    def __init__(self, folder: Path, kill_at: int | None) -> None:
        """Count nothing yet."""
        self._folder = str(folder)
        self._kill_at = kill_at
        self.seen: list[str] = []

    def _due(self, kind: str, place: Any) -> bool:
        path = str(place)
        if isinstance(place, int):
            path = str(Path(f"/proc/self/fd/{place}").readlink())
        if not path.startswith(self._folder):
            return False
        self.seen.append(f"{kind} {kind_of(Path(path))}")
        return self._kill_at == len(self.seen) - 1

    def _before(self, kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(place: Any, *arguments: Any, **options: Any) -> Any:
            if self._due(kind, place):
                os.kill(os.getpid(), signal.SIGKILL)
            return real(place, *arguments, **options)

        return call

    def watch(self) -> None:
        """Take the place of what changes files, in this process."""
        for kind in ("rename", "replace", "mkdir", "unlink", "rmdir", "fsync"):
            setattr(os, kind, self._before(kind, getattr(os, kind)))
        save, write_text, write = tensors_on_disk.save_file, Path.write_text, log.Log.write

        def save_file(tensors: Any, path: Path) -> None:
            save(tensors, path)
            if self._due("half write", path):
                os.truncate(path, path.stat().st_size // 2)
                os.kill(os.getpid(), signal.SIGKILL)

        def half_text(path: Path, text: str, **options: Any) -> int:
            if self._due("half write", path):
                write_text(path, text[: len(text) // 2], **options)
                os.kill(os.getpid(), signal.SIGKILL)
            return write_text(path, text, **options)

        def half_line(own: log.Log, event: Any) -> None:
            if own._file is not None and self._due("half write", own._file.name):
                own._file.write(event.model_dump_json()[:20])
                own._file.flush()
                os.kill(os.getpid(), signal.SIGKILL)
            write(own, event)

        tensors_on_disk.save_file = save_file  # type: ignore[assignment]
        Path.write_text = half_text  # type: ignore[method-assign,assignment]
        log.Log.write = half_line  # type: ignore[method-assign]


def kind_of(path: Path) -> str:
    """Return what a file is, whichever step and draft it belongs to."""
    parts = [part.removeprefix(".draft-").removeprefix(".old-") for part in path.parts[-2:]]
    shown = ["step" if part.startswith("step-") else part for part in parts]
    if shown[-1].startswith("events.out"):
        return "tensorboard"
    return "/".join(shown) if shown[0] == "step" else shown[-1]


def in_child(work: Callable[[], None]) -> int:
    """Do something in a forked process and return its exit code, negative if a signal ended it."""
    process = os.fork()
    if process == 0:
        try:
            work()
        except BaseException as problem:
            sys.stderr.write(f"{type(problem).__name__}: {problem}\n")
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def run(spec: Spec, folder: Path) -> None:
    """Run all jobs on one thread; a report would be planned for seconds."""
    torch.set_num_threads(1)
    run_jobs(spec, folder, device="cpu", report=False)


def outcome(folder: Path) -> dict[str, Any]:
    """Return everything that must not depend on kills, by file."""
    found: dict[str, Any] = {"answers.jsonl": (folder / "answers.jsonl").read_bytes()}
    for path in folder.glob("*/checkpoints/*/*.safetensors"):
        found[str(path.relative_to(folder))] = path.read_bytes()
    for name in ("base", "vqa", "exam"):
        result = json.loads((folder / name / "result.json").read_text())
        found[name] = {key: result[key] for key in ("metrics", "steps", "confusion", "samples")}
    for name in ("base", "vqa"):
        found[f"{name}/best"] = (folder / name / "best.json").read_bytes()
        found[f"{name}/tokenizer"] = (folder / name / "tokenizer.json").read_bytes()
    left = [path for path in folder.rglob("*") if path.name.startswith((".draft-", ".old-"))]
    found["left behind"] = sorted(path.name for path in left)
    return found


def write_data(root: Path) -> None:
    """Write images of one colour, with a question about each, as easy-VQA lays them out."""
    draw = np.random.default_rng(0)
    for split, count in (("train", 16), ("test", 8)):
        (root / split / "images").mkdir(parents=True)
        questions = []
        for number in range(count):
            name, color = list(COLORS.items())[number % len(COLORS)]
            pixels = np.full((16, 16, 3), color) + draw.integers(-20, 20, (16, 16, 3))
            image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(root / split / "images" / f"{number}.png")
            questions.append(["what color is the picture?", name, number])
            questions.append([f"is the picture {name}?", "yes", number])
        (root / split / "questions.json").write_text(json.dumps(questions))


def trial(spec: Spec, folder: Path, kill_at: int, expected: dict[str, Any]) -> str:
    """Kill a run at an operation, go on until it ends, and say what became of it."""
    shutil.rmtree(folder, ignore_errors=True)

    def killed() -> None:
        Operations(folder, kill_at).watch()
        run(spec, folder)

    if in_child(killed) != -signal.SIGKILL:
        return "not killed"
    for _ in range(STARTS):
        if in_child(lambda: run(spec, folder)) == 0:
            found = outcome(folder)
            other = [name for name in expected if found.get(name) != expected[name]]
            return f"other: {', '.join(other)}" if other else "same"
    return "does not end"


def main() -> None:
    """Run the trials and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--every", type=int, default=1, help="try each Nth operation")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    parser.add_argument("--out", type=Path, help="write the figures here, as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as place:
        base = Path(place)
        write_data(base / "vqa")
        (base / "tiny.vl").write_text(SPEC.replace("ROOT", str(base / "vqa")))
        spec = load(base / "tiny.vl")
        listing = base / "operations.json"

        def whole() -> None:
            operations = Operations(base / "whole", None)
            operations.watch()
            run(spec, base / "whole")
            listing.write_bytes(json.dumps(operations.seen).encode())

        assert in_child(whole) == 0
        seen, expected = json.loads(listing.read_text()), outcome(base / "whole")
        table: dict[str, Counter[str]] = {}
        began = time.monotonic()
        for number in range(arguments.first, len(seen), arguments.every):
            became = trial(spec, base / "killed", number, expected)
            table.setdefault(seen[number], Counter())[became] += 1
            if became != "same":
                print(f"operation {number}, {seen[number]}: {became}", flush=True)
    width = max(map(len, table))
    print(f"{'killed at':<{width}}  trials  same  other")
    for kind, results in sorted(table.items()):
        tried = results.total()
        print(f"{kind:<{width}}  {tried:>6}  {results['same']:>4}  {tried - results['same']:>5}")
    tried = sum(results.total() for results in table.values())
    same = sum(results["same"] for results in table.values())
    print(
        f"{len(seen)} operations of {len(set(seen))} kinds; {tried} tried of {len(table)} kinds in "
        f"{time.monotonic() - began:.0f} s; {same} ended with the same bits"
    )
    if arguments.out is not None:
        arguments.out.write_text(json.dumps({"operations": len(seen), "kinds": table}, indent=1))


if __name__ == "__main__":
    main()
