"""Data is what it is, not how its path is spelled: no model is measured on what it learned from."""

import shutil
from pathlib import Path

import pytest

from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.source import Source
from tests.tiny import write_easy_vqa

MODEL = """model m {
  backbone text   = plain_text { layers = 1, width = 8, heads = 2, vocabulary = 64 }
  backbone vision = plain_vision { layers = 1, width = 8, heads = 2, image_size = 16, patch = 8 }
  fusion cross = cross_attention(text, vision) { layers = 1, width = 8, heads = 2 }
}
"""
TRAINING = "optimizer adamw { lr = 1e-3 }\n  batch = 8\n  steps = 10\n"
VQA = """
data d {{ format = easy_vqa, root = "{pairs}", split = test }}
pretrain p on m {{
  data = [d]
  objective mlm
  {training}}}
finetune f from p {{
  task = easy_vqa {{ root = "{task}" }}
  {training}}}
evaluate e of f {{ split = test }}
"""
NLVR = """
data d {{ format = nlvr, root = "{pairs}", split = {split} }}
pretrain p on m {{
  data = [d]
  objective mlm
  {training}}}
finetune f from p {{
  task = nlvr {{ root = "{task}", train = train, validation = dev }}
  {training}}}
evaluate e of f {{ split = test }}
"""


def codes(text: str) -> list[str]:
    found = resolve(Source(name="main.vl", text=MODEL + text)).diagnostics
    return [finding.code for finding in found]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_easy_vqa(tmp_path / "evqa", train=2, test=2)
    write_easy_vqa(tmp_path / "other", train=3, test=3)
    Path("link").symlink_to("evqa")
    shutil.copytree("evqa", "copy")
    for split in ("train", "dev", "test"):
        Path("nlvr", split).mkdir(parents=True)
        Path("nlvr", split, f"{split}.json").write_text(f"{split}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("evqa", "evqa", True),
        ("./evqa", "evqa", True),
        ("evqa/", "evqa", True),
        ("other/../evqa", "evqa", True),
        ("{folder}/evqa", "evqa", True),
        ("link", "evqa", True),
        ("copy", "evqa", True),
        ("other", "evqa", False),
        ("absent", "evqa", False),
        ("./absent", "absent", True),
    ],
)
def test_easy_vqa(folder: Path, one: str, other: str, same: bool) -> None:
    for pairs, task in ((one, other), (other, one)):
        text = VQA.format(pairs=pairs, task=task, training=TRAINING)
        text = text.replace("{folder}", str(folder))
        assert codes(text) == (["VL505"] if same else [])


@pytest.mark.parametrize(
    ("one", "split", "same"),
    [("nlvr", "test", True), ("./nlvr", "test", True), ("nlvr", "train", False)],
)
def test_nlvr(folder: Path, one: str, split: str, same: bool) -> None:
    text = NLVR.format(pairs=one, task="nlvr", split=split, training=TRAINING)
    assert codes(text) == (["VL505"] if same else [])


def test_a_split_that_is_a_link_to_the_training_split(folder: Path) -> None:
    shutil.rmtree("nlvr/dev")
    Path("nlvr/dev").symlink_to("train")
    text = NLVR.format(pairs="nlvr", task="nlvr", split="train", training=TRAINING)
    assert codes(text) == ["VL505"]


def test_the_installed_data_by_its_path(folder: Path) -> None:
    import easy_vqa

    root = Path(easy_vqa.__file__).parent / "data"
    text = VQA.format(pairs=root, task="", training=TRAINING).replace('root = ""', "")
    assert codes(text) == ["VL505"]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ('easy_vqa, root = "evqa"', 'easy_vqa, root = "./evqa"', True),
        ('easy_vqa, root = "evqa"', 'easy_vqa, root = "evqa", split = test', False),
        ('image_caption, table = "a.csv"', 'image_caption, table = "./a.csv"', True),
        (
            'image_caption, table = "a.csv"',
            'image_caption, table = "a.csv", caption = "german"',
            False,
        ),
        ('image_caption, table = "a.csv"', 'image_caption, table = "a.csv", root = "."', True),
        ('image_caption, table = "a.csv"', 'image_caption, table = "a.csv", root = "evqa"', False),
        ('image_caption, table = "a.csv"', 'image_caption, table = "b.csv"', True),
        ('image_caption, table = "a.csv"', 'image_caption, table = "c.csv"', False),
    ],
)
def test_the_same_pairs_under_two_names(folder: Path, first: str, second: str, same: bool) -> None:
    for name, caption in (("a", "one"), ("b", "one"), ("c", "two")):
        Path(f"{name}.csv").write_text(f"image,caption\n1.png,{caption}\n")
    text = f"data a {{ format = {first} }}\ndata b {{ format = {second} }}\n"
    text += f"pretrain p on m {{\n  data = [a, b]\n  objective mlm\n  {TRAINING}}}\n"
    assert codes(text) == (["VL518"] if same else [])
