"""What each fusion costs at equal towers: parameters, operations, seconds a step, peak memory.

    python -m benchmarks.fusions [--size small|base|tiny] [--freeze none text vision both]
                                 [--fusions WORD ...] [--batch 16] [--rounds 3] [--apart]
                                 [--json FILE]

Every fusion that the registry finds: of two towers the same DeiT and ELECTRA, of one tower its
embeddings and a stack, which is as deep as both a tower and the fusion at the small size and a
ViT-B at the other. MLM and ITM, captions of 12 tokens, float32 on a CPU. Parameters are those of
the plan. Beside each runs the same step made of transformers' modules (`plain_fusions.py`): both
see the same captions, masks and labels, one true or false pair a caption beside its masked copy.
Steps of all fusions, plain and ours, run in turn in one process, or one fusion after the other,
each in a process of its own, where memory does not hold all of them (`--apart`); seconds are
medians, and ratios medians over rounds. The floor of a step is what its matrix products take in it,
as torch's profiler sees them; watching counts. Memory is what a process of its own comes to above
what it held before, with the pairs that training has.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.memory import FREEZE, RETURNING, resident
from benchmarks.plain import BASE, SMALL, TINY, PlainStep, Size
from benchmarks.plain_fusions import PLAIN
from benchmarks.step import about, seconds
from benchmarks.workload import (
    MEAN_TOKENS,
    CompiledStep,
    compiled_batch,
    experiment,
    plain_batch,
    training_batch,
)
from renaissance.compiler import plan
from renaissance.compiler.assembly import assemble
from renaissance.compiler.sources.patches.schema import Patches
from renaissance.compiler.sources.plain.schema import PlainStack
from renaissance.compiler.sources.wordpiece.schema import Wordpiece
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import keys_of
from renaissance.libraries import TUNABLES, start_again_with_settings

CPU = torch.device("cpu")
SIZES = {"small": SMALL, "base": BASE, "tiny": TINY}
PATCH = 16
PRODUCTS = (
    "aten::mm",
    "aten::addmm",
    "aten::bmm",
    "aten::baddbmm",
    "mkldnn::_linear_pointwise",
    "aten::mkldnn_linear_backward_weights",
    "aten::mkldnn_convolution",
    "aten::convolution_backward",
    "aten::_scaled_dot_product_flash_attention_for_cpu",
    "aten::_scaled_dot_product_flash_attention_for_cpu_backward",
)
"""What a step spends its operations in."""

NAME = "two_towers"
"""What `benchmarks.workload` calls its model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one fusion costs.

    Attributes:
        fusion: its word.
        freeze: which towers do not learn.
        parameters: of the whole model.
        fusion_parameters: of the fusion alone.
        operations: FLOPs of a step for one text, forward and backward, in training.
        fusion_operations: those of the fusion alone.
        seconds: of a step, median.
        ratio: seconds over those of the first fusion, median over rounds.
        over_floor: seconds over those that the products of the same step take, median over rounds.
        plain_seconds: of the plain step, median.
        gain: how many times as fast as the plain step, median over rounds.
        predicted: bytes at the peak of a step, as the plan says.
        memory: bytes at the peak of a step, measured.
    """

    fusion: str
    freeze: str
    parameters: int
    fusion_parameters: int
    operations: int
    fusion_operations: int
    seconds: float
    ratio: float
    over_floor: float
    plain_seconds: float | None
    gain: float | None
    predicted: int
    memory: int


def declared(word: str, size: Size, freeze: str, rows: int) -> Spec:
    """Return the spec of a pretraining with one fusion, at the towers of `benchmarks.workload`."""
    spec = experiment(size, batch=rows)
    kind = Kinds(FusionBlock)[word]
    given = {
        "layers": size.fusion_layers,
        "width": size.fusion_width,
        "heads": size.fusion_heads,
        "encoder": PlainStack(
            layers=size.stack_layers, width=size.stack_width, heads=size.stack_heads
        ),
    }
    keys = {name: given[name] for name in keys_of(kind) if name in given}
    changes: dict[str, object] = {"fusion": kind(inputs=("text", "vision"), **keys)}
    if kind.accepts == "embed":
        changes["streams"] = {
            "text": Wordpiece(max_tokens=size.max_tokens, vocabulary=size.vocabulary),
            "vision": Patches(image_size=size.image_size, patch=PATCH),
        }
    frozen = FREEZE[freeze]
    changes["freeze"] = (Freeze(selectors=frozen),) if frozen else ()
    model = Model.model_validate(dict(spec.models[NAME]) | changes)
    return spec.model_copy(update={"models": {NAME: model}})


def compiled(spec: Spec, size: Size) -> CompiledStep:
    """Return the training step of a spec on the CPU, in float32."""
    return CompiledStep(size, device=CPU, precision=torch.float32, spec=spec)


def grown(spec: Spec, size: Size, rows: int) -> int:
    """Run two steps; return how far the resident set grew at most, pages of files left out."""
    (torch.randn(64, 64, requires_grad=True) @ torch.randn(64, 64)).sum().backward()
    with torch.device("meta"):
        assemble(spec.models[NAME], None, weights=False)
    zero = resident("VmRSS") - resident("RssFile")
    step = compiled(spec, size)
    batch = training_batch(plain_batch(size, rows))
    for _ in range(2):
        step(batch)
    return resident("VmHWM") - resident("RssFile") - zero


def grown_in_process(word: str, options: argparse.Namespace, freeze: str) -> int:
    """Return what `grown` gives in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.fusions", "--child", word, "--freeze", freeze]
    command += ["--size", options.size, "--batch", str(options.batch)]
    environment = {name: value for name, value in os.environ.items() if name != TUNABLES}
    environment |= RETURNING
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return int(done.stdout.split()[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds of one fusion's steps in one round.

    Attributes:
        ours: of the project's step.
        over_floor: a step over its products.
        plain: of the step of transformers' modules; None where there is none.
    """

    ours: float
    over_floor: float
    plain: float | None


def over_floor(step: Callable[[], float]) -> float:
    """Return the time of a step over that of the products in it; fused attention counts whole."""
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        whole = seconds(step)
    spent = {event.key: event.self_cpu_time_total for event in seen.key_averages()}
    return 1e6 * whole / sum(spent.get(name, 0.0) for name in PRODUCTS)


def timed(specs: Mapping[str, Spec], options: argparse.Namespace, freeze: str) -> list[list[Times]]:
    """Return the times of each fusion round by round, after one that does not count."""
    size, frozen = SIZES[options.size], frozenset(FREEZE[freeze])
    plain = plain_batch(size, options.batch)
    batch = compiled_batch(plain)
    ours = [partial(compiled(spec, size), batch) for spec in specs.values()]
    theirs = []
    for word in specs:
        step = None
        if word in PLAIN:
            made = PlainStep(size, frozen, precision=torch.float32, model=PLAIN[word])
            step = partial(made, plain)
        theirs.append(step)
    pairs = list(zip(ours, theirs, strict=True))
    return [[_times(*pair) for pair in pairs] for _ in range(options.rounds + 1)][1:]


def _times(ours: Callable[[], float], plain: Callable[[], float] | None) -> Times:
    return Times(
        plain=None if plain is None else seconds(plain),
        ours=seconds(ours),
        over_floor=over_floor(ours),
    )


def compare(options: argparse.Namespace, freeze: str) -> list[Cost]:
    """Return what each fusion costs."""
    size, rows = SIZES[options.size], options.batch
    specs = {word: declared(word, size, freeze, rows) for word in options.fusions}
    # Before this process holds what a step needs, which it does not give back.
    memory = {word: grown_in_process(word, options, freeze) for word in specs}
    rounds = timed(specs, options, freeze)
    found = []
    for index, (word, spec) in enumerate(specs.items()):
        (job,) = plan(spec, tokens=MEAN_TOKENS, device="cpu").jobs
        own = [part for part in job.model.components if part.address.startswith("cross.")]
        times = [each[index] for each in rounds]
        plain = [one.plain for one in times if one.plain is not None]
        found.append(
            Cost(
                fusion=word,
                freeze=freeze,
                parameters=job.model.parameters.total,
                fusion_parameters=sum(part.parameters for part in own),
                operations=job.model.flops_per_sample.training,
                fusion_operations=sum(part.flops.training for part in own),
                seconds=median(one.ours for one in times),
                ratio=median(each[index].ours / each[0].ours for each in rounds),
                over_floor=median(one.over_floor for one in times),
                plain_seconds=median(plain) if plain else None,
                gain=median(one.plain / one.ours for one in times if one.plain) if plain else None,
                predicted=job.peak.memory.peak,
                memory=memory[word],
            )
        )
    return found


def compare_apart(options: argparse.Namespace, freeze: str) -> list[Cost]:
    """Return what each fusion costs, each from a process that holds no other."""
    command = [sys.executable, "-m", "benchmarks.fusions", "--freeze", freeze]
    command += ["--size", options.size, "--batch", str(options.batch)]
    command += ["--rounds", str(options.rounds)]
    found: list[Cost] = []
    with TemporaryDirectory() as folder:
        results = Path(folder, "results.json")
        for word in options.fusions:
            subprocess.run(
                [*command, "--fusions", word, "--json", str(results)],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            (row,) = json.loads(results.read_text())["rows"]
            cost = Cost(**row)
            found.append(replace(cost, ratio=cost.seconds / (found or [cost])[0].seconds))
    return found


def table(costs: Sequence[Cost]) -> str:
    """Return costs as lines of a table."""
    head = (
        f"{'fusion':18}{'freeze':>8}{'parameters':>12}{'of fusion':>11}{'GFLOP':>8}"
        f"{'of fusion':>11}{'seconds':>9}{'ratio':>7}{'floor x':>9}{'plain':>8}{'gain':>7}"
        f"{'predicted':>11}{'peak MB':>9}"
    )
    lines = [
        f"{cost.fusion:18}{cost.freeze:>8}{cost.parameters / 1e6:>11.1f}M"
        f"{cost.fusion_parameters / 1e6:>10.1f}M{cost.operations / 1e9:>8.2f}"
        f"{cost.fusion_operations / 1e9:>11.2f}{cost.seconds:>9.3f}{cost.ratio:>7.2f}"
        f"{cost.over_floor:>9.2f}{cost.plain_seconds or 0:>8.3f}{cost.gain or 0:>7.2f}"
        f"{cost.predicted / 1e6:>11,.0f}{cost.memory / 1e6:>9,.0f}"
        for cost in costs
    ]
    return "\n".join([head, *lines])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=tuple(SIZES), default="small")
    words = list(Kinds(FusionBlock))
    parser.add_argument("--fusions", nargs="+", choices=words, default=words)
    parser.add_argument("--freeze", nargs="+", choices=tuple(FREEZE), default=["none", "both"])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--apart", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        size, (freeze,) = SIZES[options.size], options.freeze
        spec = declared(options.child, size, freeze, options.batch)
        print(grown(spec, size, options.batch))
        return 0
    start_again_with_settings()
    costs: list[Cost] = []
    for freeze in options.freeze:
        costs += (compare_apart if options.apart else compare)(options, freeze)
        print(table(costs[-len(options.fusions) :]), flush=True)
    if options.json:
        what = about(CPU) | {"size": SIZES[options.size].name, "batch": options.batch}
        said = {"about": what, "rows": [asdict(cost) for cost in costs]}
        options.json.write_text(json.dumps(said, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
