"""What a large table of captions costs each process that trains from it, in memory.

    python -m benchmarks.captions [--rows 10000000] [--tables csv parquet] [--json FILE]

Writes a table of as many captions, of ten words in the mean. A process of its own then reads it as
a pretraining does: the split, a tokenizer that is learned from all texts, their tokens, the order
of an epoch, the digest of the data, and batches with masked words and other images, here or in a
data process. It first reads a small table, and what it has in memory then is its zero. Its peak
(`VmHWM`) counts all that it had in memory, the mapped table too, whose pages the system takes back
when it needs them. Each image is drawn when its text comes up: images are no matter here.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import torch
from PIL import Image

import renaissance as rn
from benchmarks.step import about
from renaissance.libraries import SETTINGS, TUNABLES
from renaissance.runtime.data import job_data

TABLES = ("csv", "parquet")
WORDS, MEAN_WORDS = 20_000, 10
FOLDER = 10_000
"""Images of one folder, as img2dataset leaves them."""
PIECE = 2**17
"""Rows that are written in one go."""
STEPS, BATCH = 4, 64
SMALL = 20_000
"""Rows of the table that is read first: two pieces of what is tokenised in one go."""
STAGES = ("tokenizer and order", "digest", "batches", "worker")
SPEC = """
model m {{
  backbone text = plain_text {{ layers = 1, width = 16, heads = 2, vocabulary = 30522 }}
  backbone vision = plain_vision {{
    layers = 1, width = 16, heads = 2, image_size = 32, patch = 16
  }}
  fusion f = cross_attention(text, vision) {{ layers = 1, width = 16, heads = 2 }}
  pool = cls
}}
data captions {{ format = image_caption, table = "{table}" }}
pretrain p on m {{
  data = [captions]
  objective mlm {{ }}
  objective itm {{ }}
  optimizer adamw {{ lr = 1e-4 }}
  batch = {batch}
  steps = 1000
  workers = {workers}
}}
"""


def pieces(rows: int, images: int) -> Iterator[pa.RecordBatch]:
    """Yield a table piece by piece: words by Zipf's law, the captions of an image side by side."""
    draw = np.random.default_rng(0)
    letters = draw.integers(97, 123, (WORDS, 10)).astype(np.uint8)
    lengths = draw.integers(2, 9, WORDS)
    words = np.array([bytes(w[:n]).decode() for w, n in zip(letters, lengths, strict=True)])
    often = 1 / np.arange(1, WORDS + 1)
    often = np.cumsum(often / often.sum())
    for start in range(0, rows, PIECE):
        row = np.arange(start, min(start + PIECE, rows))
        counts = draw.poisson(MEAN_WORDS - 1, len(row)) + 1
        chosen = words[np.searchsorted(often, draw.random(counts.sum()) * often[-1])]
        said = np.split(chosen, np.cumsum(counts)[:-1])
        image = row * images // rows
        yield pa.record_batch(
            {
                "image": [f"{n // FOLDER:05d}/{n:09d}.png" for n in image.tolist()],
                "caption": [" ".join(one) for one in said],
            }
        )


def write(path: Path, rows: int, images: int) -> None:
    """Write a table, by its suffix as CSV or Parquet."""
    batches = pieces(rows, images)
    first = next(batches)
    make = pa.csv.CSVWriter if path.suffix == ".csv" else pa.parquet.ParquetWriter
    with make(path, first.schema) as writer:
        for batch in chain([first], batches):
            writer.write_batch(batch)


def resident(what: str, process: int | str = "self") -> int:
    """Return bytes of a process: `VmHWM` were in memory at most, `VmRSS` are now."""
    status = Path(f"/proc/{process}/status").read_text("ascii")
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if what in line)


def read(table: Path, workers: int) -> dict[str, float]:
    """Read a table and draw batches; bytes beyond those that a small one takes, at most."""
    torch.set_num_threads(1)
    small = table.with_name(f"small{table.suffix}")
    write(small, SMALL, SMALL)
    _read(small, workers)
    began, zero = time.process_time(), resident("VmRSS")
    found: dict[str, float] = {"zero": zero}
    for stage, peak in _read(table, workers).items():
        found[stage] = peak - zero
    found["seconds"] = round(time.process_time() - began, 1)
    return found


def _read(table: Path, workers: int) -> dict[str, int]:
    """Return the bytes in memory at most, by stage."""
    found: dict[str, int] = {}

    def note(stage: str) -> None:
        found[stage] = resident("VmHWM")
        Path("/proc/self/clear_refs").write_text("5")  # what follows has a peak of its own

    note("before")
    spec_file = table.with_suffix(".vl")
    spec_file.write_text(SPEC.format(table=table, batch=BATCH, workers=workers))
    data = job_data(rn.load(str(spec_file)), "p")
    note("tokenizer and order")
    assert data.digests
    note("digest")
    for step in range(STEPS):
        images = (data.sample("train", row).image_path for row in data.rows(step))
        _draw_images(map(Path, images))
    batches = data.train(0, 0, 1)
    assert sum(batch.rows for step in islice(batches, STEPS) for batch in step) == STEPS * BATCH
    note("batches")
    if workers:
        found["worker"] = max(resident("VmHWM", child) for child in _children())
    batches.close()
    return {stage: peak for stage, peak in found.items() if stage != "before"}


def _children() -> list[str]:
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return path.read_text("ascii").split()


def _draw_images(paths: Iterable[Path]) -> None:
    """Draw images that differ from each other."""
    for path in paths:
        if not path.is_file():
            path.parent.mkdir(exist_ok=True)
            draw = np.random.default_rng(int(path.stem))
            pixels = draw.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path)


def in_process(table: Path, workers: int) -> dict[str, float]:
    """Return what `read` gives in a process of its own, that starts as training does."""
    command = [sys.executable, "-m", "benchmarks.captions", "--child", str(table)]
    command += ["--workers", str(workers)]
    environment = os.environ | {"XDG_CACHE_HOME": str(table.parent), TUNABLES: SETTINGS}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measured(rows: int, images: int, suffix: str, workers: int) -> dict[str, object]:
    """Write a table, read it, and return its size and what it cost."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / f"captions.{suffix}"
        write(table, rows, images)
        cost = in_process(table, workers)
        size = table.stat().st_size
    peak = max(cost[stage] for stage in STAGES if stage in cost)
    return {"table": suffix, "rows": rows, "images": images, "bytes": size, "peak": peak} | cost


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--images", type=int, help="distinct ones; as many as rows if absent")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(read(options.child, options.workers)))
        return 0
    found = []
    for suffix in options.tables:
        images = options.images or options.rows
        row = measured(options.rows, images, suffix, options.workers)
        found.append(row)
        print(suffix, ", ".join(f"{name} {row[name]:,}" for name in row if name != "table"))
    if options.json:
        result = {"about": about(torch.device("cpu")), "rows": found}
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
