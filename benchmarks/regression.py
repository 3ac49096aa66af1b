"""Steps of this version and of an earlier one in turn: is any kind of step slower?

Each version trains the same generated spec in a process of its own, as a user's training runs, data
included. One waits while the other does some steps, so that a busy machine disturbs both alike; the
first of a round changes from round to round. What counts is the median over rounds of the ratio
within a round. Start-up, the first steps, validation and checkpoints are not in it.
"""

import json
import math
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import ElectraConfig, PreTrainedTokenizerFast, ViTConfig

from benchmarks.plain import Size
from benchmarks.revisions import ROOT, process

Clock = Literal["wall", "cpu"]
SLOWER = 1.05
"""Ratio beyond which a kind of step counts as slower."""
TURN = 0.7
"""Seconds that a turn takes, about."""
EPOCH = 2
"""Steps of an epoch, after which features are kept."""
WARM_UP = EPOCH + 1
FREEZE = {
    "none": "",
    "both": "freeze text, vision { cache = false }",
    "both, cached": "freeze text, vision { cache = true }",
}
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One kind of step.

    Attributes:
        case: what is frozen.
        seconds: of a step of this version, median.
        ratios: seconds of this version over those of the other, in each round.
    """

    case: str
    seconds: float
    ratios: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median."""
        return statistics.median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """Bounds between which the median lies with a probability of 95 %, by its rank."""
        ordered, count = sorted(self.ratios), len(self.ratios)
        outside = max(math.floor(count / 2 - 0.98 * math.sqrt(count)), 0)
        return ordered[outside], ordered[count - 1 - outside]

    @property
    def slower(self) -> bool:
        """Whether steps of this version take more than 5 % longer."""
        return self.ratio > SLOWER

    @property
    def settled(self) -> bool:
        """Whether more rounds would hardly say otherwise."""
        lower, upper = self.spread
        return lower > SLOWER or upper < SLOWER


def compare(
    other: Path, size: Size, case: str, *, batch: int, rounds: int, clock: Clock
) -> Compared:
    """Time steps of both versions in turn.

    Args:
        other: tree of the earlier version.
        size: of the towers and the fusion.
        case: key of `FREEZE`.
        batch: texts a step.
        rounds: at least; four times as many where they do not settle it.
        clock: by which seconds count.
    """
    with tempfile.TemporaryDirectory(prefix="steps-") as name:
        folder = Path(name)
        spec = write_experiment(folder, size, case, batch)
        with _stepping(other, spec, folder) as theirs, _stepping(ROOT, spec, folder) as ours:
            for side in (ours, theirs):
                _answer(side)  # the first steps are done
            steps = max(round(TURN / _turn(ours, 1)[0]), 1)
            _turn(theirs, 1)
            ratios: list[float] = []
            own: list[float] = []
            while True:
                sides = (ours, theirs) if len(own) % 2 else (theirs, ours)
                times = {id(side): _turn(side, steps)[clock == "cpu"] for side in sides}
                own.append(times[id(ours)] / steps)
                ratios.append(times[id(ours)] / times[id(theirs)])
                found = Compared(case=case, seconds=statistics.median(own), ratios=tuple(ratios))
                done = len(ratios)
                if done >= rounds and (found.settled or done >= 4 * rounds):
                    return found


