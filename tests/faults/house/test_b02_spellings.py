"""Images that a later job selects by are withheld however their folder is spelled."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import job_data
from renaissance.runtime.formats.easy_vqa.schema import EasyVqaPairs
from renaissance.runtime.formats.image_caption.schema import ImageCaption
from renaissance.runtime.tasks.easy_vqa.schema import EasyVqa
from tests.runs import notices, train

SEEN = "are among those that job `base` learned from"
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


def test_an_evaluation_says_which_images_training_has_seen(
    tiny_spec: Callable[..., Spec], vqa_root: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(vqa_root, target_is_directory=True)
    lines = [f"test/images/{number}.png,a picture of {number} things" for number in range(5)]
    lines += [f"train/images/{number}.png,a picture of a thing" for number in range(16)]
    (tmp_path / "pairs.csv").write_text("\n".join(["image,caption", *lines]))
    block = ImageCaption(table=str(tmp_path / "pairs.csv"), root=str(tmp_path / "link"))
    keys = {"steps": 2, "validation": Share(0.0)}
    spec = tiny_spec(base=keys, vqa={"steps": 2})
    seen = spec.model_copy(update={"data": {"pairs": block}})
    assert job_data(seen, "exam").learned_from("test") == {"base": 5}
    assert job_data(spec, "exam").learned_from("test") == {}
    train(seen, tmp_path / "run")
    [told] = [text for text in notices(tmp_path / "run", "exam") if SEEN in text]
    assert told.startswith("5 of the 8 images of `test`")
