"""How fast one process turns image files into pixels, and prepares the batches of a job.

Decoding: a JPEG file to 224 × 224 pixels in several ways, in turn within each round, by the time
that the processor works; medians of many rounds. Batches: of each training job of a spec, for the
first epoch, which decodes every image, and for a later one. Run it with `OMP_NUM_THREADS=1` for
figures of one core.

    OMP_NUM_THREADS=1 python -m benchmarks.data --json benchmarks/results/data_cpu.json
"""

import argparse
import json
import platform
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torchvision.datasets.folder import pil_loader
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode

import renaissance as rn
from renaissance.runtime.data import JobData, job_data
from renaissance.runtime.data import decode as decode_module
from renaissance.runtime.data.decode import read_image

SPEC = Path(__file__).parent.parent / "specs" / "quickstart.vl"
SHAPES = ((500, 375), (640, 480), (1600, 1200))
SIZE = 224
PACKAGES = ("torch", "torchvision", "pillow", "simplejpeg", "numpy")
Decode = Callable[[str], np.ndarray]


def photograph(width: int, height: int) -> Image.Image:
    """Draw something with edges, areas and noise, as photographs have."""
    drawn = np.random.default_rng(0)
    coarse = drawn.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    noisy = np.asarray(smooth).astype(np.int16) + drawn.normal(0, 8, (height, width, 3)).astype(int)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def _by_pillow(path: str) -> np.ndarray:
    """Decode and scale as an image of Pillow."""
    with Image.open(path) as file:
        image = ImageOps.exif_transpose(file).convert("RGB")
    image = v2.functional.resize(image, [SIZE], InterpolationMode.BICUBIC)
    image = v2.functional.center_crop(image, [SIZE, SIZE])
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))


def _by_torchvision(path: str) -> np.ndarray:
    """Decode and scale as torchvision does on tensors."""
    from torchvision.io import ImageReadMode, decode_image, read_file

    image = decode_image(read_file(path), ImageReadMode.RGB)
    image = v2.functional.resize(image, [SIZE], InterpolationMode.BICUBIC, antialias=True)
    found: np.ndarray = v2.functional.center_crop(image, [SIZE, SIZE]).contiguous().numpy()
    return found


def _by_image_folder(path: str) -> np.ndarray:
    """Decode as torchvision's data sets do, and scale as the transforms of its models."""
    image = v2.functional.pil_to_tensor(pil_loader(path))
    image = v2.functional.resize(image, [SIZE], InterpolationMode.BICUBIC, antialias=True)
    found: np.ndarray = v2.functional.center_crop(image, [SIZE, SIZE]).contiguous().numpy()
    return found


def _ours(path: str) -> np.ndarray:
    return read_image(path, SIZE, "crop")


def _ours_without_simplejpeg(path: str) -> np.ndarray:
    library, decode_module._simplejpeg = decode_module._simplejpeg, lambda: None
    try:
        return read_image(path, SIZE, "crop")
    finally:
        decode_module._simplejpeg = library


WAYS: dict[str, Decode] = {
    "Pillow, scaled by Pillow": _by_pillow,
    "torchvision.io, scaled as a tensor": _by_torchvision,
    "torchvision's image folder": _by_image_folder,
    "renaissance without simplejpeg": _ours_without_simplejpeg,
    "renaissance": _ours,
}


def decoding(rounds: int) -> list[dict[str, object]]:
    """Return images a second of processor time of each way, by shape."""
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision is about to hand its decoders on
        for width, height in SHAPES:
            path = str(Path(folder) / "image.jpg")
            photograph(width, height).save(path, quality=90)
            whole = _ours(path).astype(int)
            seconds: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(rounds):
                for way, decode in WAYS.items():
                    began = time.process_time()
                    for _ in range(4):
                        pixels = decode(path)
                    seconds[way].append((time.process_time() - began) / 4)
            for way, decode in WAYS.items():
                pixels = decode(path)
                rows.append(
                    {
                        "width": width,
                        "height": height,
                        "bytes": Path(path).stat().st_size,
                        "way": way,
                        "images_per_second": round(1 / statistics.median(seconds[way]), 1),
                        "largest_difference": int(np.abs(whole - pixels).max()),
                    }
                )
    return rows


def epoch_seconds(data: JobData) -> tuple[float, int, int]:
    """Return seconds, texts and images of one epoch."""
    start, texts, images = time.process_time(), 0, 0
    steps = data.train(data.total_steps - data.steps_per_epoch, 0, 1)
    for step in steps:
        texts += sum(batch.rows for batch in step)
        images += sum(len(batch.images) for batch in step)
    return time.process_time() - start, texts, images


def batches(spec_file: str, repeats: int) -> list[dict[str, object]]:
    """Return texts and images a second of processor time of every training job."""
    spec = rn.load(spec_file)
    rows: list[dict[str, object]] = []
    for name, job in spec.jobs.items():
        if job.job == "evaluate":
            continue
        measured: dict[str, list[tuple[float, int, int]]] = {"first": [], "later": []}
        for _ in range(repeats):
            data = job_data(spec, name)
            measured["first"].append(epoch_seconds(data))
            measured["later"].append(epoch_seconds(data))
        for epoch, found in measured.items():
            rows.append(
                {
                    "job": name,
                    "epoch": epoch,
                    "texts_per_second": round(statistics.median(t / s for s, t, _ in found)),
                    "images_per_second": round(statistics.median(i / s for s, _, i in found)),
                }
            )
    return rows


def about() -> dict[str, object]:
    """Return what figures depend on."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "device": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "time": "of the processor",
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def main() -> None:
    """Measure decoding, then the batches of every training job."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", default=str(SPEC))
    parser.add_argument("--rounds", type=int, default=25, help="of decoding")
    parser.add_argument("--repeats", type=int, default=3, help="of the epochs of a job; 0: none")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    decoded = decoding(options.rounds)
    for row in decoded:
        print(
            f"{row['width']:>5} × {row['height']:<5} {row['way']:36} "
            f"{row['images_per_second']:>8,} images/s"
        )
    prepared = batches(options.spec, options.repeats) if options.repeats else []
    for row in prepared:
        print(
            f"{row['job']:12} {row['epoch']:6} epoch {row['texts_per_second']:>9,} texts/s "
            f"{row['images_per_second']:>9,} images/s"
        )
    if options.json:
        result = {"about": about(), "decoding": decoded, "batches": prepared}
        options.json.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
