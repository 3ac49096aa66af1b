"""Fused attention against everything else that PyTorch offers, at the shapes of the shipped specs.

`python benchmarks/attention.py --json attention.json` on a GPU prints one line for each shape,
pass and contender: milliseconds (median), TFLOP/s, the share of the matrix-product ceiling
measured in the same run, and how much faster ours is than the best other. Each contender's output
is first compared with ours; one that differs is reported as wrong and not ranked.

Work is counted without padding, 4 · heads · head_dim · Σ queries · keys for a forward pass and 3.5
times that for forward and backward. Contenders that cannot take ragged sequences get them padded,
with a mask; laying the padding out is not timed, nor is building FlexAttention's block mask, which
favours them.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from renaissance.compiler.kernels import coattention, supported, varlen_attention

OURS = "triton"
BACKENDS = {
    "sdpa flash": SDPBackend.FLASH_ATTENTION,
    "sdpa efficient": SDPBackend.EFFICIENT_ATTENTION,
    "sdpa cudnn": SDPBackend.CUDNN_ATTENTION,
    "sdpa math": SDPBackend.MATH,
}
Pass = Literal["forward", "forward+backward"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One attention problem; co-attention also runs it with queries and keys swapped."""

    name: str
    query_lengths: tuple[int, ...]
    key_lengths: tuple[int, ...]
    heads: int
    head_dim: int
    both: bool = False

    @property
    def dense(self) -> bool:
        """Whether every sequence is as long as the others, so that nothing needs a mask."""
        return len(set(self.query_lengths)) == len(set(self.key_lengths)) == 1


def captions(batch: int) -> tuple[int, ...]:
    """Caption lengths from 8 to 50 tokens, most of them short, the same in every run."""
    generator = torch.Generator().manual_seed(batch)
    drawn = torch.rand(batch, generator=generator) ** 3 * 43 + 8
    return tuple(min(50, int(length)) for length in drawn)


def shapes(batches: tuple[int, ...] = (32, 128, 512)) -> list[Shape]:
    """Images of 197 and 577 tokens, captions, and both directions between captions and images."""
    found = []
    for batch in batches:
        for heads, head_dim in ((3, 64), (4, 64), (8, 32), (12, 64), (16, 64)):
            size = f"batch {batch}, {heads} heads of {head_dim}"
            text, image = captions(batch), (197,) * batch
            width: dict[str, int] = {"heads": heads, "head_dim": head_dim}
            found.append(
                Shape(name=f"image 197, {size}", query_lengths=image, key_lengths=image, **width)
            )
            if batch * heads <= 128 * 16:
                large = (577,) * batch
                found.append(
                    Shape(
                        name=f"image 577, {size}", query_lengths=large, key_lengths=large, **width
                    )
                )
            found.append(
                Shape(name=f"text 8-50, {size}", query_lengths=text, key_lengths=text, **width)
            )
            name = f"co-attention text 8-50 with image 197, {size}"
            found.append(
                Shape(name=name, query_lengths=text, key_lengths=image, both=True, **width)
            )
    return found


