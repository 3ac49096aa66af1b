"""Small experiments that two versions must agree on, and data for them."""

import json
import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from easy_vqa import get_train_image_paths
from PIL import Image
from transformers import ElectraConfig, ElectraModel
from transformers.utils.logging import disable_progress_bar

from benchmarks.regression import write_tokenizer

STEPS = 20
STOP = 10
"""Step of the first job after which a run is interrupted and taken up again."""
WATCHED = 50
"""Steps of which everything that goes into the model is compared."""
EASY_VQA = Path(next(iter(get_train_image_paths().values()))).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An experiment.

    Attributes:
        name: of it.
        text: the spec.
        stop: step of the first job after which it is interrupted; None to run to the end.
        go_on: whether it is taken up again then.
        watch: whether what goes into the model is compared.
        tolerance: largest difference of two losses.
    """

    name: str
    text: str
    stop: int | None = STOP
    go_on: bool = True
    watch: bool = False
    tolerance: float = 1e-6


def towers(text: str = "", vision: str = "", model: str = "") -> str:
    """Return a model of two towers; arguments are put in the place of a tower, or added."""
    text = text or "plain_text { layers = 2, width = 32, heads = 2, max_tokens = 16, dropout = 0 }"
    vision = vision or (
        "plain_vision "
        "{ layers = 2, width = 48, heads = 3, image_size = 32, patch = 8, dropout = 0 }"
    )
    return f"""
model small {{
  backbone text   = {text}
  backbone vision = {vision}
  fusion cross = cross_attention(text, vision) {{
    layers = 2, width = 32, heads = 4, dropout = 0
  }}
  {model}
}}"""


def one_tower(encoder: str, model: str = "") -> str:
    """Return a model of one stack."""
    return f"""
model small {{
  embed text   = wordpiece {{ max_tokens = 16, vocabulary = 300 }}
  embed vision = patches {{ image_size = 32, patch = 8 }}
  fusion joint = single_stream(text, vision) {{ encoder = {encoder} }}
  {model}
}}"""


def training(keys: str = "", *, lr: str = "2e-3") -> str:
    """Return the keys that all trainings have, and others."""
    return f"""
  optimizer adamw {{ lr = {lr} }}
  batch = 16, steps = {STEPS}, validate_every = 50%, checkpoint_every = 50%
  {keys}"""


def jobs(folder: Path, *, pretrain: str = "", finetune: str = "", objectives: str = "") -> str:
    """Return a pretraining, a fine-tuning of what it learns, and an evaluation."""
    return f"""
data pairs {{ format = easy_vqa, root = "{folder}/easy_vqa" }}
pretrain base on small {{
  data = [pairs], validation = 10%, {objectives or "objective mlm, objective itm"}
  {training(pretrain)}
}}
finetune vqa from base {{
  task = easy_vqa {{ root = "{folder}/easy_vqa", validation = 10% }}
  {training(finetune)}
}}
evaluate exam of vqa {{ split = test }}
"""


def alone(folder: Path, keys: str = "") -> str:
    """Return a fine-tuning of a model as it is initialised."""
    return f"""
finetune vqa on small {{
  task = easy_vqa {{ root = "{folder}/easy_vqa", validation = 10% }}
  {training(keys)}
}}
evaluate exam of vqa {{ split = test }}
"""


def cases(folder: Path) -> tuple[Case, ...]:
    """Return all cases, for data as `write_data` writes them into a folder."""
    kept = "freeze text, vision { cache = true }"
    computed = "freeze text, vision { cache = false }"
    parts = "freeze text.layers[:1] except norm until 50%\n  freeze vision.embeddings"
    saved = f'huggingface("{folder}/electra") {{ max_tokens = 16 }}'
    timm = (
        'random("deit_tiny_patch16_224") '
        "{ layers = 2, width = 48, heads = 3, image_size = 32, dropout = 0 }"
    )
    plain = "random { layers = 2, width = 32, heads = 2, dropout = 0 }"
    quickstart = (files("renaissance.specs") / "quickstart.vl").read_text("utf-8")
    words = "texts_per_image = 2, micro_batch = 5"
    rates = (
        "clip = none\n  schedule cosine { warmup = 0 }\n  scale_lr { fusion = 5, heads.mlm = 2 }"
    )
    negatives = (
        "objective mlm { whole_word = false, weight = 0.5 }"
        "\n  objective itm { negatives = 2, draw = data }"
    )
    captions = f"""
