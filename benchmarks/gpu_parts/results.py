"""Results of a part: each is a line of JSON in a file the moment that it is there."""

import gc
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "gpu.jsonl"
Values = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What every part is told.

    Attributes:
        out: folder for results.
        device: `cuda` or `cpu`.
        tiny: a dry run on the smallest problems.
        share: this process's number among those that share the part, and how many they are.
        configurations: of our kernels, to be timed beside the stored ones.
    """

    out: Path
    device: str
    tiny: bool = False
    share: tuple[int, int] = (0, 1)
    configurations: tuple[str, ...] = ()

    @property
    def cuda(self) -> bool:
        """Whether it runs on a GPU."""
        return self.device.startswith("cuda")

    def arguments(self) -> list[str]:
        """Return these options as a command line has them."""
        found = ["--out", str(self.out), "--device", self.device]
        found += ["--share", f"{self.share[0]}/{self.share[1]}"]
        found += ["--tiny"] if self.tiny else []
        return found + [f"--configuration={text}" for text in self.configurations]


def write(out: Path, values: Values) -> None:
    """Append one line; lines of several processes do not mix."""
    line = json.dumps(values, default=str) + "\n"
    handle = os.open(out / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def read(out: Path) -> list[Values]:
    """Return all lines; one that a killed process left unfinished is passed over."""
    path = out / FILE
    if not path.exists():
        return []
    found = []
    for line in path.read_text(errors="replace").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


class Results:
    """The results of one process of a part.

    What a process has begun is noted on disk, so that one that takes its place goes on behind the
    item in which it died.

    Args:
        part: its name.
        options: of the run.
    """

    def __init__(self, part: str, options: Options) -> None:
        self.part = part
        self.options = options
        number, shares = options.share
        self._noted = options.out / "begun" / (part if shares == 1 else f"{part}-{number}")
        self._noted.parent.mkdir(parents=True, exist_ok=True)
        self._begun = self._noted.read_text().splitlines() if self._noted.exists() else []
        known = {line["item"] for line in read(options.out) if line["part"] == part}
        for item in self._begun:
            if item not in known:
                self.write(item, reason="its process died in it")

    def write(self, item: str, **values: Any) -> None:
        """Write one result."""
        write(self.options.out, {"part": self.part, "item": item, **values})

    def item(self, name: str, compute: Callable[[], Values | Iterator[Values]]) -> None:
        """Compute something, and write what comes of it: values, or why there are none.

        Args:
            name: of the item, which no other item of the part has.
            compute: returns values, or yields several, each of which is written at once.
        """
        if name in self._begun:
            return
        with self._noted.open("a") as file:
            file.write(name + "\n")
        began = time.perf_counter()
        try:
            found = compute()
            for values in [found] if isinstance(found, dict) else found:
                seconds = round(time.perf_counter() - began, 3)
                self.write(name, **values, took=seconds)
        # One item that fails, of which running out of memory is one way, leaves the others.
        except Exception as error:
            reason = _in_one_line(error)
            self.write(name, reason=reason, took=round(time.perf_counter() - began, 3))
        self._recover()

    def _recover(self) -> None:
        """Give memory back; a device that answers no more ends the process here."""
        gc.collect()
        if self.options.cuda:
            import torch

            if torch.cuda.is_initialized():
                torch.cuda.synchronize()
                torch.cuda.empty_cache()


def _in_one_line(error: Exception) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}"[:300] if words else type(error).__name__
