"""Images that a later job selects by are withheld however their folder is spelled."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.grammar.schema.data import EasyVqa, EasyVqaPairs
from renaissance.grammar.schema.declaration import Share
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import job_data

SPELLINGS = ["absolute", "relative", "dotted", "link", "through a link", "linked files"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_withheld_by_file(
    tiny_spec: Callable[..., Spec],
    vqa_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spelling: str,
) -> None:
    monkeypatch.chdir(vqa_root.parent)
    (tmp_path / "link").symlink_to(vqa_root, target_is_directory=True)
    if spelling == "linked files":
        for folder, _, files in os.walk(vqa_root):
            copy = tmp_path / "copy" / Path(folder).relative_to(vqa_root)
            copy.mkdir(parents=True)
            for file in files:
                (copy / file).symlink_to(Path(folder) / file)
    root = {
        "absolute": str(vqa_root),
        "relative": vqa_root.name,
        "dotted": f"./{vqa_root.name}/../{vqa_root.name}",
        "link": str(tmp_path / "link"),
        "through a link": str(tmp_path / "link" / ".." / vqa_root.name),
        "linked files": str(tmp_path / "copy"),
    }[spelling]
    task = EasyVqa(root=str(vqa_root), validation=Share(0.2))
    spec = tiny_spec(vqa={"task": task}, base={"validation": Share(0.0)})
    spec = spec.model_copy(update={"data": {"pairs": EasyVqaPairs(root=root)}})
    base, vqa = job_data(spec, "base").part("train"), job_data(spec, "vqa").part("validation")
    learned = {os.path.realpath(base.table.path(image)) for image in base.images.tolist()}
    selecting = {os.path.realpath(vqa.table.path(image)) for image in vqa.images.tolist()}
    assert selecting and not learned & selecting
    assert base.withheld == len(vqa)
