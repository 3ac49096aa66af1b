"""Fills the caches of Triton and of torch.compile while nothing is timed yet."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.gpu_parts.results import Results, Values

if TYPE_CHECKING:
    from benchmarks.plain import Size


def run(results: Results) -> None:
    """Run once what the timed parts run, on few rows; several processes share it."""
    options = results.options
    if not options.cuda:
        results.write("all", reason="nothing is compiled for this device")
        return
    from benchmarks.plain import BASE, SMALL

    tasks: list[tuple[str, Callable[[], Values]]] = [
        (f"step of {size.name}", lambda s=size: _step(s, options.device)) for size in (SMALL, BASE)
    ]
    tasks.append(("attention", lambda: _kernels(options.device)))
    number, shares = options.share
    for name, task in tasks[number::shares]:
        results.item(name, task)


def _step(size: "Size", device: str) -> Values:
    import torch

    from benchmarks.variants import Setting, Variant, prepared

    setting = Setting(size=size, rows=16, device=torch.device(device), precision=torch.bfloat16)
    with tempfile.TemporaryDirectory() as folder:
        for compiled in (False, True):
            variant = Variant(work="training", compiled=compiled, clip=1.0)
            prepared(variant, setting, Path(folder))().item()
    return {}


def _kernels(device: str) -> Values:
    import torch

    from benchmarks.attention_shapes import Shape
    from benchmarks.contenders import streams, triton_job

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
                torch.autograd.grad(job.forward(), job.inputs, job.grads)
    torch.cuda.synchronize()
    return {}
