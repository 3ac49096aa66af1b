"""A whole training step (MLM + ITM), against the plain step built from transformers' modules.

    python -m benchmarks.step [--size small|base] [--freeze none text vision both] [--rounds 5]
                               [--batch 16] [--device cpu|cuda] [--json FILE]

Both sides see the same captions, masks and labels: one true or false pair a caption beside its
masked copy. They run in turn in one process; ratios are medians over the rounds.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import torch
import transformers
from torch import Tensor

from benchmarks.plain import BASE, SMALL, PlainBatch, PlainStep, Size
from renaissance.compiler import build, freeze
from renaissance.grammar.schema.data import EasyVqaPairs
from renaissance.grammar.schema.jobs import AdamW, Itm, Mlm, Pretrain
from renaissance.grammar.schema.model import CrossAttention, Freeze, Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.streams import RandomArchitecture
from renaissance.runtime.data.batch import MaskedText, Matching, PretrainBatch, TextRows
from renaissance.runtime.objectives import Objectives
from renaissance.runtime.optimization import Optimization

IDS = {
    SMALL.name: ("google/electra-small-discriminator", "deit_tiny_patch16_224"),
    BASE.name: ("google/electra-base-discriminator", "vit_base_patch16_224"),
}
FREEZE = {"none": (), "text": ("text",), "vision": ("vision",), "both": ("text", "vision")}
MEAN_TOKENS = 12


def plain_batch(size: Size, rows: int) -> PlainBatch:
    """Draw captions of 12 tokens on average, a seventh of them masked, half of the pairs false."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(MEAN_TOKENS - 4, MEAN_TOKENS + 5, (rows, 1), generator=generator)
    mask = torch.arange(size.max_tokens) < lengths
    ids = torch.randint(1000, size.vocabulary, mask.shape, generator=generator) * mask
    chosen = (torch.rand(mask.shape, generator=generator) < 0.15) & mask
    chosen[:, 1] = True
    return PlainBatch(
        images=torch.randn(rows, 3, 224, 224, generator=generator),
        other_images=torch.randn(rows, 3, 224, 224, generator=generator),
        input_ids=ids,
        masked_ids=ids.masked_fill(chosen, 103),
        attention_mask=mask,
        labels=ids.masked_fill(~chosen, -100),
        matches=torch.arange(rows) % 2,
    )


def compiled_batch(plain: PlainBatch) -> PretrainBatch:
    """Return the same captions as the compiled step takes them; false images are the batch's own.

    Padding ends at the longest caption, each image stands once, masked places are listed.
    """
    rows = len(plain.matches)
    longest = int(plain.attention_mask.sum(1).max())

    def cut(table: Tensor) -> Tensor:
        return table[:, :longest].contiguous()

    mask, labels = cut(plain.attention_mask), cut(plain.labels).flatten()
    positions = (labels >= 0).nonzero().flatten()
    own = torch.arange(rows)
    return PretrainBatch(
        images=plain.images,
        image_index=own,
        text=TextRows(input_ids=cut(plain.input_ids), attention_mask=mask),
        masked=MaskedText(
            text=TextRows(input_ids=cut(plain.masked_ids), attention_mask=mask),
            positions=positions,
            labels=labels[positions],
        ),
        matching=Matching(
            image_index=torch.where(plain.matches == 1, own, (own + 1) % rows),
            row_index=own,
            labels=plain.matches,
        ),
    )


def compiled_step(
    size: Size, frozen: tuple[str, ...], device: torch.device, precision: torch.dtype
) -> Callable[[PretrainBatch], float]:
    """Return the project's own step: model, losses and optimizer as training makes them."""
    text, vision = IDS[size.name]
    model = Model(
        name="two_towers",
        streams={
            "text": RandomArchitecture(id=text, max_tokens=size.max_tokens),
            "vision": RandomArchitecture(id=vision, image_size=224),
        },
        fusion_name="cross",
        fusion=CrossAttention(
            inputs=("text", "vision"),
            layers=size.fusion_layers,
            width=size.fusion_width,
            heads=size.fusion_heads,
        ),
        freeze=(Freeze(selectors=frozen),) if frozen else (),
    )
    job = Pretrain(
        name="base",
        on="two_towers",
        data=("pairs",),
        objectives=(Mlm(), Itm()),
        optimizer=AdamW(lr=1e-4),
        batch=16,
        steps=1,
    )
    spec = Spec(models={"two_towers": model}, data={"pairs": EasyVqaPairs()}, jobs={"base": job})
    network = build(spec, job="base").to(device).train()
    freeze.resolve(network, model.freeze).apply(network, 0, 1)
    objectives = Objectives(network, model)
    optimization = Optimization(network, job.optimizer, {})
    optimization.set_rate(1e-4)

    def step(batch: PretrainBatch) -> float:
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            scored = objectives(batch).values()
            loss = torch.stack([head.loss / len(head.labels) for head in scored]).sum()
        loss.backward()
        if optimization.torch is not None:
            optimization.torch.step()
        optimization.clear()
        return loss.item()

    return step


def seconds(step: Callable[[], float]) -> float:
    """Return the time of one step; reading its loss waits for the device."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def compare(
    size: Size, setting: str, *, rows: int, rounds: int, device: torch.device
) -> dict[str, object]:
    """Time both steps in turn and return medians and the median ratio."""
    precision = torch.float32 if device.type == "cpu" else torch.bfloat16
    frozen = FREEZE[setting]
    plain = PlainStep(size, frozenset(frozen), precision=precision)
    plain.model.to(device)
    ours = compiled_step(size, frozen, device, precision)
    batch = plain_batch(size, rows)
    compact = compiled_batch(batch).to(device)
    batch = PlainBatch(**{name: getattr(batch, name).to(device) for name in batch.__slots__})
    times = []
    for number in range(rounds + 1):
        pair = (seconds(lambda: plain(batch)), seconds(lambda: ours(compact)))
        if number:
            times.append(pair)
    before, after = (statistics.median(column) for column in zip(*times, strict=True))
    return {
        "size": size.name,
        "freeze": setting,
        "batch": rows,
        "rounds": rounds,
        "plain_seconds": round(before, 4),
        "seconds": round(after, 4),
        "samples_per_second": round(rows / after, 2),
        "ratio": round(statistics.median(pair[0] / pair[1] for pair in times), 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=("small", "base"), default="small")
    parser.add_argument("--freeze", nargs="+", choices=tuple(FREEZE), default=list(FREEZE))
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        sys.stderr.write("no GPU that torch can use was found; leave out --device cuda\n")
        return 2
    size = SMALL if options.size == "small" else BASE
    rows = []
    for setting in options.freeze:
        row = compare(size, setting, rows=options.batch, rounds=options.rounds, device=device)
        rows.append(row)
        print(
            f"{size.name}, freeze {setting:6}: plain {row['plain_seconds']} s, "
            f"ours {row['seconds']} s, {row['samples_per_second']} samples/s, ratio {row['ratio']}",
            flush=True,
        )
    if options.json:
        name = torch.cuda.get_device_name() if device.type == "cuda" else platform.processor()
        about = {
            "date": datetime.now(UTC).date().isoformat(),
            "device": name or platform.machine(),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        }
        options.json.write_text(json.dumps({"about": about, "rows": rows}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
