"""What each fusion costs at equal towers: parameters, operations, seconds a step, peak memory.

    python -m benchmarks.fusions [--size small|base|tiny] [--freeze none text vision both]
                                 [--layers N] [--batch 16] [--rounds 7] [--json FILE]

Every fusion that the registry finds: of two towers the same DeiT and ELECTRA, of one tower its
embeddings and a stack as deep as both a tower and the fusion. MLM and ITM, captions of 12 tokens,
float32 on a CPU. Parameters and operations are those of the plan. Steps of all fusions run in turn
in one process; seconds are medians, and ratios medians over rounds. Memory is what a process of its
own comes to above what it held before.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch

from benchmarks.memory import FREEZE, RETURNING, resident
from benchmarks.plain import BASE, SMALL, TINY, Size
from benchmarks.step import about, seconds
from benchmarks.workload import MEAN_TOKENS, CompiledStep, experiment, plain_batch, training_batch
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

CPU = torch.device("cpu")
SIZES = {"small": SMALL, "base": BASE, "tiny": TINY}
PATCH = 16
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
        operations: FLOPs of a step for one text, forward and backward.
        fusion_operations: those of the fusion alone.
        seconds: of a step, median.
        ratio: seconds over those of the first fusion, median over rounds.
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
    predicted: int
    memory: int


def declared(word: str, size: Size, freeze: str, layers: int, rows: int) -> Spec:
    """Return the spec of a pretraining with one fusion, at the towers of `benchmarks.workload`."""
    spec = experiment(size, batch=rows)
    kind = Kinds(FusionBlock)[word]
    given = {
        "layers": layers,
        "width": size.fusion_width,
        "heads": size.fusion_heads,
        "encoder": PlainStack(
            layers=size.tower_layers + layers, width=size.fusion_width, heads=size.fusion_heads
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
    """Run three steps; return how far the resident set grew at most, pages of files left out."""
    (torch.randn(64, 64, requires_grad=True) @ torch.randn(64, 64)).sum().backward()
    with torch.device("meta"):
        assemble(spec.models[NAME], None, weights=False)
    zero = resident("VmRSS") - resident("RssFile")
    step = compiled(spec, size)
    batch = training_batch(plain_batch(size, rows))
    for _ in range(3):
        step(batch)
    return resident("VmHWM") - resident("RssFile") - zero


def grown_in_process(word: str, options: argparse.Namespace, freeze: str) -> int:
    """Return what `grown` gives in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.fusions", "--child", word, "--freeze", freeze]
    command += ["--size", options.size, "--layers", str(options.layers)]
    command += ["--batch", str(options.batch)]
    environment = os.environ | RETURNING
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return int(done.stdout.split()[-1])


def timed(specs: Sequence[Spec], size: Size, rows: int, rounds: int) -> list[list[float]]:
    """Return the seconds of a step of each spec, round by round, after one that does not count."""
    batch = training_batch(plain_batch(size, rows))
    steps = [compiled(spec, size) for spec in specs]
    return [[seconds(partial(step, batch)) for step in steps] for _ in range(rounds + 1)][1:]


def compare(options: argparse.Namespace, freeze: str) -> list[Cost]:
    """Return what each fusion costs."""
    size, words = SIZES[options.size], list(Kinds(FusionBlock))
    specs = [declared(word, size, freeze, options.layers, options.batch) for word in words]
    times = timed(specs, size, options.batch, options.rounds)
    found = []
    for index, (word, spec) in enumerate(zip(words, specs, strict=True)):
        (job,) = plan(spec, tokens=MEAN_TOKENS, device="cpu").jobs
        own = [part for part in job.model.components if part.address.startswith("cross.")]
        found.append(
            Cost(
                fusion=word,
                freeze=freeze,
                parameters=job.model.parameters.total,
                fusion_parameters=sum(part.parameters for part in own),
                operations=job.model.flops_per_sample.training,
                fusion_operations=sum(part.flops.training for part in own),
                seconds=statistics.median(row[index] for row in times),
                ratio=statistics.median(row[index] / row[0] for row in times),
                predicted=job.peak.memory.peak,
                memory=grown_in_process(word, options, freeze),
            )
        )
    return found


def table(costs: Sequence[Cost]) -> str:
    """Return costs as lines of a table."""
    head = (
        f"{'fusion':18}{'freeze':>8}{'parameters':>12}{'of fusion':>11}{'GFLOP':>8}"
        f"{'of fusion':>11}{'seconds':>9}{'ratio':>7}{'predicted':>11}{'peak MB':>9}"
    )
    lines = [
        f"{cost.fusion:18}{cost.freeze:>8}{cost.parameters / 1e6:>11.1f}M"
        f"{cost.fusion_parameters / 1e6:>10.1f}M{cost.operations / 1e9:>8.2f}"
        f"{cost.fusion_operations / 1e9:>11.2f}{cost.seconds:>9.3f}{cost.ratio:>7.2f}"
        f"{cost.predicted / 1e6:>11,.0f}{cost.memory / 1e6:>9,.0f}"
        for cost in costs
    ]
    return "\n".join([head, *lines])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=tuple(SIZES), default="small")
    parser.add_argument("--freeze", nargs="+", choices=tuple(FREEZE), default=["none", "both"])
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        size, (freeze,) = SIZES[options.size], options.freeze
        spec = declared(options.child, size, freeze, options.layers, options.batch)
        print(grown(spec, size, options.batch))
        return 0
    costs: list[Cost] = []
    for freeze in options.freeze:
        costs += compare(options, freeze)
        print(table(costs[-len(Kinds(FusionBlock)) :]), flush=True)
    if options.json:
        said = {"about": about(CPU), "rows": [asdict(cost) for cost in costs]}
        options.json.write_text(json.dumps(said, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