def flops(shape: Shape, which: Pass) -> float:
    """Floating-point operations that the tokens need, none for padding."""
    pairs = sum(q * k for q, k in zip(shape.query_lengths, shape.key_lengths, strict=True))
    forward = 4.0 * shape.heads * shape.head_dim * pairs * (2 if shape.both else 1)
    return forward * (1.0 if which == "forward" else 3.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One packed stream: its tensors `[tokens, heads, head_dim]`, lengths and places."""

    query: Tensor
    key: Tensor
    value: Tensor
    grad: Tensor
    cumulative: Tensor
    lengths: tuple[int, ...]

    @property
    def longest(self) -> int:
        return max(self.lengths)

    def present(self) -> Tensor:
        """Which places of the padded layout hold a token, `[batch, longest]`."""
        places = torch.arange(self.longest, device=self.query.device)
        return places < torch.tensor(self.lengths, device=self.query.device)[:, None]

    def padded(self, tensor: Tensor) -> Tensor:
        """`[batch, heads, longest, head_dim]`, strided as a model's projections are."""
        shape = (len(self.lengths), self.longest, *tensor.shape[1:])
        laid = tensor.new_zeros(shape)
        laid[self.present()] = tensor.detach()
        return laid.transpose(1, 2).requires_grad_(tensor.requires_grad)


def stream(lengths: tuple[int, ...], shape: Shape, device: str, dtype: torch.dtype) -> Stream:
    fused = torch.randn(sum(lengths), 3, shape.heads, shape.head_dim, device=device, dtype=dtype)
    query, key, value = (part.detach().requires_grad_() for part in fused.unbind(1))
    ends = torch.tensor([0, *lengths]).cumsum(0)
    return Stream(
        query=query,
        key=key,
        value=value,
        grad=torch.randn_like(query),
        cumulative=ends.to(device=device, dtype=torch.int32),
        lengths=lengths,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one contender does: its forward, and what to differentiate, by what."""

    forward: Callable[[], list[Tensor]]
    inputs: list[Tensor]
    grads: list[Tensor]
    unpack: Callable[[list[Tensor]], list[Tensor]] = list


Builder = Callable[[Shape, Stream, Stream], Job]


def directions(shape: Shape, first: Stream, second: Stream) -> list[tuple[Stream, Stream]]:
    return [(first, second), (second, first)] if shape.both else [(first, second)]


def triton_job(shape: Shape, first: Stream, second: Stream) -> Job:
    def single() -> list[Tensor]:
        return [
            varlen_attention(
                first.query,
                second.key,
                second.value,
                first.cumulative,
                second.cumulative,
                first.longest,
                second.longest,
            )
        ]

    def pair() -> list[Tensor]:
        streams = (first.query, first.key, first.value, second.query, second.key, second.value)
        lengths = (first.cumulative, second.cumulative, first.longest, second.longest)
        return list(coattention(*streams, *lengths))

    return packed_job(shape, first, second, pair if shape.both else single)


def varlen_job(shape: Shape, first: Stream, second: Stream) -> Job:
    from torch.nn.attention.varlen import varlen_attn

    def forward() -> list[Tensor]:
        return [
            varlen_attn(
                asking.query,
                asked.key,
                asked.value,
                asking.cumulative,
                asked.cumulative,
                asking.longest,
                asked.longest,
            )
            for asking, asked in directions(shape, first, second)
        ]

    return packed_job(shape, first, second, forward)


def packed_job(
    shape: Shape, first: Stream, second: Stream, forward: Callable[[], list[Tensor]]
) -> Job:
    pairs = directions(shape, first, second)
    return Job(
        forward=forward,
        inputs=[t for asking, asked in pairs for t in (asking.query, asked.key, asked.value)],
        grads=[asking.grad for asking, _ in pairs],
    )


def padded_job(
    attend: Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor],
) -> Builder:
    """A contender that takes `[batch, heads, tokens, head_dim]` and a mask of the keys."""

    def build(shape: Shape, first: Stream, second: Stream) -> Job:
        pairs = directions(shape, first, second)
        laid = [
            (asking.padded(asking.query), asked.padded(asked.key), asked.padded(asked.value))
            for asking, asked in pairs
        ]
        masks = [
            None if len(set(asked.lengths)) == 1 else asked.present()[:, None, None, :]
            for _, asked in pairs
        ]

        def forward() -> list[Tensor]:
            return [attend(*qkv, mask) for qkv, mask in zip(laid, masks, strict=True)]

        return Job(
            forward=forward,
            inputs=[tensor for qkv in laid for tensor in qkv],
            grads=[asking.padded(asking.grad) for asking, _ in pairs],
            unpack=lambda outputs: [
                output.transpose(1, 2)[asking.present()]
                for output, (asking, _) in zip(outputs, pairs, strict=True)
            ],
        )

    return build


def backend_job(backend: SDPBackend) -> Builder:
    def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        with sdpa_kernel(backend):
            return scaled_dot_product_attention(query, key, value, mask)

    return padded_job(attend)


def eager_attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    scores = query @ key.transpose(2, 3) * query.shape[3] ** -0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return scores.softmax(-1, dtype=torch.float32).to(query.dtype) @ value


def flex_job(shape: Shape, first: Stream, second: Stream) -> Job:
    """FlexAttention, compiled: dense as it is, ragged as packed rows with a block mask."""
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    compiled = torch.compile(flex_attention, dynamic=False)
    if shape.dense:
        return padded_job(lambda q, k, v, _: compiled(q, k, v))(shape, first, second)
    pairs = directions(shape, first, second)
    masks = []
    for asking, asked in pairs:
        rows, columns = (
            torch.repeat_interleave(torch.tensor(each.lengths, device=each.query.device))
            for each in (asking, asked)
        )

        def same(
            b: Tensor, h: Tensor, q: Tensor, k: Tensor, r: Tensor = rows, c: Tensor = columns
        ) -> Tensor:
            return r[q] == c[k]

        device = asking.query.device.type
        masks.append(create_block_mask(same, None, None, len(rows), len(columns), device=device))

    def forward() -> list[Tensor]:
        return [
            compiled(*(t.transpose(0, 1)[None] for t in (a.query, b.key, b.value)), block_mask=mask)
            .squeeze(0)
            .transpose(0, 1)
            for (a, b), mask in zip(pairs, masks, strict=True)
        ]

    return packed_job(shape, first, second, forward)


CONTENDERS: dict[str, Builder] = {
    OURS: triton_job,
    **{name: backend_job(backend) for name, backend in BACKENDS.items()},
    "torch varlen": varlen_job,
    "flex compiled": flex_job,
    "eager": padded_job(eager_attention),
}


def step(job: Job, which: Pass) -> list[Tensor]:
    if which == "forward":
        with torch.no_grad():
            return job.forward()
    outputs = job.forward()
    torch.autograd.grad(outputs, job.inputs, job.grads)
    return outputs


def milliseconds(call: Callable[[], object], device: str, repeats: int) -> float:
    """Median time of a call after a warm-up, with the GPU's second-level cache emptied."""
    for _ in range(3 if device == "cuda" else 1):
        call()
    times = []
    if device != "cuda":
        for _ in range(repeats):
            start = time.perf_counter()
            call()
            times.append(1e3 * (time.perf_counter() - start))
        return statistics.median(times)
    flush = torch.empty(256 * 2**20, dtype=torch.int8, device=device)
    for _ in range(repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        flush.zero_()
        start.record()
        call()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times)


def ceiling(device: str, dtype: torch.dtype, size: int) -> float:
    """TFLOP/s of a square matrix product, the most that attention could reach."""
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return 2.0 * size**3 / milliseconds(lambda: left @ right, device, 20) / 1e9


def measure(
    shape: Shape, which: Pass, device: str, dtype: torch.dtype, repeats: int, names: list[str]
) -> Iterator[dict[str, Any]]:
    """One result a contender: its time, or why it has none."""
    torch.manual_seed(0)
    first = stream(shape.query_lengths, shape, device, dtype)
    alone = shape.query_lengths == shape.key_lengths and not shape.both
    second = first if alone else stream(shape.key_lengths, shape, device, dtype)
    expected: list[Tensor] = []
    for name in names:
        result: dict[str, Any] = {"shape": shape.name, "pass": which, "contender": name}
        try:
            job = CONTENDERS[name](shape, first, second)
            outputs = job.unpack(step(job, which))
            if name == OURS:
                expected = [output.detach() for output in outputs]
            elif not all(
                torch.allclose(output.detach(), ours, rtol=2e-2, atol=2e-2)
                for output, ours in zip(outputs, expected, strict=True)
            ):
                yield {**result, "reason": "its output differs from ours"}
                continue
            run = milliseconds(lambda job=job: step(job, which), device, repeats)
        # Backends refuse shapes in many ways; a refusal is a result of the comparison.
        except Exception as error:
            if name == OURS:
                raise
            first_line = (str(error).splitlines() or [type(error).__name__])[0]
            yield {**result, "reason": first_line[:160]}
            continue
        yield {**result, "milliseconds": run, "tflops": flops(shape, which) / run / 1e9}


def compare(results: list[dict[str, Any]], most: float) -> list[dict[str, Any]]:
    """Add the share of the ceiling and, to ours, how many times as fast as the best other."""
    others = [r["milliseconds"] for r in results if r["contender"] != OURS and "milliseconds" in r]
    for result in results:
        if "milliseconds" in result:
            result["share of ceiling"] = result["tflops"] / most
            if result["contender"] == OURS and others:
                result["times best other"] = min(others) / result["milliseconds"]
    return results


def line(result: dict[str, Any]) -> str:
    start = f"{result['shape']:64} {result['pass']:16} {result['contender']:15}"
    if "reason" in result:
        return f"{start} not run: {result['reason']}"
    ratio = (
        f", {result['times best other']:.2f} x best other" if "times best other" in result else ""
    )
    return (
        f"{start} {result['milliseconds']:9.3f} ms {result['tflops']:7.1f} TFLOP/s "
        f"{100 * result['share of ceiling']:5.1f} % of ceiling{ratio}"
    )


def tiny_shapes() -> list[Shape]:
    """A ragged and a two-way problem that the interpreter finishes in seconds."""
    text, image = (3, 5), (7, 7)
    return [
        Shape(name="tiny text", query_lengths=text, key_lengths=text, heads=1, head_dim=16),
        Shape(
            name="tiny co-attention",
            query_lengths=text,
            key_lengths=image,
            heads=1,
            head_dim=16,
            both=True,
        ),
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Time fused attention against PyTorch's own.")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--dtype", choices=("bfloat16", "float16", "float32"))
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 128, 512])
    parser.add_argument("--repeats", type=int, default=50, help="timed calls of each contender")
    parser.add_argument("--tiny", action="store_true", help="a smoke run of two small shapes")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    options = parser.parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        print("This benchmark needs a GPU, and PyTorch finds none here.", file=sys.stderr)
        return 2
    default = torch.bfloat16 if options.device == "cuda" else torch.float32
    dtype = getattr(torch, options.dtype) if options.dtype else default
    reason = supported(options.device, dtype, 64)
    if reason is not None:
        print(f"Nothing to measure: {reason}.", file=sys.stderr)
        return 2
    cuda = options.device == "cuda"
    names = list(CONTENDERS) if cuda else [OURS, "sdpa math", "eager"]
    most = ceiling(options.device, dtype, 8192 if cuda else 256)
    everything = []
    passes: tuple[Pass, ...] = ("forward", "forward+backward")
    for shape in tiny_shapes() if options.tiny else shapes(tuple(options.batch)):
        for which in passes:
            with torch.cuda.device(0) if cuda else nullcontext():
                results = list(measure(shape, which, options.device, dtype, options.repeats, names))
            for result in compare(results, most):
                print(line(result), flush=True)
                everything.append(result)
    if options.json:
        options.json.write_text(
            json.dumps(report(options.device, dtype, most, everything), indent=1)
        )
    return 0


def report(
    device: str, dtype: torch.dtype, most: float, results: list[dict[str, Any]]
) -> dict[str, Any]:
    """The results with what they were measured on."""
    import triton

    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else device,
        "torch": torch.__version__,
        "triton": triton.__version__,
        "cuda": torch.version.cuda,
        "date": date.today().isoformat(),
        "dtype": str(dtype),
        "matrix product TFLOP/s": most,
        "results": results,
    }


if __name__ == "__main__":
    sys.exit(main())
