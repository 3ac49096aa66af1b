"""Fills the caches of Triton and of torch.compile while nothing is timed yet."""

import tempfile
from pathlib import Path

import torch

from benchmarks.attention_shapes import PASSES, Shape
from benchmarks.contenders import streams, triton_job
from benchmarks.gpu_parts.results import Results, Values
from benchmarks.gpu_parts.steps import BASE, SMALL, TRAINING_COMPILED
from benchmarks.plain import Size
from benchmarks.variants import Setting, Variant, prepared
from renaissance.compiler.kernels import supported


def run(results: Results) -> None:
    """Run once what the timed parts run, on few rows; several processes share it."""
    options = results.options
    device = torch.device(options.device)
    if supported(device, torch.bfloat16, 64) is not None or not options.cuda:
        results.write("all", reason="nothing is compiled for this device")
        return
    tasks = [
        (f"{TRAINING_COMPILED.name}, {size.name}", lambda s=size: _step(s, device))
        for size in (SMALL, BASE)
    ]
    tasks.append(("attention", lambda: _kernels(options.device)))
    number, shares = options.share
    for name, task in tasks[number::shares]:
        results.item(name, task)


def _step(size: Size, device: torch.device) -> Values:
    setting = Setting(size=size, rows=16, device=device, precision=torch.bfloat16)
    with tempfile.TemporaryDirectory() as folder:
        for variant in (Variant(work="training"), TRAINING_COMPILED):
            prepared(variant, setting, Path(folder))().item()
    return {}


def _kernels(device: str) -> Values:
    text, image = (8, 31, 50, 17), (197,) * 4
    for heads, head_dim in ((4, 64), (12, 64), (8, 32)):
        for queries, keys in ((image, image), (text, text), (text, image)):
            shape = Shape(
                name="",
                query_lengths=queries,
                key_lengths=keys,
                heads=heads,
                head_dim=head_dim,
                both=queries != keys,
            )
            for dropout in (0.0, 0.1):
                job = triton_job(shape, *streams(shape, device, torch.bfloat16), dropout)
                outputs = job.forward()
                torch.autograd.grad(outputs, job.inputs, job.grads)
    torch.cuda.synchronize()
    return {"passes": len(PASSES)}
