"""How fast one process prepares the batches of the shipped quickstart, beside plain decoding.

Prints the median and the range of several epochs: of the first one, which decodes every image, and
of later ones. Run it with `OMP_NUM_THREADS=1` for figures of one core.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import renaissance as rn
from renaissance.runtime.data import JobData, job_data

SPEC = Path(__file__).parent.parent / "specs" / "quickstart.vl"


def epoch_seconds(data: JobData) -> tuple[float, int, int]:
    """Return seconds, texts and images of one epoch."""
    start, texts, images = time.perf_counter(), 0, 0
    steps = data.train(data.total_steps - data.steps_per_epoch, 0, 1)
    for step in steps:
        texts += sum(len(batch.image_index) for batch in step)
        images += sum(len(batch.images) for batch in step)
    return time.perf_counter() - start, texts, images


def plain_decoding(data: JobData) -> float:
    """Return images a second that Pillow alone decodes: a ceiling for the first epoch."""
    part = data.part("train")
    paths = [part.table.path(image) for image in part.images.tolist()]
    start = time.perf_counter()
    for path in paths:
        with Image.open(path) as image:
            np.asarray(image.convert("RGB"))
    return len(paths) / (time.perf_counter() - start)


def main() -> None:
    """Measure every training job."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", default=str(SPEC))
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    spec = rn.load(arguments.spec)
    print(f"{'job':12} {'epoch':7} {'texts/s':>9} {'lowest':>9} {'highest':>9} {'images/s':>9}")
    for name, job in spec.jobs.items():
        if job.job == "evaluate":
            continue
        first, later, ceilings = [], [], []
        for _ in range(arguments.repeats):
            data = job_data(spec, name)
            ceilings.append(plain_decoding(data))
            first.append(epoch_seconds(data))
            later.append(epoch_seconds(data))
        for label, measured in (("first", first), ("later", later)):
            rates = [texts / seconds for seconds, texts, _ in measured]
            images = statistics.median(count / seconds for seconds, _, count in measured)
            print(
                f"{name:12} {label:7} {statistics.median(rates):9,.0f} {min(rates):9,.0f} "
                f"{max(rates):9,.0f} {images:9,.0f}"
            )
        print(f"{name:12} Pillow decodes {statistics.median(ceilings):,.0f} images/s")


if __name__ == "__main__":
    main()