data captions {{ format = image_caption, table = "{folder}/captions.jsonl" }}
data sentences {{ format = nlvr, root = "{folder}/nlvr" }}
pretrain base on small {{
  data = [captions, sentences], validation = 10%, objective mlm, objective itm
  {training("schedule polynomial { power = 2 }")}
}}
finetune truth from base {{
  task = nlvr {{ root = "{folder}/nlvr" }}
  {training()}
}}
evaluate exam of truth {{ split = test }}
"""
    found = {
        "cross attention": towers() + jobs(folder),
        "micro-batches": towers() + jobs(folder, pretrain=words, finetune=words),
        "rates and negatives": towers() + jobs(folder, pretrain=rates, objectives=negatives),
        "mlm alone": towers(model="pool = mean") + jobs(folder, objectives="objective mlm"),
        "itm alone": towers(model="pool = first") + jobs(folder, objectives="objective itm"),
        "fine-tuning alone": towers() + alone(folder, "augment = randaugment"),
        "frozen, kept": towers(model=kept) + jobs(folder),
        "frozen, not kept": towers(model=computed) + jobs(folder),
        "frozen in part": towers(model=parts) + jobs(folder),
        "recomputed": towers() + jobs(folder, pretrain="recompute = layers"),
        "captions and sentences": towers() + captions,
        "single stream": one_tower(plain) + jobs(folder),
        "single stream, frozen": one_tower(plain, kept) + jobs(folder, finetune="micro_batch = 6"),
        "library towers": towers(saved, timm) + jobs(folder),
        "library towers, kept": towers(saved, timm, kept) + jobs(folder),
        "single stream of a library": one_tower(f'huggingface("{folder}/electra")') + jobs(folder),
    }
    low = towers() + jobs(folder, pretrain="precision = bf16")
    return (
        Case(name="quickstart", text=quickstart, stop=WATCHED, go_on=False, watch=True),
        Case(
            name="quickstart's fine-tuning",
            text=quickstart.partition("pretrain base")[0]
            + "finetune vqa on shapes { task = easy_vqa, optimizer adamw { lr = 5e-4 }, "
            "batch = 64, texts_per_image = 2, epochs = 3 }",
            stop=WATCHED // 2,
            go_on=False,
            watch=True,
        ),
        *(Case(name=name, text=text) for name, text in found.items()),
        Case(name="low precision", text=low, tolerance=1e-2),
    )


def write_data(folder: Path) -> None:
    """Write a part of easy-VQA, captions, Cornell NLVR's layout and a saved tower."""
    write_easy_vqa(folder / "easy_vqa")
    write_captions(folder)
    write_nlvr(folder / "nlvr")
    disable_progress_bar()
    torch.manual_seed(0)
    write_tokenizer(folder / "electra", 300)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    words = {"vocab_size": 300, "embedding_size": 16, "intermediate_size": 64}
    drop = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    ElectraModel(ElectraConfig(**size, **words, **drop)).save_pretrained(folder / "electra")


def write_easy_vqa(folder: Path) -> None:
    """Copy the first images of the installed package and the questions about them."""
    for split, count in (("train", 80), ("test", 20)):
        (folder / split / "images").mkdir(parents=True)
        questions = json.loads((EASY_VQA / split / "questions.json").read_text("utf-8"))
        kept = [question for question in questions if int(question[2]) < count]
        (folder / split / "questions.json").write_text(json.dumps(kept))
        for number in range(count):
            shutil.copy(EASY_VQA / split / f"images/{number}.png", folder / split / "images")


def write_captions(folder: Path) -> None:
    """Write a table of captions, several about an image, whose images are those of easy-VQA."""
    questions = json.loads((folder / "easy_vqa/train/questions.json").read_text("utf-8"))
    lines = [
        json.dumps(
            {
                "image": f"easy_vqa/train/images/{number}.png",
                "caption": [text for text, _, image in questions if int(image) == number],
            }
        )
        for number in range(60)
    ]
    (folder / "captions.jsonl").write_text("\n".join(lines) + "\n")


def write_nlvr(folder: Path) -> None:
    """Write Cornell NLVR's layout with plain images."""
    for part, count in (("train", 40), ("dev", 10), ("test", 10)):
        images = folder / part / "images" / "4"
        images.mkdir(parents=True)
        draw = np.random.default_rng(count)
        lines = []
        for number in range(count):
            name = f"{number // 2}-{number % 2}"
            for permutation in range(6):
                pixels = draw.integers(0, 256, (8, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(images / f"{part}-{name}-{permutation}.png")
            example = {
                "sentence": f"There is a tower with {number // 2} blocks {part}.",
                "label": "true" if number % 2 else "false",
                "identifier": name,
                "directory": "4",
            }
            lines.append(json.dumps(example))
        (folder / part / f"{part}.json").write_text("\n".join(lines) + "\n")