@contextmanager
def _stepping(tree: Path, spec: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a training, which answers once it has done its first steps."""
    home = Path(tempfile.mkdtemp(dir=folder))
    arguments = (spec, home / "run", str(WARM_UP))
    with process(tree, "stepping.py", *arguments, cache=home / "cache") as started:
        yield started


def _turn(side: subprocess.Popen[str], steps: int) -> tuple[float, float]:
    """Let a side do steps; return their seconds by the clock and of processor time."""
    assert side.stdin is not None
    print(steps, file=side.stdin, flush=True)
    return _answer(side)


def _answer(side: subprocess.Popen[str]) -> tuple[float, float]:
    assert side.stdout is not None
    line = side.stdout.readline().split()
    if not line:
        raise SystemExit(f"a training has ended that should wait: {side.args}")
    return float(line[0]), float(line[1])


def write_experiment(folder: Path, size: Size, case: str, batch: int) -> Path:
    """Write towers without weights, captions and images, and a spec of them; return its path."""
    for name in ("text", "vision", "images"):
        (folder / name).mkdir()
    write_tokenizer(folder / "text", size.vocabulary)
    ElectraConfig(
        embedding_size=size.text_embedding,
        hidden_size=size.text_width,
        num_hidden_layers=size.tower_layers,
        num_attention_heads=size.text_heads,
        intermediate_size=4 * size.text_width,
        vocab_size=size.vocabulary,
    ).save_pretrained(folder / "text")
    ViTConfig(
        hidden_size=size.image_width,
        num_hidden_layers=size.tower_layers,
        num_attention_heads=size.image_heads,
        intermediate_size=4 * size.image_width,
        image_size=size.image_size,
    ).save_pretrained(folder / "vision")
    write_captions(folder, size, EPOCH * batch + 2)
    spec = folder / "experiment.vl"
    spec.write_text(
        f"""
model two_towers {{
  backbone text   = random("{folder}/text") {{ max_tokens = {size.max_tokens} }}
  backbone vision = random("{folder}/vision") {{ image_size = {size.image_size} }}
  fusion cross = cross_attention(text, vision) {{
    layers = {size.fusion_layers}
    width  = {size.fusion_width}
    heads  = {size.fusion_heads}
  }}
  {FREEZE[case]}
}}
data captions {{ format = image_caption, table = "{folder}/captions.jsonl" }}
pretrain base on two_towers {{
  data = [captions]
  objective mlm
  objective itm
  optimizer adamw {{ lr = 1e-4 }}
  batch            = {batch}
  steps            = 100k
  validation       = {math.ceil(200 / (EPOCH * batch + 2))}%
  validate_every   = 100%
  checkpoint_every = 100%
}}
"""
    )
    return spec


def write_tokenizer(folder: Path, vocabulary: int) -> None:
    """Write a tokenizer of as many word pieces: words are `w5` and so on, by their numbers."""
    pieces = [*SPECIAL, *(f"w{number}" for number in range(len(SPECIAL), vocabulary))]
    numbers = {piece: number for number, piece in enumerate(pieces)}
    backend = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = ("pad", "unk", "cls", "sep", "mask")
    special = {f"{name}_token": piece for name, piece in zip(names, SPECIAL, strict=True)}
    PreTrainedTokenizerFast(tokenizer_object=backend, **special).save_pretrained(folder)


def write_captions(folder: Path, size: Size, count: int) -> None:
    """Write images of noise, and captions of 6 to 14 words about them."""
    draw = np.random.default_rng(0)
    lines = []
    for number in range(count):
        pixels = draw.integers(0, 256, (size.image_size, size.image_size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"images/{number}.jpg")
        words = draw.integers(len(SPECIAL), size.vocabulary, draw.integers(6, 15))
        caption = " ".join(f"w{word}" for word in words)
        lines.append(json.dumps({"image": f"images/{number}.jpg", "caption": caption}))
    (folder / "captions.jsonl").write_text("\n".join(lines) + "\n")


def line(found: Compared) -> str:
    """Return a comparison for a person to read."""
    lower, upper = found.spread
    return (
        f"{found.case:13} {found.seconds:7.3f} s a step, {found.ratio:.3f} times the other's "
        f"({lower:.3f} to {upper:.3f} in {len(found.ratios)} rounds)"
        + (": slower" if found.slower else "")
    )


def report(
    other: Path, sizes: Sequence[tuple[Size, int]], cases: Sequence[str], rounds: int, clock: Clock
) -> int:
    """Compare sizes with their batches, print a line each; return 1 if anything is slower."""
    slower = False
    for size, batch in sizes:
        print(f"{size.name}, batch {batch}, by {clock} time", flush=True)
        for case in cases:
            found = compare(other, size, case, batch=batch, rounds=rounds, clock=clock)
            print(line(found), flush=True)
            slower |= found.slower
    return int(slower)
