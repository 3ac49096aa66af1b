"""Predicted peak memory beside the resident set of a process that runs real steps.

    python -m benchmarks.memory [--freeze none both] [--batch 16] [--tokens 12] [--json FILE]

DeiT-tiny, ELECTRA-small and six co-attention layers of width 256, MLM and ITM, float32 on a CPU.
Each setting runs in a process of its own, which first warms torch up with a small product and takes
the resident set before the model is built as its zero. glibc gives large blocks back at once there
(MALLOC_MMAP_THRESHOLD_): by default it keeps freed ones, which is no need of the model.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import torch
from torch.nn import functional as F

from renaissance.compiler import build, plan
from renaissance.compiler.features import Reading
from renaissance.grammar.schema.data import EasyVqaPairs
from renaissance.grammar.schema.jobs import AdamW, Itm, Mlm, Pretrain
from renaissance.grammar.schema.model import CrossAttention, Freeze, Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.streams import RandomArchitecture
from renaissance.runtime.optimization import Optimization

FREEZE = {"none": (), "text": ("text",), "vision": ("vision",), "both": ("text", "vision")}


def declared(setting: str, batch: int) -> Spec:
    frozen = FREEZE[setting]
    model = Model(
        name="two",
        streams={
            "text": RandomArchitecture(id="google/electra-small-discriminator", max_tokens=50),
            "vision": RandomArchitecture(id="deit_tiny_patch16_224", image_size=224),
        },
        fusion_name="cross",
        fusion=CrossAttention(inputs=("text", "vision"), layers=6, width=256, heads=4),
        freeze=(Freeze(selectors=frozen),) if frozen else (),
    )
    job = Pretrain(
        name="base",
        on="two",
        data=("pairs",),
        objectives=(Mlm(), Itm()),
        optimizer=AdamW(lr=1e-4),
        batch=batch,
        steps=1,
    )
    return Spec(models={"two": model}, data={"pairs": EasyVqaPairs()}, jobs={"base": job})


def resident() -> int:
    """Return bytes of this process that are in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def measured(setting: str, batch: int, tokens: int) -> int:
    """Run three steps; return how far the resident set grew at most."""
    spec = declared(setting, batch)
    (torch.randn(64, 64, requires_grad=True) @ torch.randn(64, 64)).sum().backward()
    zero = resident()
    model = build(spec, job="base").train()
    optimization = Optimization(model, AdamW(lr=1e-4), {})
    optimization.set_rate(1e-4)
    masked = torch.arange(max(round(0.15 * batch * (tokens - 2)), 1))
    for _ in range(3):
        images = torch.randn(batch, 3, 224, 224)
        ids = torch.randint(1000, 30522, (2 * batch, tokens))
        rows = torch.arange(3 * batch)
        text = model.encode("text", {"input_ids": ids}).select(rows % (2 * batch))
        vision = model.encode("vision", images).select(rows % batch)
        places = Reading(rows=batch, stream="text", positions=masked)
        read = model.read({"text": text, "vision": vision}, [places, Reading(rows=2 * batch)])
        scores = [model.heads["mlm"](read[0]), model.heads["itm"](read[1])]
        loss = sum(F.cross_entropy(s, torch.zeros(len(s), dtype=torch.long)) for s in scores)
        del text, vision, read
        loss.backward()
        optimization.torch.step()
        optimization.clear()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - zero


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--freeze", nargs="+", choices=tuple(FREEZE), default=["none", "both"])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=12)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(measured(options.freeze[0], options.batch, options.tokens))
        return 0
    rows = []
    for setting in options.freeze:
        planned = plan(declared(setting, options.batch), tokens=options.tokens, device="cpu")
        predicted = planned.jobs[0].peak.memory.peak
        env = os.environ | {"MALLOC_MMAP_THRESHOLD_": str(2**18)}
        sizes = ["--batch", str(options.batch), "--tokens", str(options.tokens)]
        command = [sys.executable, "-m", "benchmarks.memory", "--child", "--freeze", setting]
        done = subprocess.run(
            [*command, *sizes], capture_output=True, text=True, check=True, env=env
        )
        found = int(done.stdout)
        ratio = predicted / found
        rows.append({"freeze": setting, "predicted": predicted, "measured": found, "ratio": ratio})
        print(
            f"freeze {setting:6}: predicted {predicted / 1e6:,.0f} MB, "
            f"measured {found / 1e6:,.0f} MB, ratio {ratio:.2f}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps({"torch": torch.__version__, "rows": rows}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
