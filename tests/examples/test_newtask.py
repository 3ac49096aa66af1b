"""A new task is a folder: copied into the tree it is trained, and no other file is changed."""

import json
import shutil
import sys
from pathlib import Path

from tests.examples.test_plugin import PLUGIN, python

ROOT = Path(__file__).parents[2]
LAYERS = ("renaissance", "grammar", "compiler", "runtime", "specs")


def test_a_copied_folder_is_a_task(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for layer in LAYERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / layer, tree / layer, symlinks=True, ignore=ignored)
    package = PLUGIN / "renaissance_shapes"
    folder = tree / "runtime" / "tasks" / "newtask"
    folder.mkdir()
    for file in (*sorted((package / "yes_no").glob("*.py")), package / "lines.py"):
        text = file.read_text(encoding="utf-8")
        text = text.replace("renaissance_shapes.yes_no", "renaissance.runtime.tasks.newtask")
        text = text.replace("renaissance_shapes.lines", "renaissance.runtime.tasks.newtask.lines")
        (folder / file.name).write_text(text.replace('"yes_no"', '"newtask"'), encoding="utf-8")
    path = [str(tree), *(entry for entry in sys.path if entry != str(ROOT))]
    where = python(
        "-c", "import renaissance; print(renaissance.__file__)", folder=tmp_path, path=path
    )
    assert where.stdout.startswith(str(tree))
    drawn = python(
        "-m", "renaissance_shapes.draw", "data", folder=tmp_path, path=[*path, str(PLUGIN)]
    )
    assert drawn.returncode == 0, drawn.stderr
    (tmp_path / "new.vl").write_text(_SPEC)
    trained = python(
        "-m", "renaissance", "train", "new.vl", "-o", "run", folder=tmp_path, path=path
    )
    assert trained.returncode == 0, trained.stderr
    result = json.loads((tmp_path / "run" / "answers_test" / "result.json").read_text())
    assert {"accuracy", "balanced_accuracy"} <= result["metrics"].keys()
    explained = python("-m", "renaissance", "explain", "newtask", folder=tmp_path, path=path)
    assert explained.stdout.startswith("# `task = newtask`\n")
    assert "Brought by" not in explained.stdout


_SPEC = """model small {
  backbone text = plain_text { layers = 1, width = 16, heads = 2, max_tokens = 16 }
  backbone vision = plain_vision { layers = 1, width = 16, heads = 2, image_size = 32 }
  fusion cross = cross_attention(text, vision) { layers = 1, width = 16, heads = 2 }
}

finetune answers on small {
  task = newtask { root = "data" }
  optimizer adamw { lr = 1e-3 }
  batch = 16
  steps = 2
}

evaluate answers_test of answers { split = test }
"""
