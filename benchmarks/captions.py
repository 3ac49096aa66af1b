"""What a large table of captions costs each process that trains from it, in memory.

    python -m benchmarks.captions [--rows 10000000] [--tables csv parquet] [--json FILE]

Writes a table of as many captions, of ten words in the mean. A process of its own then reads it as
a pretraining does: the split, a tokenizer that is learned from all texts, their tokens, the order
of an epoch, the digest of the data, and batches with masked words and other images, here or in a
data process. It first reads a small table, and what it has in memory then is its zero. Its peak
(`VmHWM`), stage by stage, counts all that it had in memory, the mapped table too, whose pages the
system takes back when it needs them; `private` is the peak without them (`RssAnon`, looked at
every 20 ms), and `worker private` that of a data process, which shares most of it with the
training process. `kept` says what of it stays, by part. Each image is drawn when its text comes
up: images are no matter here.
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
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import torch
from PIL import Image

import renaissance as rn
from benchmarks.step import about
from renaissance.libraries import SETTINGS, TUNABLES
from renaissance.runtime.data import JobData, job_data

TABLES = ("csv", "parquet")
WORDS, MEAN_WORDS = 20_000, 10
FOLDER = 10_000
"""Images of one folder, as img2dataset leaves them."""
INTERVAL = 0.02
"""Seconds between two looks at a process."""
PIECE = 2**17
"""Rows that are written in one go."""
STEPS, BATCH = 4, 64
SMALL = 20_000
"""Rows of the table that is read first: two pieces of what is tokenised in one go."""
STAGES = ("tokenizer and order", "digest", "batches")
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


def read(table: Path, workers: int) -> dict[str, object]:
    """Read a table and draw batches; bytes beyond those that a small one takes, at most."""
    torch.set_num_threads(1)
    small = table.with_name(f"small{table.suffix}")
    write(small, SMALL, SMALL)
    _read(small, workers)
    began, zero, private = time.process_time(), resident("VmRSS"), resident("RssAnon")
    found: dict[str, object] = {"zero": zero, "zero private": private}
    stages, kept = _read(table, workers)
    found |= {stage: peak - zero for stage, peak in stages.items()}
    return found | {"kept": kept, "seconds": round(time.process_time() - began, 1)}


def _read(table: Path, workers: int) -> tuple[dict[str, int], dict[str, int]]:
    """Return the bytes in memory at most, by stage, and those that are kept, by part."""
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
        draw_images(map(Path, images))
    batches = data.train(0, 0, 1)
    assert sum(batch.rows for step in islice(batches, STEPS) for batch in step) == STEPS * BATCH
    note("batches")
    batches.close()
    return {stage: peak for stage, peak in found.items() if stage != "before"}, _kept(data)


def _kept(data: JobData) -> dict[str, int]:
    """Return the bytes of what stays in memory, by part; `mapped` is a file, and not private."""
    part, tokens = data.part("train"), data.tokens("train")
    rows, images = part.table.rows.data.table, part.table.images.data.table
    return {
        "mapped texts": rows["text"].nbytes,
        "tokens": tokens.ids.nbytes,
        "words of tokens": tokens.words.nbytes,
        "starts of texts": tokens.offsets.nbytes,
        "images of texts": rows["image"].nbytes,
        "distinct images": images.nbytes,
        # As read, by image, and in the order of an epoch.
        "rows of a split": 3 * part.rows.nbytes,
        "truths": 4 * len(rows) + 4 * len(images),
    }


def _children(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
    except OSError:
        return []


def draw_images(paths: Iterable[Path]) -> None:
    """Draw images that differ from each other."""
    for path in paths:
        if not path.is_file():
            path.parent.mkdir(exist_ok=True)
            draw = np.random.default_rng(int(path.stem))
            pixels = draw.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path)


def in_process(table: Path, workers: int) -> dict[str, Any]:
    """Return what `read` gives in a process of its own, that starts as training does."""
    command = [sys.executable, "-m", "benchmarks.captions", "--child", str(table)]
    command += ["--workers", str(workers)]
    environment = os.environ | {"XDG_CACHE_HOME": str(table.parent), TUNABLES: SETTINGS}
    private = {"private": 0, "worker private": 0}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        while process.poll() is None:
            time.sleep(INTERVAL)
            for name, there in (
                ("private", [process.pid]),
                ("worker private", _children(process.pid)),
            ):
                private[name] = max(private[name], *map(_private, there), 0)
        assert process.stdout is not None
        said = process.stdout.read()
    if process.returncode:
        raise SystemExit(process.returncode)
    found: dict[str, Any] = json.loads(said)
    zero = found["zero private"]
    return found | {name: peak - zero for name, peak in private.items() if peak}


def _private(process: int | str) -> int:
    """Return the private bytes of a process; 0 where it has gone."""
    try:
        return resident("RssAnon", process)
    except (OSError, StopIteration):
        return 0


def measured(rows: int, images: int, suffix: str, workers: int) -> dict[str, Any]:
    """Write a table, read it, and return its size and what it cost."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / f"captions.{suffix}"
        write(table, rows, images)
        cost = in_process(table, workers)
        size = table.stat().st_size
    peak = max(cost[stage] for stage in STAGES)
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
        said = {name: value for name, value in row.items() if name not in ("table", "kept")}
        print(suffix, ", ".join(f"{name} {value:,}" for name, value in said.items()))
        for name, count in row["kept"].items():
            print(f"  {name:<16} {count / options.rows:6.1f} bytes a row")
    if options.json:
        result = {"about": about(torch.device("cpu")), "rows": found}
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
