"""How fast images are read and decoded, alone and beside the step that waits for them."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.gpu_parts.results import Options, Results, Values
from benchmarks.plain import SMALL, TINY
from benchmarks.workload import CompiledStep, experiment
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import job_data
from renaissance.runtime.data.moving import Mover, with_following
from renaissance.runtime.formats.image_caption.schema import ImageCaption

WORDS = ("a", "red", "small", "dog", "runs", "over", "green", "grass", "near", "two", "old", "men")
BATCH = 128


def run(results: Results) -> None:
    """Read with none, few and many workers; then train on what the most of them read."""
    options = results.options
    images = 24 if options.tiny else 4000
    folder = Path(tempfile.mkdtemp())
    try:
        results.item("JPEG files", lambda: write_images(folder, images))
        cores = len(os.sched_getaffinity(0))
        for workers in (0, 1) if options.tiny else (0, 4, 16):
            results.item(f"{workers} workers", lambda w=workers: _read(folder, w, options, cores))
        most = 1 if options.tiny else 16
        results.item(f"step beside {most} workers", lambda: _beside(folder, most, options))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_images(folder: Path, images: int) -> Values:
    """Write images of 500 by 375 pixels, about as many bytes as photographs have, and a table."""
    with ProcessPoolExecutor(max_workers=min(16, os.cpu_count() or 1)) as processes:
        sizes = list(processes.map(_image, [str(folder)] * images, range(images), chunksize=8))
    drawn = np.random.default_rng(0)
    rows = ["image,caption"]
    for number in range(images):
        words = drawn.choice(WORDS, int(drawn.integers(6, 15)))
        rows.append(f"{number}.jpg,{' '.join(words)}")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")
    return {"images": images, "mean bytes": float(np.mean(sizes))}


def _image(folder: str, number: int) -> int:
    drawn = np.random.default_rng(number)
    coarse = drawn.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((500, 375), Image.Resampling.BICUBIC)
    noisy = np.asarray(image).astype(np.int16) + drawn.integers(-12, 13, (375, 500, 3))
    path = Path(folder, f"{number}.jpg")
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path, quality=85)
    return path.stat().st_size


def spec_of(folder: Path, workers: int, options: Options) -> Spec:
    """Return a pretraining on these images, one epoch long; words are learned from the captions.

    The text tower is as large as the usual one, whose words would have to be fetched.
    """
    size, batch = (TINY, 4) if options.tiny else (SMALL, BATCH)
    spec = experiment(size, batch=batch, precision="bf16")
    model = spec.models["two_towers"]
    text = PlainText(
        layers=size.tower_layers,
        width=size.text_width,
        heads=size.text_heads,
        max_tokens=size.max_tokens,
    )
    model = model.model_copy(update={"streams": {**model.streams, "text": text}})
    pairs = ImageCaption(table=str(folder / "pairs.csv"), image="image", caption="caption")
    job = spec.training_job("base").model_copy(
        update={"workers": workers, "steps": None, "epochs": 1}
    )
    return spec.model_copy(
        update={"models": {"two_towers": model}, "data": {"pairs": pairs}, "jobs": {"base": job}}
    )


def _batches(folder: Path, workers: int, options: Options) -> Iterator[Any]:
    data = job_data(spec_of(folder, workers, options), "base")
    data.read_for(torch.device(options.device), lambda sentence: None)
    return data.train(0, 0, 1)


def _read(folder: Path, workers: int, options: Options, cores: int) -> Values:
    """Return images a second, without the time until the first batch is there."""
    began = time.perf_counter()
    batches = _batches(folder, workers, options)
    next(batches)
    first = time.perf_counter() - began
    # One process alone takes long enough for a few batches.
    most = 2 if options.tiny else 6 if workers == 0 else 10**6
    began, images = time.perf_counter(), 0
    for passes in islice(batches, most):
        images += sum(batch.rows for batch in passes)
    seconds = time.perf_counter() - began
    return {
        "images per second": images / seconds if images else None,
        "images": images,
        "cores": cores,
        "first batch seconds": first,
    }


def _beside(folder: Path, workers: int, options: Options) -> Values:
    """Return texts a second of a step on what comes from the loader, and how long it waited."""
    device = torch.device(options.device)
    step = CompiledStep(
        TINY if options.tiny else SMALL,
        device=device,
        precision=torch.bfloat16,
        clip=1.0,
        spec=spec_of(folder, workers, options),
    )
    waited, texts, began = 0.0, 0, 0.0
    asked = time.perf_counter()
    mover = Mover(device)
    steps = with_following(_batches(folder, workers, options), mover.ahead)
    for number, ((batch, *_), following) in enumerate(steps):
        if number == (1 if options.tiny else 3):
            _wait(options)
            began, waited, texts = time.perf_counter(), 0.0, 0
            asked = began
        waited += time.perf_counter() - asked
        on_device = mover(batch)
        mover.begin(following)
        step.step(on_device)
        texts += batch.rows
        asked = time.perf_counter()
    _wait(options)
    seconds = time.perf_counter() - began
    return {"texts per second": texts / seconds, "waited share": waited / seconds, "texts": texts}


def _wait(options: Options) -> None:
    if options.cuda:
        torch.cuda.synchronize()
